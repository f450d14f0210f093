import type { AlertContent, AlertDoor, AlertStatus, AlertVerb, EscalationPolicy } from '../domain/alert.js';
import { recordAlertEvents, recordRepetition } from './alert-timeline.js';
import type { Database, Statements } from './database.js';
import { retryTransient } from './retry-transient.js';
import type { alert } from './schema.js';
import { isWaiting } from './states.js';

export type AlertRow = typeof alert.$inferSelect;

/** The columns of an alert as its `AlertRow`. */
export const ALERT = `id, code, type, level, severity, message, source, affected_systems AS "affectedSystems", details,
  dedup_key AS "dedupKey", caller, status, count, policy, steps, due_at AS "dueAt", untold, exhausted, unmailed, opened_at AS "openedAt",
  last_at AS "lastAt", acknowledged_at AS "acknowledgedAt", acknowledged_by AS "acknowledgedBy",
  acknowledged_via AS "acknowledgedVia", resolved_at AS "resolvedAt", resolved_by AS "resolvedBy",
  resolved_via AS "resolvedVia"`;

/** An alert that is to be opened. */
export interface NewAlert extends AlertContent {
  readonly id: string;
  readonly caller: string;
  readonly policy: EscalationPolicy | null;
  /** The name of the policy that was asked for, when one was. */
  readonly askedPolicy: string | null;
  /** Milliseconds until the first step of the policy; null when there is none. */
  readonly firstStepMs: number | null;
}

/** The alert, and whether it was opened by this call or had been open and was raised once more. */
export interface OpenedAlert {
  readonly alert: AlertRow;
  readonly opened: boolean;
}

/**
 * Opens an alert, or counts one more for the one that is not resolved and has the same key: of two at the same moment one waits
 * for the other. Its row is held until the transaction ends.
 */
export async function openAlert(transaction: Statements, one: NewAlert): Promise<OpenedAlert> {
  const { alert, opened } = (await countAgain(transaction, one)) ?? (await insert(transaction, one));
  if (opened) {
    const details = policyDetails(alert, one);
    await recordAlertEvents(transaction, alert.id, [{ kind: 'opened', actor: one.caller, details }]);
  } else await recordRepetition(transaction, alert.id, one.message);
  return { alert, opened };
}

/** Which policy it follows, and which one it asked for that was not there. */
function policyDetails({ policy }: AlertRow, { askedPolicy }: NewAlert): Record<string, unknown> {
  if (policy === null) return {};
  const missing = askedPolicy === null || askedPolicy === policy.name ? {} : { missing_policy: askedPolicy };
  return { policy: policy.name, ...missing };
}

/** First, so that a repetition does not use up one of the codes. */
async function countAgain(transaction: Statements, { dedupKey }: NewAlert): Promise<OpenedAlert | null> {
  if (dedupKey === null) return null;
  const [alert] = await transaction.rows<AlertRow>(
    `UPDATE alert SET count = count + 1, last_at = clock_timestamp()
     WHERE dedup_key = $1 AND status <> 'resolved' RETURNING ${ALERT}`,
    [dedupKey],
  );
  return alert === undefined ? null : { alert, opened: false };
}

async function insert(transaction: Statements, one: NewAlert): Promise<OpenedAlert> {
  const [row] = await transaction.rows<AlertRow & { opened: boolean }>(OPEN, [
    one.id,
    one.type,
    one.level,
    one.severity,
    one.message,
    one.source,
    one.affectedSystems,
    JSON.stringify(one.details),
    one.dedupKey,
    one.caller,
    one.policy === null ? null : JSON.stringify(one.policy),
    one.firstStepMs,
  ]);
  if (row === undefined) throw new Error('A statement without a row.');
  const { opened, ...alert } = row;
  return { alert, opened };
}

/* A row that is new has never been locked or changed, so its xmax is 0. */
const OPEN = `
INSERT INTO alert AS a (id, type, level, severity, message, source, affected_systems, details, dedup_key, caller, policy,
  due_at, opened_at, last_at)
SELECT $1::uuid, $2, $3, $4, $5, $6, $7::text[], $8::jsonb, $9, $10, $11::jsonb,
  clock_timestamp() + $12::float8 * interval '1 millisecond', clock_timestamp(), clock_timestamp()
ON CONFLICT (dedup_key) WHERE status <> 'resolved' AND dedup_key IS NOT NULL
DO UPDATE SET count = a.count + 1, last_at = clock_timestamp()
RETURNING ${ALERT}, xmax = 0 AS opened`;

