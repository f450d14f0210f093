import { ALERT, type AlertRow } from './alerts.js';
import type { Database, Statements } from './database.js';

/** Somebody who was told of an alert, as the one who answers. */
export interface ToldPerson {
  readonly id: string;
  readonly locale: string;
  readonly timezone: string;
}

/** What a link leads to. */
export interface LinkedAlert {
  readonly alert: AlertRow;
  readonly person: ToldPerson;
}

/**
 * The alert that a notification told of, and whom. `gone` when the link is older than `days`, its person or alert is not there
 * any more, or the person is not active; null when there is no such notification.
 */
export async function findLinked(
  database: Database,
  notificationId: string,
  days: number,
): Promise<LinkedAlert | 'gone' | null> {
  const [told] = await database.rows<ToldPerson & { alertId: string; old: boolean; active: boolean | null }>(
    `SELECT p.id, p.locale, p.timezone, p.active, n.alert_id AS "alertId", n.created_at < now() - $2 * interval '1 day' AS old
     FROM notification n LEFT JOIN person p ON p.id = n.person_id WHERE n.id = $1 AND n.alert_id IS NOT NULL`,
    [notificationId, days],
  );
  if (told === undefined) return null;
  const { alertId, old, active, ...person } = told;
  if (active !== true || old) return 'gone';
  const [alert] = await database.rows<AlertRow>(`SELECT ${ALERT} FROM alert WHERE id = $1`, [alertId]);
  return alert === undefined ? 'gone' : { alert, person };
}

/** Everybody active with this number; an answer by text message is from one of them. */
export function peopleWithPhone(database: Database, phone: string): Promise<ToldPerson[]> {
  return database.rows<ToldPerson & Record<string, unknown>>(
    'SELECT id, locale, timezone FROM person WHERE phone = $1 AND active ORDER BY id LIMIT 100',
    [phone],
  );
}

/** An alert that some of these people were told of, and the first of them. */
export interface AnsweredAlert {
  readonly alert: AlertRow;
  readonly personId: string;
  /** A text message that told one of them of it has left. */
  readonly bySms: boolean;
}

/**
 * The alerts that any of these people was told of and that are not over, the newest first: what an answer without a number may
 * mean.
 */
export function pendingAlertsOf(
  database: Statements,
  personIds: readonly string[],
): Promise<AnsweredAlert[]> {
  return select(database, `a.status <> 'resolved'`, [personIds]);
}

/** How an alert is meant: by the number that is told of it, or by its id. */
export type MeantBy = { readonly code: number } | { readonly alertId: string };

/** The alert that one of these people means, if one was told of it: one that is not over before those that are, and the newest of them. */
export async function toldAlert(
  database: Statements,
  personIds: readonly string[],
  meant: MeantBy,
): Promise<AnsweredAlert | null> {
  const [found] =
    'code' in meant
      ? await select(database, 'a.code = $2', [personIds, meant.code])
      : await select(database, 'a.id = $2', [personIds, meant.alertId]);
  return found ?? null;
}

const MOST = 20;

async function select(
  database: Statements,
  condition: string,
  values: readonly unknown[],
): Promise<AnsweredAlert[]> {
  const rows = await database.rows<AlertRow & { personId: string; bySms: boolean }>(
    `SELECT ${ALERT}, "personId", "bySms" FROM (
       SELECT a.*, min(e.person_id) AS "personId", bool_or(${TEXT_LEFT}) AS "bySms" FROM alert_event e JOIN alert a ON a.id = e.alert_id
       WHERE e.person_id = ANY($1::text[]) AND e.kind = 'notified' AND ${condition} GROUP BY a.id
     ) AS told ORDER BY status = 'resolved', id DESC LIMIT ${MOST}`,
    [...values],
  );
  return rows.map(({ personId, bySms, ...alert }) => ({ alert, personId, bySms }));
}

/* What a bundle tells of is `sent` as soon as it is in it; it has left when the bundle has. */
const TEXT_LEFT = `EXISTS (
  SELECT 1 FROM delivery d WHERE d.notification_id = e.notification_id AND d.channel = 'sms' AND d.state IN ('sent', 'delivered')
    AND CASE WHEN d.provider = 'bundle' THEN EXISTS (
      SELECT 1 FROM delivery b WHERE b.id = d.provider_id::uuid AND b.state IN ('sent', 'delivered')) ELSE true END)`;
