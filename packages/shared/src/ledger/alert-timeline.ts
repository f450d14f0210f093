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

/** Counts a repetition in the one line that an alert has for them, which moves to the end of its timeline. */
export async function recordRepetition(
  transaction: Statements,
  alertId: string,
  message: string,
): Promise<void> {
  await transaction.rows(
    `WITH earlier AS (DELETE FROM alert_event WHERE alert_id = $1 AND kind = 'repeated' RETURNING details)
     INSERT INTO alert_event (alert_id, kind, details)
     SELECT $1, 'repeated', jsonb_build_object('times', coalesce((details->>'times')::int, 0) + 1,
       'first_at', coalesce(details->'first_at', ${NOW}), 'message', $2::text)
     FROM (SELECT 1) AS one LEFT JOIN earlier ON true`,
    [alertId, message],
  );
}

/* By the clock of the database (law 9), in the form of all other times. */
const NOW = `to_jsonb(to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))`;