/** Who moves an alert, and through which door. */
export interface AlertActor {
  /** A person's id, the subject of a token, or the name of a source. */
  readonly name: string;
  readonly via: AlertDoor;
}

/** What came of it: the alert as it is now, and whether this is what moved it. */
export interface AlertMove {
  readonly alert: AlertRow;
  readonly moved: boolean;
}

/**
 * Acknowledges an alert: from this moment no step of its escalation is taken. Or ends it, acknowledged or not: one that is raised
 * later with the same key is another alert. What was to tell of it and has not left yet is called off, in the same commit. Doing
 * it again changes nothing: the first one stands. Null for an unknown alert.
 */
export function moveAlertRow(
  database: Database,
  verb: AlertVerb,
  id: string,
  actor: AlertActor,
): Promise<AlertMove | null> {
  return retryTransient(() =>
    database.transaction((transaction) => moveAlertWithin(transaction, verb, id, actor)),
  );
}

/** The same in a transaction of the caller's. */
export async function moveAlertWithin(
  transaction: Statements,
  verb: AlertVerb,
  id: string,
  actor: AlertActor,
): Promise<AlertMove | null> {
  const { to, statement } = MOVES[verb];
  const alert = await holdAlert(transaction, id);
  if (alert === null) return null;
  const [moved] = await transaction.rows<AlertRow>(statement, [id, actor.name, actor.via]);
  if (moved === undefined) return { alert, moved: false };
  await recordAlertEvents(transaction, id, [{ kind: to, actor: actor.name, via: actor.via }]);
  await callOffPages(transaction, id, to);
  return { alert: moved, moved: true };
}

/** Takes the row of an alert until the transaction ends: nobody acknowledges, resolves or escalates it meanwhile. */
async function holdAlert(transaction: Statements, id: string): Promise<AlertRow | null> {
  const [row] = await transaction.rows<AlertRow>(`SELECT ${ALERT} FROM alert WHERE id = $1 FOR UPDATE`, [id]);
  return row ?? null;
}

/* The row is held by now, so the clock says a time after every step that was taken. */
const ACKNOWLEDGE = `
UPDATE alert SET status = 'acknowledged', due_at = NULL, acknowledged_at = clock_timestamp(), acknowledged_by = $2,
  acknowledged_via = $3
WHERE id = $1 AND status = 'open' RETURNING ${ALERT}`;

const RESOLVE = `
UPDATE alert SET status = 'resolved', due_at = NULL, resolved_at = clock_timestamp(), resolved_by = $2, resolved_via = $3
WHERE id = $1 AND status <> 'resolved' RETURNING ${ALERT}`;

const MOVES = {
  acknowledge: { to: 'acknowledged', statement: ACKNOWLEDGE },
  resolve: { to: 'resolved', statement: RESOLVE },
} as const satisfies Record<AlertVerb, { to: AlertStatus; statement: string }>;

async function callOffPages(transaction: Statements, id: string, why: AlertStatus): Promise<void> {
  await transaction.rows(
    `WITH waiting AS MATERIALIZED (
       SELECT d.id FROM notification n JOIN delivery d ON d.notification_id = n.id
       WHERE n.alert_id = $1 AND ${isWaiting('d.state')} ORDER BY d.id FOR UPDATE OF d
     )
     UPDATE delivery d SET state = 'cancelled', reason = 'alert_' || $2::text, updated_at = now()
     FROM waiting WHERE d.id = waiting.id AND ${isWaiting('d.state')}`,
    [id, why],
  );
}

/** The alert that is not resolved and has this key; null when there is none. */
export async function findByDedupKey(database: Statements, dedupKey: string): Promise<AlertRow | null> {
  const [row] = await database.rows<AlertRow>(
    `SELECT ${ALERT} FROM alert WHERE dedup_key = $1 AND status <> 'resolved'`,
    [dedupKey],
  );
  return row ?? null;
}
