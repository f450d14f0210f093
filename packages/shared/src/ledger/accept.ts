import type { Channel, Priority } from '../domain/channel.js';
import type { DeliveryState } from '../domain/delivery-state.js';
import type { Database, Statements } from './database.js';
import { retryTransient } from './retry-transient.js';

/** What a notification says, and to whom. */
export interface NotificationContent {
  /** Null for a bare address. */
  readonly personId: string | null;
  /** Null for free text. */
  readonly eventType: string | null;
  readonly type: string;
  readonly title: string | null;
  readonly message: string | null;
  readonly html: string | null;
  readonly context: Readonly<Record<string, unknown>>;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A notification that is to be written, complete with the deliveries that the routing decided on. */
export interface NewNotification extends NotificationContent {
  readonly id: string;
  readonly templateVersion: number | null;
  readonly priority: Priority;
  readonly caller: string;
  readonly reason: string | null;
  /** ISO 8601, or null for now. */
  readonly sendAt: string | null;
  readonly expiresAt: string | null;
  /** The trace of the call, as a W3C `traceparent`: the queue may be wiped, and the trace goes on. */
  readonly traceparent?: string | null;
  /** The broadcast that it is one person's part of. */
  readonly broadcastId?: string | null;
  /** The alert that it tells of, and the step of its escalation. */
  readonly alertId?: string | null;
  readonly alertStep?: number | null;
  /** The fleet sends it to itself. */
  readonly canary?: boolean;
  readonly deliveries: readonly NewDelivery[];
}

export interface NewDelivery {
  readonly id: string;
  readonly channel: Channel;
  readonly address: string | null;
  readonly state: Extract<DeliveryState, 'queued' | 'scheduled' | 'skipped'>;
  readonly reason: string | null;
  /** ISO 8601: when it is due, if that is not when the notification is to be sent. */
  readonly dueAt?: string | null;
}

/** The answer that is kept for a call with an `Idempotency-Key`. */
export interface KeptAnswer {
  readonly caller: string;
  readonly key: string;
  readonly fingerprint: string;
  readonly status: number;
  readonly body: unknown;
}

/** What one HTTP call wants to have written, all or nothing. */
export interface Acceptance {
  readonly requestId: string;
  readonly notifications: readonly NewNotification[];
  readonly answer: KeptAnswer | null;
}

/** `written`, or `taken`: another call with the same key was first, and nothing of this one was written. */
export type AcceptanceResult = 'written' | 'taken';

/**
 * Law 1: writes many calls in one commit. A key that is already there keeps its call's rows out, whether it was written
 * an hour ago, by another process at this moment, or by a neighbour in this very batch.
 */
export function writeAcceptances(
  database: Database,
  acceptances: readonly Acceptance[],
): Promise<AcceptanceResult[]> {
  return retryTransient(() => acceptWithin(database, acceptances));
}

/** The same in a transaction of the caller's, which is committed or undone as a whole. */
export async function acceptWithin(
  transaction: Statements,
  acceptances: readonly Acceptance[],
): Promise<AcceptanceResult[]> {
  const notifications = acceptances.flatMap((one) => one.notifications.map((row) => toRow(row, one)));
  const deliveries = acceptances.flatMap((one) =>
    one.notifications.flatMap((row) => row.deliveries.map((delivery) => ({ ...delivery, n: row.id }))),
  );
  const keys = acceptances.flatMap((one) =>
    one.answer === null ? [] : [{ ...one.answer, r: one.requestId }],
  );
  const written = await transaction.rows<{ request_id: string }>(WRITE, [
    JSON.stringify(keys),
    JSON.stringify(notifications),
    JSON.stringify(deliveries),
  ]);
  const won = new Set(written.map((row) => row.request_id));
  return acceptances.map((one) => (one.answer === null || won.has(one.requestId) ? 'written' : 'taken'));
}

function toRow(row: NewNotification, { requestId, answer }: Acceptance) {
  const { deliveries, ...columns } = row;
  const open = deliveries.filter((delivery) => delivery.state !== 'skipped').length;
  return { ...columns, open, r: answer === null ? null : requestId };
}

/*
 * A row that belongs to a keyed call carries the call's request id in `r` and is written only if that call won its key.
 * The values arrive as one JSON text per table: a single parameter, whatever the number of rows.
 *
 * Whoever is erased between being looked up and this commit is written as erased: without addresses and text, and with
 * nothing left to send. The lock makes this statement and the erasure wait for each other; it stands in the way of nothing
 * else, as nobody changes a person's id.
 */
const WRITE = `
WITH won AS (
  INSERT INTO idempotency_key (caller, key, request_id, fingerprint, status, body)
  SELECT caller, key, r, fingerprint, status, body
  FROM json_to_recordset($1::json) AS k(caller text, key text, r uuid, fingerprint text, status smallint, body json)
  ON CONFLICT (caller, key) DO NOTHING
  RETURNING request_id
), given AS MATERIALIZED (
  SELECT id, "personId", "eventType", "templateVersion", type, title, message, html, context, data, priority, caller,
    reason, "sendAt", "expiresAt", open, traceparent, "broadcastId", "alertId", "alertStep", coalesce(canary, false) AS canary
  FROM json_to_recordset($2::json) AS n(id uuid, "personId" text, "eventType" text, "templateVersion" int, type text,
    title text, message text, html text, context jsonb, data jsonb, priority text, caller text, reason text,
    "sendAt" timestamptz, "expiresAt" timestamptz, open int, r uuid, traceparent text,
    "broadcastId" uuid, "alertId" uuid, "alertStep" int, canary boolean)
  WHERE r IS NULL OR r IN (SELECT request_id FROM won)
), living AS MATERIALIZED (
  SELECT id FROM person WHERE id IN (SELECT "personId" FROM given) ORDER BY id FOR KEY SHARE
), judged AS MATERIALIZED (
  SELECT given.*, "personId" IS NOT NULL AND reason IS DISTINCT FROM 'unknown_person' AND living.id IS NULL AS erased
  FROM given LEFT JOIN living ON living.id = "personId"
), written AS (
  INSERT INTO notification (id, person_id, event_type, template_version, type, title, message, html, context, data,
    priority, caller, reason, send_at, expires_at, traceparent, broadcast_id, alert_id, alert_step, canary, open_count, cancelled_count)
  SELECT id, CASE WHEN NOT erased THEN "personId" END, "eventType", "templateVersion", type,
    CASE WHEN NOT erased THEN title END, CASE WHEN NOT erased THEN message END, CASE WHEN NOT erased THEN html END,
    CASE WHEN erased THEN '{}' ELSE context END, CASE WHEN erased THEN '{}' ELSE data END,
    priority, caller, reason, "sendAt", "expiresAt", traceparent, "broadcastId", "alertId", "alertStep", canary,
    CASE WHEN erased THEN 0 ELSE open END, CASE WHEN erased THEN open ELSE 0 END
  FROM judged
), queued AS (
  INSERT INTO delivery (id, notification_id, channel, priority, address, state, reason, due_at, expires_at, generation)
  SELECT d.id, d.n, d.channel, judged.priority, CASE WHEN NOT erased THEN d.address END,
    CASE WHEN erased AND d.state <> 'skipped' THEN 'cancelled' ELSE d.state END,
    CASE WHEN erased AND d.state <> 'skipped' THEN 'person_erased' ELSE d.reason END,
    coalesce(d."dueAt", judged."sendAt", now()), judged."expiresAt",
    CASE WHEN coalesce(d."dueAt", judged."sendAt") >= now() + interval '24 hours' THEN 0 ELSE 1 END
  FROM json_to_recordset($3::json) AS d(id uuid, n uuid, channel text, address text, state text, reason text,
    "dueAt" timestamptz)
  JOIN judged ON judged.id = d.n
)
SELECT request_id FROM won`;
