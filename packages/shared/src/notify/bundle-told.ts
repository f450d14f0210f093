import { originOf } from '../domain/alert.js';
import { type AlertLimits, longestWindow } from '../domain/alert-limit.js';
import type { Channel } from '../domain/channel.js';
import type { NewNotification } from '../ledger/accept.js';
import type { AlertRow } from '../ledger/alerts.js';
import { bundleAtOnce, type FreshDelivery } from '../ledger/bundle-at-once.js';
import type { Statements } from '../ledger/database.js';
import { handedOverTo } from '../ledger/hand-over.js';
import type { JobSeed } from '../ledger/waiting.js';
import type { Enqueuer } from '../queue/enqueuer.js';
import type { Events } from '../service/events.js';
import { seedsOf } from './notifier.js';

/** What is to be done, after the commit, about what was written to tell of an alert. */
export interface Departures {
  /** The jobs that are needed. */
  readonly seeds: readonly JobSeed[];
  /** The deliveries that a bundle tells of already. */
  readonly bundled: readonly {
    readonly notificationId: string;
    readonly deliveryId: string;
    readonly channel: Channel;
    readonly reason: string;
  }[];
}

/**
 * Puts what was written to tell of an alert, and would only be held back, into the bundles that are open, so that a storm costs
 * the queues nothing. The last thing before the commit; `depart` has to follow it.
 */
export async function bundleTold(
  transaction: Statements,
  limits: AlertLimits,
  alert: AlertRow,
  notifications: readonly NewNotification[],
): Promise<Departures> {
  const [first] = notifications;
  const fresh = notifications.flatMap((one) => freshOf(one, limits));
  const seeds = notifications.flatMap(seedsOf);
  if (first === undefined || fresh.length === 0) return { seeds, bundled: [] };
  const told = { id: alert.id, origin: originOf(alert), priority: first.priority };
  const found = await bundleAtOnce(transaction, told, fresh);
  const into = new Map(found.map(({ deliveryId, bundleId }) => [deliveryId, bundleId]));
  return {
    seeds: seeds.filter(({ deliveryId }) => !into.has(deliveryId)),
    bundled: fresh.flatMap(({ deliveryId, notificationId, channel }) => {
      const bundleId = into.get(deliveryId);
      if (bundleId === undefined) return [];
      return [{ notificationId, deliveryId, channel, reason: handedOverTo('bundle', bundleId) }];
    }),
  };
}

/** A push goes to each device by itself, which a worker sorts out. */
function freshOf({ id, personId, deliveries }: NewNotification, limits: AlertLimits): FreshDelivery[] {
  if (personId === null) return [];
  return deliveries.flatMap(({ id: deliveryId, channel, state }) => {
    const windowS = longestWindow(limits[channel] ?? []);
    if (state !== 'queued' || channel === 'push' || windowS === 0) return [];
    return [{ deliveryId, notificationId: id, personId, channel, windowS }];
  });
}

/** The jobs, and that it is known. */
export function depart(
  { enqueuer, events }: { enqueuer: Pick<Enqueuer, 'enqueue'>; events: Pick<Events, 'moved'> },
  { seeds, bundled }: Departures,
): void {
  enqueuer.enqueue(seeds);
  for (const one of bundled) events.moved({ ...one, state: 'sent', failure: null, dueInMs: 0 });
}
