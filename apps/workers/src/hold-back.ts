import { tellsOfAlerts } from '@belfry/shared/domain/alert.js';
import type { AlertLimits } from '@belfry/shared/domain/alert-limit.js';
import type { Claimed } from '@belfry/shared/ledger/claim.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import { closeWindow, gather } from '@belfry/shared/ledger/gather.js';
import { handedOverTo } from '@belfry/shared/ledger/hand-over.js';
import { mayPass } from '@belfry/shared/ledger/hourly-pass.js';
import { isOutage } from '@belfry/shared/ledger/outage.js';
import type { Enqueuer } from '@belfry/shared/queue/enqueuer.js';
import type { Objection } from '@belfry/shared/routing/guard.js';
import { BatcherFull, createBatcher } from '@belfry/shared/service/batcher.js';
import type { Catalogue, EventDefinition } from '@belfry/shared/templates/catalogue.js';
import { createAlertHoldBack } from './alert-hold-back.js';
import type { HoldBack, Holding } from './holding.js';

export interface HoldBackParts {
  readonly database: Database;
  /** This worker process: a lease carries it. */
  readonly owner: string;
  readonly catalogue: Catalogue;
  readonly enqueuer: Pick<Enqueuer, 'enqueue'>;
  readonly alertLimits: AlertLimits;
}

/** At once: more would take the connections from the claims and the outcomes, and wait for each other's rows. */
const FLIGHTS = 2;

/**
 * Gathers what an event's manifest says is told of together, and keeps to how often it says. The critical is not held back, but
 * for a storm of alerts.
 */
export function createHoldBack({
  database,
  owner,
  catalogue,
  enqueuer,
  alertLimits,
}: HoldBackParts): HoldBack {
  const alerts = createAlertHoldBack({ database, owner, enqueuer, limits: alertLimits });
  const turns = createBatcher<Turn, Holding>({
    batch: 1,
    flights: FLIGHTS,
    waiting: 20_000,
    run: (given) => Promise.all(given.map(holdBack)),
  });

  async function holdBack({ claim, event, personId }: Turn): Promise<Holding> {
    if (event.digest !== null && isGathered(claim)) {
      const { window_minutes: windowMinutes, most } = event.digest;
      const rules = { windowMinutes, most, templateVersion: event.version };
      const gathered = await gather(database, owner, claim, readable(event, claim), rules);
      if (gathered === null) return { kind: 'lost' };
      if (gathered.seed !== null) enqueuer.enqueue([gathered.seed]);
      return { kind: 'handed_over', reason: handedOverTo('digest', gathered.digestId) };
    }
    if (event.limit !== null) {
      const passing = { personId, eventType: event.name, notificationId: claim.notificationId };
      if (!(await mayPass(database, { ...passing, perHour: event.limit.per_hour })))
        return { kind: 'objected', objection: OFTEN_ENOUGH };
    }
    const { digest } = claim.notification;
    if (!digest) return { kind: 'pass' };
    const items = await closeWindow(database, claim);
    return { kind: 'pass', several: { items, count: items.length } };
  }

  return async (claim) => {
    if (tellsOfAlerts(claim.notification)) return alerts.holdBack(claim).catch(notNow);
    const { personId, eventType, digest } = claim.notification;
    const event = eventType === null ? undefined : catalogue.find(eventType);
    if (personId === null || event === undefined || claim.priority === 'critical') return { kind: 'pass' };
    if (event.digest === null && event.limit === null && !digest) return { kind: 'pass' };
    return turns.add({ claim, event, personId }).catch(notNow);
  };
}

/** The person has been told within the hour as often as may be. */
const OFTEN_ENOUGH: Objection = { state: 'suppressed', reason: 'hourly_limit' };

interface Turn {
  readonly claim: Claimed;
  readonly event: EventDefinition;
  readonly personId: string;
}

/** While the ledger is away nobody knows what it has taken in: whoever has the delivery when the lease is over finds out. */
function notNow(error: unknown): Holding {
  if (!isOutage(error) && !(error instanceof BatcherFull)) throw error;
  return { kind: 'lost' };
}

/** What has been tried by itself goes on by itself, and what expires cannot wait for others. */
function isGathered({ notification, attempts, expiresAt }: Claimed): boolean {
  return !notification.digest && attempts === 0 && expiresAt === null;
}

/** What the template may read of it, as it came: it is checked when it is rendered. */
function readable({ variables }: EventDefinition, { notification }: Claimed): Record<string, unknown> {
  const { context } = notification;
  return Object.fromEntries(
    Object.keys(variables.shape)
      .filter((name) => Object.hasOwn(context, name))
      .map((name) => [name, context[name]]),
  );
}
