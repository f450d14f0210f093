import type { Channel, Priority } from '../domain/channel.js';
import type { Database, Statements } from './database.js';
import { retryTransient } from './retry-transient.js';
import { isOpen } from './states.js';

/** What a queue needs to know of a delivery to make its job. */
export interface JobSeed {
  readonly deliveryId: string;
  readonly notificationId: string;
  readonly channel: Channel;
  readonly priority: Priority;
  readonly generation: number;
  /** 0 when it is due. */
  readonly delayMs: number;
}

/** Schedules further away than this have no job yet; they stay in SQL until they come near. */
export const ALARM_HORIZON_MS = 24 * 60 * 60 * 1000;

/*
 * A row that owes somebody a job: it waits for a worker, or its worker let the lease lapse. `$1` is the grace in
 * milliseconds for rows that were touched just now, whose job may be on its way. `isOpen` says nothing new: it names the
 * index that holds the open rows alone, so that no statement here grows with what is long over.
 */
const OWED = `${isOpen('state')} AND CASE
  WHEN state = 'sending' THEN lease_until < now() - $1 * interval '1 millisecond'
  ELSE (state <> 'scheduled' OR due_at < now() + interval '24 hours') AND updated_at < now() - $1 * interval '1 millisecond'
END`;

/** The columns of a delivery as its `JobSeed`. */
export const SEED = `id AS "deliveryId", notification_id AS "notificationId", channel, priority, generation,
  greatest(0, extract(epoch FROM due_at - now()) * 1000)::float8 AS "delayMs"`;

/** How many rows of a channel and priority there are for which a job must exist. */
export interface OpenCount {
  readonly channel: Channel;
  readonly priority: Priority;
  /** All of them, also those in a worker's hands and those touched just now. */
  readonly open: number;
  /** Those that have been left alone for the grace and are in nobody's hands. */
  readonly owed: number;
}

/** Counts the open rows, for each channel and priority that has any. */
export function countOpen(database: Database, graceMs: number): Promise<OpenCount[]> {
  return database.rows<OpenCount & Record<string, unknown>>(
    `SELECT channel, priority, count(*)::int AS open, count(*) FILTER (WHERE ${OWED})::int AS owed FROM delivery
     WHERE ${isOpen('state')} AND (state <> 'scheduled' OR due_at < now() + interval '24 hours')
     GROUP BY channel, priority`,
    [graceMs],
  );
}

/** A page of the rows that owe a job, in the order of their ids, after `afterId`. */
export function pageOfOwed(
  database: Database,
  page: { channel: Channel; priority: Priority; graceMs: number; afterId: string; limit: number },
): Promise<JobSeed[]> {
  return database.rows(
    `SELECT ${SEED} FROM delivery
     WHERE ${OWED} AND channel = $2 AND priority = $3 AND id > $4 ORDER BY id LIMIT $5`,
    [page.graceMs, page.channel, page.priority, page.afterId, page.limit],
  );
}

/** The oldest rows of a queue that owe a job and are due. */
export function oldestDue(
  database: Database,
  where: { channel: Channel; priority: Priority; graceMs: number; limit: number },
): Promise<JobSeed[]> {
  return database.rows(
    `SELECT ${SEED} FROM delivery
     WHERE ${OWED} AND channel = $2 AND priority = $3 AND due_at < now() - $1 * interval '1 millisecond'
     ORDER BY id LIMIT $4`,
    [where.graceMs, where.channel, where.priority, where.limit],
  );
}

/**
 * Gives rows that lost their job the next generation, so that the new job has a name that was never used. A row that
 * moved on in the meantime, or that another process renewed first, is left out of the answer.
 */
export function renewGenerations(database: Database, seeds: readonly JobSeed[]): Promise<JobSeed[]> {
  return retryTransient(() =>
    database.rows<JobSeed & Record<string, unknown>>(
      `UPDATE delivery d SET generation = d.generation + 1, updated_at = now()
       FROM (SELECT d.id FROM delivery d JOIN unnest($1::uuid[], $2::int[]) AS s(id, generation) USING (id)
         WHERE d.generation = s.generation AND ${isOpen('d.state')}
         ORDER BY d.id FOR UPDATE OF d) AS mine
       WHERE d.id = mine.id
       RETURNING d.id AS "deliveryId", d.notification_id AS "notificationId", d.channel, d.priority, d.generation,
         greatest(0, extract(epoch FROM d.due_at - now()) * 1000)::float8 AS "delayMs"`,
      [seeds.map((seed) => seed.deliveryId), seeds.map((seed) => seed.generation)],
    ),
  );
}

