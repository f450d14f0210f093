import { ALERT_LEVELS, type AlertLevel } from '../domain/alert.js';
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

/** Open alerts that go unheard. */
export interface Unheard {
  /** Nobody was told when somebody was to be told last. */
  readonly untold: number;
  /** Critical ones whose escalation has come to its end. */
  readonly exhausted: number;
}

/** How many alerts go unheard; by an index of those alone. */
export async function countUnheard(database: Database): Promise<Unheard> {
  const [row] = await database.rows<Unheard & Record<string, unknown>>(
    `SELECT count(*) FILTER (WHERE untold)::int AS untold,
       count(*) FILTER (WHERE exhausted AND level = 'critical')::int AS exhausted
     FROM alert WHERE status = 'open' AND (untold OR exhausted)`,
  );
  return row ?? { untold: 0, exhausted: 0 };
}

/** How many alerts are open, by their level. */
export async function countOpen(database: Database): Promise<Readonly<Record<AlertLevel, number>>> {
  const rows = await database.rows<{ level: AlertLevel; open: number }>(
    `SELECT level, count(*)::int AS open FROM alert WHERE status = 'open' GROUP BY level`,
  );
  const open = { critical: 0, warning: 0, info: 0 };
  for (const row of rows) open[row.level] = row.open;
  return open;
}

/** Alerts that the operator is to be told of. */
export interface UnheardAlerts {
  /** The first of them, the loudest first and of those the oldest; at least one. */
  readonly alerts: readonly AlertRow[];
  readonly total: number;
  /** Of all of them nobody was told; otherwise some were told of in vain. */
  readonly untold: boolean;
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
  const rows = await transaction.rows<AlertRow & Tally>(TAKE);
  const [first] = rows;
  if (first === undefined) return null;
  await transaction.rows(`UPDATE upkeep SET ran_at = clock_timestamp() WHERE task = '${TASK}'`);
  const { total, allUntold } = first;
  return { alerts: rows.map(({ total: _, allUntold: __, ...alert }) => alert), total, untold: allUntold };
}

interface Tally {
  readonly total: number;
  readonly allUntold: boolean;
}

const TAKE = `
WITH unmailed AS MATERIALIZED (
  SELECT id FROM alert WHERE status = 'open' AND unmailed ORDER BY id FOR UPDATE SKIP LOCKED
), taken AS (
  UPDATE alert a SET unmailed = false FROM unmailed u WHERE a.id = u.id RETURNING a.*
)
SELECT ${ALERT}, count(*) OVER ()::int AS total, bool_and(untold) OVER () AS "allUntold" FROM taken
ORDER BY array_position('{${ALERT_LEVELS}}'::text[], level), id LIMIT ${MOST_NAMED}`;
