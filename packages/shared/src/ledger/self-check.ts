import { type Acceptance, acceptWithin } from './accept.js';
import type { Database, Statements } from './database.js';
import { retryTransient } from './retry-transient.js';

/** A canary that has not arrived within this time is given up, in milliseconds. */
const CANARY_LIFE_MS = 3_600_000;
/** Canaries that are under way at most: of more the oldest are given up. */
const MOST_UNDER_WAY = 100;
/** After so many intervals without a canary something is wrong. */
const INTERVALS_MISSED = 3;

/** How late the escalation is. */
export interface Overdue {
  /** Open alerts whose next step should have been taken. */
  readonly alerts: number;
  /** How long ago the first of them was due, in seconds; 0 when there is none. */
  readonly oldestSeconds: number;
}

/** Counts the alerts whose next step is later than `lateMs`; by the index of those that are due. */
export async function measureOverdue(database: Database, lateMs: number): Promise<Overdue> {
  const [row] = await database.rows<Overdue & Record<string, unknown>>(
    `SELECT count(*)::int AS alerts, coalesce(extract(epoch FROM now() - min(due_at)), 0)::float8 AS "oldestSeconds"
     FROM alert WHERE status = 'open' AND due_at < now() - $1 * interval '1 millisecond'`,
    [lateMs],
  );
  return row ?? { alerts: 0, oldestSeconds: 0 };
}

/** How long nothing has arrived. */
export interface Silence {
  /** Since the last canary arrived, or since somebody began to look. */
  readonly seconds: number;
  /** True when that is more than three intervals. */
  readonly missing: boolean;
}

/** How long ago the last canary arrived; null while nobody has begun to look. */
export async function measureSilence(database: Database, intervalMs: number): Promise<Silence | null> {
  const [row] = await database.rows<{ seconds: number }>(
    `SELECT greatest(0, extract(epoch FROM now() - at))::float8 AS seconds FROM self_check WHERE name = 'canary'`,
  );
  if (row === undefined) return null;
  return { seconds: row.seconds, missing: row.seconds * 1_000 > INTERVALS_MISSED * intervalMs };
}

/**
 * Says that somebody looks. After a time in which nobody did, as when the whole fleet was off, the silence is counted from now:
 * nothing was sent that could have arrived.
 */
export async function keepWatch(database: Database, intervalMs: number): Promise<void> {
  await retryTransient(() =>
    database.rows(
      `WITH before AS MATERIALIZED (SELECT at FROM self_check WHERE name = 'watch'), watch AS (
         INSERT INTO self_check (name, at) VALUES ('watch', now()) ON CONFLICT (name) DO UPDATE SET at = now()
       )
       INSERT INTO self_check (name, at) SELECT 'canary', now()
       WHERE NOT EXISTS (SELECT 1 FROM before WHERE at > now() - ${INTERVALS_MISSED} * $1 * interval '1 millisecond')
       ON CONFLICT (name) DO UPDATE SET at = now()`,
      [intervalMs],
    ),
  );
}

/** Writes a canary down, the way everything is accepted. */
export function writeCanary(database: Database, canary: Acceptance): Promise<void> {
  return retryTransient(() =>
    database.transaction(async (transaction) => {
      const underWay = await holdUnderWay(transaction);
      const givenUp = underWay.slice(0, Math.max(0, underWay.length + 1 - MOST_UNDER_WAY));
      await acceptWithin(transaction, [canary]);
      const ids = [...underWay.slice(givenUp.length), ...canary.notifications.map(({ id }) => id)];
      await remove(transaction, givenUp);
      await saveUnderWay(transaction, ids);
    }),
  );
}

/** Takes in the canaries that have arrived, and says how many; removes those, and what will not arrive any more. */
export function collectCanaries(database: Database): Promise<number> {
  return retryTransient(() =>
    database.transaction(async (transaction) => {
      const underWay = await holdUnderWay(transaction);
      if (underWay.length === 0) return 0;
      const found = await transaction.rows<{ id: string; status: string; sent: boolean; old: boolean }>(
        `SELECT id, status, status = 'SENT' AS sent, created_at < now() - $2 * interval '1 millisecond' AS old
         FROM notification WHERE id = ANY($1::uuid[]) ORDER BY id`,
        [underWay, CANARY_LIFE_MS],
      );
      const over = found.filter(({ status, old }) => status !== 'PENDING' || old).map(({ id }) => id);
      const arrived = found.filter(({ sent }) => sent).map(({ id }) => id);
      await transaction.rows(
        `UPDATE self_check SET at = greatest(at, (SELECT max(sent_at) FROM notification WHERE id = ANY($1::uuid[])))
         WHERE name = 'canary'`,
        [arrived],
      );
      await remove(transaction, over);
      const left = found.map(({ id }) => id).filter((id) => !over.includes(id));
      if (left.length < underWay.length) await saveUnderWay(transaction, left);
      return arrived.length;
    }),
  );
}

/** The canaries that are under way. Whoever asks is alone with them until the transaction ends. */
async function holdUnderWay(transaction: Statements): Promise<string[]> {
  const [row] = await transaction.rows<{ ids: string[] | null }>(
    `SELECT details->'under_way' AS ids FROM self_check WHERE name = 'canary' FOR UPDATE`,
  );
  return row?.ids ?? [];
}

async function saveUnderWay(transaction: Statements, ids: readonly string[]): Promise<void> {
  await transaction.rows(
    `UPDATE self_check SET details = jsonb_build_object('under_way', $1::jsonb) WHERE name = 'canary'`,
    [JSON.stringify(ids)],
  );
}

/** With its delivery; a worker that has it in hand records nothing then. */
async function remove(transaction: Statements, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await transaction.rows('DELETE FROM notification WHERE id = ANY($1::uuid[]) AND canary', [ids]);
}

/** What may be wrong with the fleet itself, each until it is well again. */
export const INCIDENTS = ['alerts_overdue', 'canary_missing'] as const;
export type Incident = (typeof INCIDENTS)[number];

/**
 * Takes down that something is wrong, and says whether it is to be told now: once for as long as it lasts, and of one that comes
 * and goes once in `everyMs`. In the transaction that writes what tells of it.
 */
export async function beginIncident(
  transaction: Statements,
  incident: Incident,
  everyMs: number,
): Promise<boolean> {
  const rows = await transaction.rows(
    `INSERT INTO self_check AS known (name, at, details) VALUES ($1, now(), '{"open": true}')
     ON CONFLICT (name) DO UPDATE SET at = now(), details = excluded.details
     WHERE known.details->>'open' = 'false' AND known.at <= now() - $2 * interval '1 millisecond' RETURNING 1`,
    [incident, everyMs],
  );
  return rows.length > 0;
}

/** Takes down that these are well. */
export async function endIncidents(database: Database, incidents: readonly Incident[]): Promise<void> {
  await database.rows(
    `UPDATE self_check SET details = '{"open": false}' WHERE name = ANY($1::text[]) AND details->>'open' = 'true'`,
    [incidents],
  );
}
