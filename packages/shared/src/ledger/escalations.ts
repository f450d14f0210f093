import { ALERT, type AlertRow } from './alerts.js';
import type { Database, Statements } from './database.js';

/** When a step of an alert's escalation is to be taken. */
export interface Alarm {
  readonly alertId: string;
  /** From 1 on. */
  readonly step: number;
  /** Milliseconds from now on; 0 when it is due. */
  readonly delayMs: number;
}

/** What is found of an alert whose step is to be taken. */
export type DueAlert =
  /** Its row is held: nobody acknowledges, resolves or escalates it before the transaction ends. */
  | { readonly kind: 'due'; readonly alert: AlertRow; readonly lateMs: number }
  | { readonly kind: 'early'; readonly waitMs: number }
  /** Nobody waits for a step, this one has been taken, or somebody else is about to. */
  | { readonly kind: 'over' };

/**
 * Takes the row of an alert to go a step on, and says whether it is time to: by the database's clock, once the row is held.
 *
 * @param step the step that is expected to be the next one; null for whichever it is.
 */
export async function holdDueAlert(
  transaction: Statements,
  alertId: string,
  step: number | null,
): Promise<DueAlert> {
  const [held] = await transaction.rows<HeldAlert>(
    holding(`id = $1 AND status = 'open' AND due_at IS NOT NULL FOR UPDATE`),
    [alertId],
  );
  if (held === undefined || (step !== null && held.steps >= step)) return { kind: 'over' };
  return dueOrEarly(held);
}

/**
 * The same with whichever alert has waited the longest beyond its time, and for at least `graceMs`. One that somebody holds is
 * left to them.
 *
 * @param except alerts that are left alone.
 */
export async function holdOverdueAlert(
  transaction: Statements,
  graceMs: number,
  except: readonly string[],
): Promise<DueAlert> {
  const [held] = await transaction.rows<HeldAlert>(
    holding(`status = 'open' AND due_at < clock_timestamp() - $1 * interval '1 millisecond' AND id <> ALL($2::uuid[])
     ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED`),
    [graceMs, except],
  );
  return held === undefined ? { kind: 'over' } : dueOrEarly(held);
}

type HeldAlert = AlertRow & { readonly waitMs: number };

/** The clock is read in the outer query: what stands beside FOR UPDATE is worked out before the row is held. */
function holding(which: string): string {
  return `WITH held AS MATERIALIZED (SELECT ${ALERT} FROM alert WHERE ${which})
    SELECT *, (extract(epoch FROM "dueAt" - clock_timestamp()) * 1000)::float8 AS "waitMs" FROM held`;
}

function dueOrEarly({ waitMs, ...alert }: HeldAlert): DueAlert {
  return waitMs > 0 ? { kind: 'early', waitMs } : { kind: 'due', alert, lateMs: -waitMs };
}

/**
 * Counts a step as taken, in the transaction that holds the alert and has written what it tells, and sets the next one: by the
 * clock of now, so that after one that came late the others do not come all at once. After the last one of an alert that is more
 * than an information the operator is to be told.
 *
 * @param nextMs milliseconds until the next step; null after the last one.
 */
export async function endStep(
  transaction: Statements,
  alertId: string,
  nextMs: number | null,
): Promise<void> {
  await transaction.rows(
    `UPDATE alert SET steps = steps + 1, due_at = clock_timestamp() + $2::float8 * interval '1 millisecond',
       exhausted = $2 IS NULL, unmailed = unmailed OR ($2 IS NULL AND level <> 'info') WHERE id = $1`,
    [alertId, nextMs],
  );
}

/* The steps that are due, or will be within the next day. */
const AWAITED = `status = 'open' AND due_at IS NOT NULL AND due_at < now() + interval '24 hours'`;

/** How many steps are due, or will be within the next day. */
export async function countAlarms(database: Database): Promise<number> {
  const [row] = await database.rows<{ steps: number }>(
    `SELECT count(*)::int AS steps FROM alert WHERE ${AWAITED}`,
  );
  return row?.steps ?? 0;
}

/** Where a page of alarms ended. */
export interface AlarmPlace {
  readonly dueAt: string;
  readonly alertId: string;
}

/** A page of the steps that are due, or will be within the next day, the first first. */
export async function pageOfAlarms(
  database: Database,
  after: AlarmPlace | null,
  limit: number,
): Promise<{ readonly alarms: Alarm[]; readonly last: AlarmPlace | null }> {
  const alarms = await database.rows<Alarm & AlarmPlace & Record<string, unknown>>(
    `SELECT id AS "alertId", steps + 1 AS step, due_at::text AS "dueAt",
       greatest(0, extract(epoch FROM due_at - now()) * 1000)::float8 AS "delayMs"
     FROM alert WHERE ${AWAITED}
       AND ($1::text IS NULL OR (due_at, id) > ($1::timestamptz, $2::uuid))
     ORDER BY due_at, id LIMIT $3`,
    [after?.dueAt ?? null, after?.alertId ?? null, limit],
  );
  return { alarms, last: alarms.length < limit ? null : (alarms.at(-1) ?? null) };
}

/** Whether there is an alert with a step that was due `graceMs` ago and has not been taken. */
export async function isAnyOverdue(database: Database, graceMs: number): Promise<boolean> {
  const rows = await database.rows(
    `SELECT 1 FROM alert WHERE status = 'open' AND due_at < now() - $1 * interval '1 millisecond' LIMIT 1`,
    [graceMs],
  );
  return rows.length > 0;
}
