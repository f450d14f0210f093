import type { SendRequest } from '../channels/requests.js';
import { newId } from '../domain/ids.js';
import { acceptWithin, type NewNotification } from '../ledger/accept.js';
import { loadAddressees } from '../ledger/addressees.js';
import type { Database, Statements } from '../ledger/database.js';
import {
  type Candidate,
  endChunk,
  endExpired,
  type HeldBroadcast,
  type Hold,
  holdBroadcast,
  isCrowded,
  nextPeople,
} from '../ledger/fan-out.js';
import { isOutage, isTransient } from '../ledger/outage.js';
import { retryTransient } from '../ledger/retry-transient.js';
import type { Enqueuer } from '../queue/enqueuer.js';
import type { Events } from '../service/events.js';
import { seedsOf } from './notifier.js';
import { decide, notificationFor } from './prepare.js';

export interface FanOutParts {
  readonly database: Database;
  readonly enqueuer: Enqueuer;
  readonly events: Events;
}

export interface FanOutBounds {
  /** People in one transaction. */
  readonly chunk: number;
  /** While so many deliveries of one of its queues are due, nobody is added to them. */
  readonly open: number;
}

/** What a chunk may write of texts and data, so that a large message makes small chunks. */
const CHUNK_CHARACTERS = 4_000_000;

/** What one step came to: more may be left, it is to be looked at again later, or nothing is left to be done. */
export type Step =
  | { readonly kind: 'told'; readonly people: number }
  | { readonly kind: 'later'; readonly waitMs: number }
  | { readonly kind: 'over' };

/** Another fan-out holds it: should that one die, this one goes on. */
const BUSY_MS = 500;
const CROWDED_MS = 150;

/**
 * Tells the next people of a broadcast: their notifications, their deliveries and the place up to which everybody has been told
 * are one commit, and the jobs come after it. So it can be killed at any instant and goes on where it was, and what it holds
 * in memory is one chunk. It waits while what it has handed out is not being sent as fast: the queues stay short, and whatever
 * is urgent passes.
 */
export async function fanOutStep(
  parts: FanOutParts,
  broadcastId: string,
  bounds: FanOutBounds,
): Promise<Step> {
  if (await isCrowded(parts.database, broadcastId, bounds.open)) return { kind: 'later', waitMs: CROWDED_MS };
  const written = await tellNext(parts, broadcastId, bounds.chunk);
  if (written.kind === 'busy') return { kind: 'later', waitMs: BUSY_MS };
  if (written.kind === 'early') return { kind: 'later', waitMs: written.waitMs };
  if (written.kind === 'over') return written;
  const { notifications, broadcast, through } = written;
  const seeds = notifications.flatMap(seedsOf);
  if (notifications.length > 0)
    parts.events.fannedOut({
      broadcastId,
      priority: broadcast.priority,
      people: notifications.length,
      deliveries: seeds.length,
    });
  // Waited for, so that no more is in memory than this; what cannot be queued now is found by the reconciler.
  await parts.enqueuer.enqueueNow(seeds);
  return through ? { kind: 'over' } : { kind: 'told', people: notifications.length };
}

type Written =
  | Exclude<Hold, { kind: 'held' }>
  | {
      readonly kind: 'written';
      readonly broadcast: HeldBroadcast;
      readonly notifications: readonly NewNotification[];
      readonly through: boolean;
    };

/**
 * A chunk that fails is taken in halves, until the one person is alone whose record it fails for. They get a notification
 * that has failed and says so, and nobody else is harmed.
 */
async function tellNext(parts: FanOutParts, id: string, limit: number): Promise<Written> {
  try {
    return await writeChunk(parts.database, id, limit, notificationTo);
  } catch (error) {
    if (isOutage(error) || isTransient(error)) throw error;
    if (limit > 1) return tellNext(parts, id, Math.ceil(limit / 2));
    const written = await writeChunk(parts.database, id, 1, brokenFor);
    if (written.kind === 'written')
      for (const { id: notificationId } of written.notifications)
        parts.events.brokenRecord({ broadcastId: id, notificationId, error });
    return written;
  }
}

type Write = (
  transaction: Statements,
  broadcast: HeldBroadcast,
  ids: readonly string[],
) => Promise<NewNotification[]>;

function writeChunk(database: Database, id: string, limit: number, make: Write): Promise<Written> {
  return retryTransient(() =>
    database.transaction(async (transaction): Promise<Written> => {
      const hold = await holdBroadcast(transaction, id);
      if (hold.kind !== 'held') return hold;
      const { broadcast } = hold;
      if (broadcast.expired) {
        await endExpired(transaction, id);
        return { kind: 'over' };
      }
      const most = Math.min(limit, Math.max(1, Math.floor(CHUNK_CHARACTERS / sizeOf(broadcast))));
      const next = await nextPeople(transaction, broadcast, most);
      const notifications = await make(transaction, broadcast, wantedOf(next));
      await acceptWithin(transaction, [{ requestId: newId(), notifications, answer: null }]);
      const through = next.length < most;
      await endChunk(transaction, id, {
        cursor: next.at(-1)?.id ?? null,
        told: notifications.length,
        through,
      });
      return { kind: 'written', broadcast, notifications, through };
    }),
  );
}

function sizeOf({ title, message, data }: HeldBroadcast): number {
  return JSON.stringify([title, message, data]).length;
}

function wantedOf(next: readonly Candidate[]): string[] {
  return next.filter(({ wanted }) => wanted).map(({ id }) => id);
}

const notificationTo: Write = async (transaction, broadcast, ids) => {
  const people = await loadAddressees(transaction, ids);
  return people.flatMap((person) => {
    // Erased since they were counted in.
    if (person === null) return [];
    const request = requestFor(broadcast, person.id);
    const decisions = decide(request, null, person);
    return [{ ...notificationFor(request, null, decisions, broadcast.caller), broadcastId: broadcast.id }];
  });
};

const brokenFor: Write = async (_transaction, broadcast, ids) =>
  ids.map((id) => ({
    ...notificationFor(requestFor(broadcast, id), null, [], broadcast.caller),
    reason: 'broken_record',
    broadcastId: broadcast.id,
  }));

/** To each of them it is as if they alone had been written to. */
function requestFor(broadcast: HeldBroadcast, personId: string): SendRequest {
  const { type, title, message, data, priority, channels, expiresAt } = broadcast;
  return {
    user_id: personId,
    type,
    title,
    message,
    data,
    priority,
    channels: [...channels],
    ...(expiresAt === null ? {} : { expires_at: expiresAt }),
  };
}
