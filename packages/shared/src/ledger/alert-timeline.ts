import type { AlertDoor, AlertEventKind } from '../domain/alert.js';
import type { Statements } from './database.js';

/** One line of an alert's timeline that is to be written. */
export interface NewAlertEvent {
  readonly kind: AlertEventKind;
  readonly actor?: string;
  readonly via?: AlertDoor;
  readonly step?: number;
  readonly personId?: string;
  readonly notificationId?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * Writes into the timeline of an alert whose row the transaction holds: its times are the clock's of that moment, so that what
 * stands later in the timeline was later.
 */
export async function recordAlertEvents(
  transaction: Statements,
  alertId: string,
  events: readonly NewAlertEvent[],
): Promise<void> {
  if (events.length === 0) return;
  await transaction.rows(
    `INSERT INTO alert_event (alert_id, kind, actor, via, step, person_id, notification_id, details)
     SELECT $1, kind, actor, via, step, "personId", "notificationId", coalesce(details, '{}')
     FROM ROWS FROM (json_to_recordset($2::json) AS (kind text, actor text, via text, step int, "personId" text,
       "notificationId" uuid, details jsonb)) WITH ORDINALITY AS e(kind, actor, via, step, "personId", "notificationId", details, n)
     ORDER BY n`,
    [alertId, JSON.stringify(events)],
  );
}

/** Counts a repetition in the one line that an alert has for them. */
export async function recordRepetition(
  transaction: Statements,
  alertId: string,
  message: string,
): Promise<void> {
  const changed = await transaction.rows(
    `UPDATE alert_event SET at = clock_timestamp(), details = jsonb_build_object(
       'times', coalesce((details->>'times')::int, 0) + 1, 'first_at', details->'first_at', 'message', $2::text)
     WHERE alert_id = $1 AND kind = 'repeated' RETURNING 1`,
    [alertId, message],
  );
  if (changed.length > 0) return;
  const details = { times: 1, first_at: new Date().toISOString(), message };
  await recordAlertEvents(transaction, alertId, [{ kind: 'repeated', details }]);
}