/** Rounds of attempts that a delivery gets before it is given up for good. */
export const MAX_ROUNDS = 3;

/** Schedules that have come within the horizon and never had a job. */
export function unalarmed(database: Database, limit: number): Promise<JobSeed[]> {
  return database.rows(
    `SELECT ${SEED} FROM delivery
     WHERE state = 'scheduled' AND generation = 0 AND due_at < now() + interval '24 hours' ORDER BY due_at LIMIT $1`,
    [limit],
  );
}

/** The database's clock, for statements that must not see what happens after them. */
export async function databaseNow(database: Database): Promise<Date> {
  const [row] = await database.rows<{ now: Date }>('SELECT now()');
  if (row === undefined) throw new Error('The database does not know the time.');
  return row.now;
}

/**
 * Begins anew what failed and may still work: deliveries between two attempts are due now, and those whose attempts
 * were used up begin their next round, up to `MAX_ROUNDS`. What was rejected is never touched, and what a provider asked
 * to be spared from, or our own limit for it put off, waits for its time.
 *
 * @param before only what has not been touched since: called lap after lap, it takes nothing twice that fails again.
 * @param includeWaiting also bring forward deliveries whose next attempt has a time already; a sweep leaves them alone.
 */
export function beginRetries(
  database: Statements,
  options: { before?: Date; includeWaiting: boolean; limit: number },
): Promise<JobSeed[]> {
  return database.rows<JobSeed & Record<string, unknown>>(
    `UPDATE delivery d SET state = 'queued', due_at = now(), updated_at = now(), generation = d.generation + 1,
         round = d.round + (d.state = 'dead')::int, retryable = false, round_at = NULL,
         failure = NULL, dead_at = NULL,
         attempts = CASE WHEN d.state = 'dead' THEN 0 ELSE d.attempts END
       FROM (SELECT id FROM delivery
         WHERE ($3::timestamptz IS NULL OR updated_at <= $3) AND (expires_at IS NULL OR expires_at > now())
           AND ((state = 'dead' AND retryable AND round < ${MAX_ROUNDS})
             OR ($1 AND state = 'retrying' AND coalesce(reason, '') NOT IN ('throttled', 'paced')))
         ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED) AS failed
       WHERE d.id = failed.id
       RETURNING d.id AS "deliveryId", d.notification_id AS "notificationId", d.channel, d.priority, d.generation,
         0::float8 AS "delayMs"`,
    [options.includeWaiting, options.limit, options.before ?? null],
  );
}

/** Those of these tasks that nobody has taken the turn of within their interval. Nothing is written. */
export async function dueTasks(
  database: Database,
  tasks: readonly { readonly task: string; readonly everyMs: number }[],
): Promise<Set<string>> {
  const rows = await database.rows<{ task: string }>(
    `SELECT task FROM unnest($1::text[], $2::float8[]) AS asked(task, every) LEFT JOIN upkeep USING (task)
     WHERE ran_at IS NULL OR ran_at <= now() - every * interval '1 millisecond'`,
    [tasks.map(({ task }) => task), tasks.map(({ everyMs }) => everyMs)],
  );
  return new Set(rows.map(({ task }) => task));
}

/** True for the one process of the fleet whose turn it is to run `task`: at most once per `intervalMs`. */
export async function takeTurn(database: Database, task: string, intervalMs: number): Promise<boolean> {
  const rows = await database.rows(
    `INSERT INTO upkeep (task, ran_at) VALUES ($1, now())
     ON CONFLICT (task) DO UPDATE SET ran_at = now()
     WHERE upkeep.ran_at <= now() - $2 * interval '1 millisecond'
     RETURNING task`,
    [task, intervalMs],
  );
  return rows.length > 0;
}

/** Answers with a key are kept for 24 hours; removes at most `limit` older ones and says how many. */
export async function forgetOldKeys(database: Database, limit: number): Promise<number> {
  const rows = await database.rows(
    `DELETE FROM idempotency_key WHERE (caller, key) IN (
       SELECT caller, key FROM idempotency_key WHERE created_at < now() - interval '24 hours' LIMIT $1)
     RETURNING 1`,
    [limit],
  );
  return rows.length;
}
