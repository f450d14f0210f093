import { and, desc, eq, exists, gte, inArray, lt, type SQL, sql } from 'drizzle-orm';
import type { Channel, Priority } from '../domain/channel.js';
import type { Status } from '../domain/delivery-state.js';
import { firstIdOf } from '../domain/ids.js';
import type { Database, Statements } from './database.js';
import { attempt, delivery, notification } from './schema.js';

/** Filters of the list; all that are given must hold. */
export interface NotificationFilter {
  readonly userId?: string | undefined;
  readonly eventType?: string | undefined;
  readonly status?: Status | undefined;
  readonly channel?: Channel | undefined;
  readonly priority?: Priority | undefined;
  readonly broadcastId?: string | undefined;
  /** Created at or after. */
  readonly from?: Date | undefined;
  /** Created before. */
  readonly to?: Date | undefined;
}

export interface NotificationSummary {
  readonly id: string;
  readonly personId: string | null;
  readonly eventType: string | null;
  readonly type: string;
  /** Of a free message or a mail; null for an event, whose words are in its template. */
  readonly title: string | null;
  readonly status: Status;
  readonly sentAt: Date | null;
  readonly createdAt: Date;
  readonly priority: Priority;
  /** The channels that were used. */
  readonly channels: readonly Channel[];
}

const SUMMARY = {
  id: notification.id,
  personId: notification.personId,
  eventType: notification.eventType,
  type: notification.type,
  title: notification.title,
  status: notification.status,
  sentAt: notification.sentAt,
  createdAt: notification.createdAt,
  priority: notification.priority,
};

/**
 * A page of notifications, newest first. `beforeId` is the last id of the page before: ids are UUIDv7, so what is
 * accepted meanwhile comes before the first page and never shifts the later ones.
 */
export async function listNotifications(
  database: Database,
  filter: NotificationFilter,
  page: { beforeId?: string | undefined; limit: number },
): Promise<NotificationSummary[]> {
  const found = await database.orm
    .select(SUMMARY)
    .from(notification)
    .where(
      and(...conditions(database, filter), page.beforeId ? lt(notification.id, page.beforeId) : undefined),
    )
    .orderBy(desc(notification.id))
    .limit(page.limit);
  const channels = await channelsOf(
    database,
    found.map((row) => row.id),
  );
  return found.map((row) => ({ ...row, channels: channels.get(row.id) ?? [] }));
}

function conditions(database: Database, filter: NotificationFilter): (SQL | undefined)[] {
  return [
    eq(notification.canary, false),
    filter.userId === undefined ? undefined : eq(notification.personId, filter.userId),
    filter.eventType === undefined ? undefined : eq(notification.eventType, filter.eventType),
    filter.status === undefined ? undefined : eq(notification.status, filter.status),
    filter.priority === undefined ? undefined : eq(notification.priority, filter.priority),
    filter.broadcastId === undefined ? undefined : eq(notification.broadcastId, filter.broadcastId),
    ...(filter.from === undefined
      ? []
      : [
          gte(notification.id, firstIdOf(filter.from.getTime() - CLOCK_SLACK_MS)),
          gte(notification.createdAt, filter.from),
        ]),
    ...(filter.to === undefined
      ? []
      : [
          lt(notification.id, firstIdOf(filter.to.getTime() + CLOCK_SLACK_MS)),
          lt(notification.createdAt, filter.to),
        ]),
    filter.channel === undefined ? undefined : exists(usedOn(database, filter.channel)),
  ];
}

/** How far the clock of a process that makes ids may be from that of the database, which says when a row was created. */
const CLOCK_SLACK_MS = 60_000;

function usedOn(database: Database, channel: Channel) {
  return database.orm
    .select({ one: sql`1` })
    .from(delivery)
    .where(
      and(
        eq(delivery.notificationId, notification.id),
        eq(delivery.channel, channel),
        sql`state <> 'skipped'`,
      ),
    );
}

async function channelsOf(database: Database, ids: readonly string[]): Promise<Map<string, Channel[]>> {
  if (ids.length === 0) return new Map();
  const rows = await database.rows<{ id: string; channels: Channel[] }>(
    `SELECT notification_id AS id, array_agg(DISTINCT channel) AS channels FROM delivery
     WHERE notification_id = ANY($1::uuid[]) AND state <> 'skipped' GROUP BY notification_id`,
    [ids],
  );
  return new Map(rows.map((row) => [row.id, row.channels]));
}

export type NotificationRow = typeof notification.$inferSelect;
export type DeliveryRow = typeof delivery.$inferSelect;
export type AttemptRow = typeof attempt.$inferSelect;

/** One notification with everything that the ledger knows of it. */
export interface NotificationRecord {
  readonly notification: NotificationRow;
  readonly deliveries: readonly (DeliveryRow & { readonly trials: readonly AttemptRow[] })[];
}

/** Loads one notification whole, or null. */
export function findNotification(database: Database, id: string): Promise<NotificationRecord | null> {
  return database.snapshot((snapshot) => readNotification(snapshot, id));
}

async function readNotification({ orm }: Statements, id: string): Promise<NotificationRecord | null> {
  const [found] = await orm.select().from(notification).where(eq(notification.id, id));
  if (found === undefined) return null;
  const deliveries = await orm
    .select()
    .from(delivery)
    .where(eq(delivery.notificationId, id))
    .orderBy(delivery.id);
  const ids = deliveries.map((row) => row.id);
  const trials =
    ids.length === 0
      ? []
      : await orm.select().from(attempt).where(inArray(attempt.deliveryId, ids)).orderBy(attempt.n);
  return {
    notification: found,
    deliveries: deliveries.map((row) => ({
      ...row,
      trials: trials.filter((one) => one.deliveryId === row.id),
    })),
  };
}

/**
 * How many notifications there have ever been of each event and status, pruned ones included. One statement, so that what
 * is pruned at this moment is counted once.
 */
export function countNotifications(
  database: Database,
): Promise<{ eventType: string | null; status: Status; count: number }[]> {
  return database.rows(
    `SELECT event_type AS "eventType", status, sum(count)::bigint AS count FROM (
       SELECT event_type, status, count(*) AS count FROM notification WHERE NOT canary GROUP BY event_type, status
       UNION ALL
       SELECT nullif(event_type, ''), status, count FROM pruned_count
     ) AS counted GROUP BY event_type, status`,
  );
}
