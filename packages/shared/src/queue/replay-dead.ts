import type { DeliveryState } from '../domain/delivery-state.js';
import type { KeptAnswer } from '../ledger/accept.js';
import { type Actor, auditTargetOf, recordAudit } from '../ledger/audit.js';
import type { Database, Statements } from '../ledger/database.js';
import {
  type DeadLetterFilter,
  type Position,
  type ReplaySeed,
  replayDead,
  statesOf,
  walkDead,
} from '../ledger/dead-letters.js';
import { keepAnswer } from '../ledger/idempotency.js';
import { retryTransient } from '../ledger/retry-transient.js';
import { databaseNow } from '../ledger/waiting.js';
import type { Enqueuer } from './enqueuer.js';

/** Which dead letters are to be brought back, how fast, and by whom. */
export interface Replay {
  readonly actor: Actor;
  /** Single deliveries by their ids, or all that a filter fits at this moment. */
  readonly which: { readonly ids: readonly string[] } | { readonly filter: DeadLetterFilter };
  /** Deliveries per second, 1 to 1000. */
  readonly rate: number;
  /** The answer that is kept for a call with an `Idempotency-Key`, or null. */
  readonly answer: (result: ReplayResult) => KeptAnswer | null;
}

export interface ReplayResult {
  readonly replayed: number;
  /** Of the ids that were named, those that were not brought back. */
  readonly skipped: readonly Skipped[];
  /** When the last one is due; null when there was none. */
  readonly lastDueAt: Date | null;
  /** The filter fits more than one call brings back: the same call again goes on. */
  readonly more: boolean;
}

export interface Skipped {
  readonly id: string;
  readonly reason: 'not_found' | 'not_dead';
  /** What it is instead of dead; null when it was not found. */
  readonly state: DeliveryState | null;
}

/** `taken` when another call with the same key was first: its answer stands. */
export type ReplayOutcome =
  | { readonly kind: 'replayed'; readonly result: ReplayResult }
  | { readonly kind: 'taken' };

export interface ReplayParts {
  readonly database: Database;
  readonly enqueuer: Enqueuer;
}

/** How many are brought back in one transaction. */
const AT_ONCE = 1_000;
/** How many one call brings back at most, so that it ends in good time. */
const MOST = 100_000;
/** What is due further away than a day would have no job yet, so a slow replay takes fewer at once. */
const LONGEST_S = 80_000;

/** Brings dead letters back at a pace. Everything is in the ledger when it resolves: nothing has to stay alive to go on. */
export function replayDeadLetters(parts: ReplayParts, replay: Replay): Promise<ReplayOutcome> {
  const { which } = replay;
  return 'ids' in which
    ? replayIds(parts, replay, [...new Set(which.ids)])
    : replayFilter(parts, replay, which.filter);
}

class Taken extends Error {}

/** All in one transaction: the deliveries, the audit event and the answer. */
async function replayIds(
  { database, enqueuer }: ReplayParts,
  { actor, rate, answer }: Replay,
  ids: readonly string[],
): Promise<ReplayOutcome> {
  const act = async (transaction: Statements) => {
    const seeds = await replayDead(transaction, ids, { rate, after: null });
    const back = seeds.map((seed) => seed.deliveryId);
    const skipped = await explain(
      transaction,
      ids.filter((id) => !back.includes(id)),
    );
    const [only, ...others] = ids;
    await recordAudit(transaction, {
      actor,
      action: 'dead_letter.replay',
      target: others.length === 0 ? `delivery:${only}` : null,
      details: { replayed: back.length, skipped: skipped.length, rate, deliveries: back },
    });
    const result = { replayed: back.length, skipped, lastDueAt: lastDue(seeds), more: false };
    const kept = answer(result);
    if (kept !== null && !(await keepAnswer(transaction, kept))) throw new Taken();
    return { seeds, result };
  };
  try {
    const { seeds, result } = await retryTransient(() => database.transaction(act));
    await enqueuer.enqueueNow(seeds);
    return { kind: 'replayed', result };
  } catch (error) {
    if (error instanceof Taken) return { kind: 'taken' };
    throw error;
  }
}

async function explain(transaction: Statements, ids: readonly string[]): Promise<Skipped[]> {
  if (ids.length === 0) return [];
  const states = await statesOf(transaction, ids);
  return ids.map((id) => {
    const state = states.get(id) ?? null;
    return { id, reason: state === null ? 'not_found' : 'not_dead', state };
  });
}

/**
 * Part by part, each a transaction with an audit event of its own: what was replayed when a process dies was replayed,
 * and the same call again goes on with the rest. Only what is dead by now is taken, so nothing that fails again meanwhile
 * goes round in circles.
 */
async function replayFilter(
  { database, enqueuer }: ReplayParts,
  { actor, rate, answer }: Replay,
  given: DeadLetterFilter,
): Promise<ReplayOutcome> {
  const filter = { ...given, to: earlier(given.to, await databaseNow(database)) };
  const most = Math.min(MOST, rate * LONGEST_S);
  let [replayed, after, position, part]: [number, string | null, Position | null, number] = [
    0,
    null,
    null,
    0,
  ];
  for (let reachable = true; ; ) {
    part += 1;
    const act = async (transaction: Statements) => {
      const limit = Math.min(AT_ONCE, most - replayed);
      const page = await walkDead(transaction, filter, { after: position, limit, order: 'oldest first' });
      const seeds = await replayDead(transaction, page.ids, { rate, after });
      const total = replayed + seeds.length;
      const last = page.next === null || total >= most;
      if (seeds.length > 0 || last) {
        const filtered = await nameless(transaction, given, total);
        const details = { replayed: seeds.length, rate, part, filter: filtered };
        await recordAudit(transaction, { actor, action: 'dead_letter.replay', target: null, details });
      }
      const lastDueAt = lastDue(seeds) ?? (after === null ? null : new Date(after));
      const result = { replayed: total, skipped: [], lastDueAt, more: page.next !== null };
      const kept = last ? answer(result) : null;
      const taken = kept !== null && !(await keepAnswer(transaction, kept));
      return { seeds, next: page.next, last, taken, result };
    };
    const done = await retryTransient(() => database.transaction(act));
    // Without the engine the rows are enough: the reconciler gives them their jobs.
    if (reachable) reachable = await enqueuer.enqueueNow(done.seeds);
    if (done.last) return done.taken ? { kind: 'taken' } : { kind: 'replayed', result: done.result };
    replayed = done.result.replayed;
    position = done.next;
    after = done.seeds.at(-1)?.dueAt ?? after;
  }
}

/** The moment after `now`, which was cut to the millisecond, or an earlier one that was asked for. */
function earlier(asked: Date | undefined, now: Date): Date {
  const next = new Date(now.getTime() + 1);
  return asked !== undefined && asked < next ? asked : next;
}

/** A filter without what could be personal: the trail is never changed, not even for an erasure. */
async function nameless(transaction: Statements, filter: DeadLetterFilter, matched: number) {
  const { userId, search, eventType, provider, ...rest } = filter;
  return {
    ...rest,
    // What fits nothing may be anything that somebody typed.
    ...(matched > 0 ? { eventType, provider } : {}),
    ...(userId === undefined ? {} : { user: await auditTargetOf(transaction, userId) }),
    ...(search === undefined ? {} : { search: 'given' }),
  };
}

function lastDue(seeds: readonly ReplaySeed[]): Date | null {
  const last = seeds.at(-1);
  return last === undefined ? null : new Date(last.dueAt);
}
