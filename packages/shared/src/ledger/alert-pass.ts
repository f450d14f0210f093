import {
  type AlertLimit,
  freeAt,
  letPass,
  longestWindow,
  type PassBook,
  withoutOld,
} from '../domain/alert-limit.js';
import type { Channel, Priority } from '../domain/channel.js';
import { bundleAlerts, openAlertsOf } from './alert-bundles.js';
import type { Claimed } from './claim.js';
import type { Database, Statements } from './database.js';
import type { GatheredItem } from './gather.js';
import { retryTransient } from './retry-transient.js';
import type { JobSeed } from './waiting.js';

/** What becomes of a claimed delivery that tells of an alert. */
export type Passage =
  | { readonly kind: 'pass' }
  /** A bundle will tell of it; the ledger has it so already. */
  | { readonly kind: 'bundled'; readonly bundleId: string }
  /** Others of the same batch pass, and are not to wait for a bundle: ask again. */
  | { readonly kind: 'later' }
  /** Somebody else has the delivery by now, or the person is gone. */
  | { readonly kind: 'lost' };

/** One person on one channel, and how loud it is: what is quieter uses up nothing of what is louder. */
export interface PassOf {
  readonly personId: string;
  readonly channel: Channel;
  readonly priority: Priority;
}

/**
 * Lets deliveries of one person, channel and priority that tell of alerts pass, as `letPass` says, and puts the others into a bundle. It
 * is one transaction that holds the person's row for them: so of any number at once just as many pass as may, and what is
 * held back is in a bundle and has ended, or neither. Where some pass, nothing is bundled yet. The passages are in the order of
 * the claims; the seeds are the jobs that bundles need now.
 */
export function passAlerts(
  database: Database,
  owner: string,
  of: PassOf,
  claims: readonly Claimed[],
  limits: readonly AlertLimit[],
): Promise<{ readonly passages: readonly Passage[]; readonly seeds: readonly JobSeed[] }> {
  return retryTransient(() =>
    database.transaction(async (transaction) => {
      const held = await hold(transaction, of);
      if (held === null) return { passages: claims.map(() => ({ kind: 'lost' }) as const), seeds: [] };
      const asking = claims
        .map(({ notificationId, notification }) => ({
          notificationId,
          origin: notification.alert?.origin ?? '',
        }))
        // In the order in which they were made, so that it is the first of its origin that passes.
        .toSorted((one, other) => (one.notificationId < other.notificationId ? -1 : 1));
      const { now, bundleId: open } = held;
      const { book, passed } = letPass(held, asking, { limits, bundling: open !== null, now });
      if (passed.size > 0) {
        await write(transaction, of, book, open);
        const passages = claims.map(({ notificationId }) =>
          passed.has(notificationId) ? ({ kind: 'pass' } as const) : ({ kind: 'later' } as const),
        );
        return { passages, seeds: [] };
      }
      const bundle = await bundleAlerts(transaction, owner, claims, {
        ...of,
        open,
        dueAt: freeAt(limits, book, now),
      });
      if (bundle.bundleId !== open) await write(transaction, of, book, bundle.bundleId);
      const passages = claims.map((claim): Passage => {
        if (bundle.bundleId === null || !bundle.taken.has(claim.deliveryId)) return { kind: 'lost' };
        return { kind: 'bundled', bundleId: bundle.bundleId };
      });
      return { passages, seeds: bundle.seeds };
    }),
  );
}

/** What becomes of the claimed delivery of a bundle. */
export type Opening =
  /** It goes out, and tells of these: the first of them, and how many there are. */
  | { readonly kind: 'tell'; readonly items: readonly GatheredItem[]; readonly count: number }
  /** Others have used up what may pass: it is looked at again so much later. */
  | { readonly kind: 'early'; readonly waitMs: number }
  /** Nothing that it would tell of is open any more. */
  | { readonly kind: 'empty' }
  | { readonly kind: 'lost' };

/**
 * Ends a bundle that is about to be sent: who comes later begins the next one. It counts as one message, and waits until the
 * limits allow it; but what is held back is told once the longest window has gone by, whatever the first alerts of other origins
 * have used up. Twice is as once, with what is open then.
 */
export function openBundle(
  database: Database,
  of: PassOf,
  { notificationId, notification }: Pick<Claimed, 'notificationId' | 'notification'>,
  limits: readonly AlertLimit[],
): Promise<Opening> {
  return retryTransient(() =>
    database.transaction(async (transaction): Promise<Opening> => {
      const held = await hold(transaction, of);
      if (held === null) return { kind: 'lost' };
      const { now } = held;
      const book = withoutOld(held, limits, now);
      const rest = held.bundleId === notificationId ? null : held.bundleId;
      const told = await openAlertsOf(transaction, notificationId);
      if (told.count === 0) {
        await write(transaction, of, book, rest);
        return { kind: 'empty' };
      }
      const free = freeAt(limits, book, now);
      const waited = now - notification.createdAt.getTime() / 1_000;
      const longest = longestWindow(limits);
      const may = book.passes[notificationId] !== undefined || free <= now || waited >= longest;
      if (!may) return { kind: 'early', waitMs: Math.ceil(Math.min(free - now, longest - waited) * 1_000) };
      await write(transaction, of, { ...book, passes: { ...book.passes, [notificationId]: now } }, rest);
      return { kind: 'tell', ...told };
    }),
  );
}

interface Held extends PassBook {
  readonly bundleId: string | null;
  /** The clock once the row was held, in epoch seconds. */
  readonly now: number;
}

/** Who is being erased waits for this, or this finds them gone; an UPDATE of nothing is what takes the row. */
async function hold(transaction: Statements, { personId, channel, priority }: PassOf): Promise<Held | null> {
  const [row] = await transaction.rows<Held & Record<string, unknown>>(
    `WITH living AS MATERIALIZED (SELECT id FROM person WHERE id = $1 FOR KEY SHARE)
     INSERT INTO alert_pass AS held (person_id, channel, priority) SELECT id, $2, $3 FROM living
     ON CONFLICT (person_id, channel, priority) DO UPDATE SET passes = held.passes
     RETURNING passes, origins, bundle_id AS "bundleId", extract(epoch FROM clock_timestamp())::float8 AS now`,
    [personId, channel, priority],
  );
  return row ?? null;
}

async function write(
  transaction: Statements,
  { personId, channel, priority }: PassOf,
  { passes, origins }: PassBook,
  bundleId: string | null,
): Promise<void> {
  await transaction.rows(
    `UPDATE alert_pass SET passes = $4, origins = $5, bundle_id = $6
     WHERE person_id = $1 AND channel = $2 AND priority = $3`,
    [personId, channel, priority, JSON.stringify(passes), JSON.stringify(origins), bundleId],
  );
}
