import type { AlertDoor, AlertEventKind, AlertLevel, AlertStatus } from '../domain/alert.js';
import type { Channel } from '../domain/channel.js';
import type { DeliveryState } from '../domain/delivery-state.js';
import { ALERT, type AlertRow } from './alerts.js';
import type { Database, Statements } from './database.js';

export interface AlertFilter {
  readonly status?: AlertStatus | undefined;
  readonly level?: AlertLevel | undefined;
  readonly type?: string | undefined;
  /** Only those that this person was told of. */
  readonly told?: string | undefined;
}

/** Alerts, the newest first. */
export function listAlerts(
  database: Database,
  { status, level, type, told }: AlertFilter,
  page: { readonly beforeId: string | undefined; readonly limit: number },
): Promise<AlertRow[]> {
  return database.rows<AlertRow>(
    `SELECT ${ALERT} FROM alert WHERE ($1::text IS NULL OR status = $1) AND ($2::text IS NULL OR level = $2)
       AND ($3::text IS NULL OR type = $3) AND ($4::uuid IS NULL OR id < $4)
       AND ($5::text IS NULL OR id IN (SELECT alert_id FROM alert_event WHERE person_id = $5))
     ORDER BY id DESC LIMIT $6`,
    [status ?? null, level ?? null, type ?? null, page.beforeId ?? null, told ?? null, page.limit],
  );
}

/** One line of an alert's timeline, with what has become of the notification that it tells of. */
export interface TimelineEvent {
  readonly at: Date;
  readonly kind: AlertEventKind;
  readonly actor: string | null;
  readonly via: AlertDoor | null;
  readonly step: number | null;
  readonly personId: string | null;
  readonly notificationId: string | null;
  readonly details: Readonly<Record<string, unknown>>;
  readonly deliveries: readonly TimelineDelivery[];
}

/** How somebody was told, or why not. */
export interface TimelineDelivery {
  readonly channel: Channel;
  readonly state: DeliveryState;
  readonly reason: string | null;
  /** ISO 8601. */
  readonly sent_at: string | null;
}

/** An alert with its timeline. */
export interface AlertRecord {
  readonly alert: AlertRow;
  /** How many people have been told of it. */
  readonly told: number;
  /** The first of all, and the last `MOST_EVENTS` after it, the oldest of them first. */
  readonly timeline: readonly TimelineEvent[];
  /** How many there are between the first and the next one that is here. */
  readonly leftOut: number;
}

const MOST_EVENTS = 999;

/** The alert as it was at one moment; null for an unknown one. */
export function findAlert(database: Database, id: string): Promise<AlertRecord | null> {
  return database.snapshot(async (snapshot) => {
    const [alert] = await snapshot.rows<AlertRow>(`SELECT ${ALERT} FROM alert WHERE id = $1`, [id]);
    if (alert === undefined) return null;
    const [all] = await snapshot.rows<{ told: number; events: number }>(
      `SELECT count(DISTINCT person_id) FILTER (WHERE kind = 'notified')::int AS told, count(*)::int AS events
       FROM alert_event WHERE alert_id = $1`,
      [id],
    );
    const timeline = await timelineOf(snapshot, id);
    return { alert, told: all?.told ?? 0, timeline, leftOut: (all?.events ?? 0) - timeline.length };
  });
}

function timelineOf(snapshot: Statements, id: string): Promise<TimelineEvent[]> {
  return snapshot.rows<TimelineEvent & Record<string, unknown>>(
    `SELECT e.at, e.kind, e.actor, e.via, e.step, e.person_id AS "personId", e.notification_id AS "notificationId", e.details,
       coalesce((SELECT json_agg(json_build_object('channel', d.channel, 'state', d.state, 'reason', d.reason,
           'sent_at', d.sent_at) ORDER BY d.id)
         FROM delivery d WHERE d.notification_id = e.notification_id AND d.state <> 'skipped'), '[]') AS deliveries
     FROM (
       (SELECT * FROM alert_event WHERE alert_id = $1 ORDER BY id LIMIT 1)
       UNION (SELECT * FROM alert_event WHERE alert_id = $1 ORDER BY id DESC LIMIT ${MOST_EVENTS})
     ) AS e ORDER BY e.id`,
    [id],
  );
}

/** Whether somebody was told of an alert: then they may read, acknowledge and resolve it. */
export async function wasTold(database: Statements, id: string, personId: string): Promise<boolean> {
  const rows = await database.rows(
    `SELECT 1 FROM alert_event WHERE alert_id = $1 AND person_id = $2 AND kind = 'notified' LIMIT 1`,
    [id, personId],
  );
  return rows.length > 0;
}
