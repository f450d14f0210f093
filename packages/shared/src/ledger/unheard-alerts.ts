import { ALERT_LEVELS } from '../domain/alert.js';
import { ALERT, type AlertRow } from './alerts.js';
import type { Database, Statements } from './database.js';

/**
 * Keeps whether whoever was to be told last was nobody, in the transaction that holds the alert and tells. Of an alert that is
 * more than an information the operator is to be told then; no more, once somebody was found before that.
 */
export async function keepUntold(transaction: Statements, alertId: string, untold: boolean): Promise<void> {
  await transaction.rows(`UPDATE alert SET untold = $2, unmailed = $2 AND level <> 'info' WHERE id = $1`, [
    alertId,
    untold,
  ]);
}

/** How many open alerts told nobody when they were to tell somebody last; by an index of those alone. */
export async function countUntold(database: Database): Promise<number> {
  const [row] = await database.rows<{ untold: number }>(
    `SELECT count(*)::int AS untold FROM alert WHERE status = 'open' AND untold`,
  );
  return row?.untold ?? 0;
}

/** Alerts that the operator is to be told of. */
export interface UnheardAlerts {
  /** The first of them, the loudest first and of those the oldest; at least one. */
  readonly alerts: readonly AlertRow[];
  readonly total: number;
}

/** In `upkeep`, when the last mail was written. */
const TASK = 'alert-mail';
/** A mail names no more. */
const MOST_NAMED = 20;

/**
 * The open alerts that the operator has not been told of, if the last mail is `everyMs` ago; null when there is nothing to
 * write. In the caller's transaction, which has to write the mail: until its end no other can take the same turn, and whoever
 * comes meanwhile waits for nothing and leaves its alert to the next mail. So it is with an alert that somebody else holds.
 */
export async function takeUnmailed(transaction: Statements, everyMs: number): Promise<UnheardAlerts | null> {
  await transaction.rows(
    `INSERT INTO upkeep (task, ran_at) VALUES ('${TASK}', to_timestamp(0)) ON CONFLICT DO NOTHING`,
  );
  const turn = await transaction.rows(
    `SELECT 1 FROM upkeep WHERE task = '${TASK}' AND ran_at <= clock_timestamp() - $1 * interval '1 millisecond'
     FOR UPDATE SKIP LOCKED`,
    [everyMs],
  );
  if (turn.length === 0) return null;
  const rows = await transaction.rows<AlertRow & { total: number }>(TAKE);
  if (rows.length === 0) return null;
  await transaction.rows(`UPDATE upkeep SET ran_at = clock_timestamp() WHERE task = '${TASK}'`);
  return { alerts: rows.map(({ total: _, ...alert }) => alert), total: rows[0]?.total ?? 0 };
}

const TAKE = `
WITH unmailed AS MATERIALIZED (
  SELECT id FROM alert WHERE status = 'open' AND unmailed ORDER BY id FOR UPDATE SKIP LOCKED
), taken AS (
  UPDATE alert a SET unmailed = false FROM unmailed u WHERE a.id = u.id RETURNING a.*
)
SELECT ${ALERT}, count(*) OVER ()::int AS total FROM taken
ORDER BY array_position('{${ALERT_LEVELS}}'::text[], level), id LIMIT ${MOST_NAMED}`;
