import { sql } from 'drizzle-orm';
import {
  boolean,
  index,
  integer,
  json,
  jsonb,
  pgTable,
  primaryKey,
  smallint,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import type { Channel, Priority } from '../../domain/channel.js';
import type { DeliveryState, Status } from '../../domain/delivery-state.js';
import type { FailureClass } from '../../domain/failure.js';
import type { OutcomeKind } from '../../domain/outcome.js';
import { isOpen } from '../states.js';
import { createdAt, moment } from './columns.js';

/** What an application wants one person to know. */
export const notification = pgTable(
  'notification',
  {
    id: uuid('id').primaryKey(),
    /** Null for a mail or text message to a bare address. No foreign key: a notification to an unknown person is kept too. */
    personId: text('person_id'),
    /** The template's event, or null for free text. */
    eventType: text('event_type'),
    templateVersion: integer('template_version'),
    type: text('type').notNull(),
    title: text('title'),
    message: text('message'),
    /** Only for mails that bring their own HTML. */
    html: text('html'),
    context: jsonb('context').$type<Record<string, unknown>>().notNull().default({}),
    data: jsonb('data').$type<Record<string, unknown>>().notNull().default({}),
    priority: text('priority').$type<Priority>().notNull(),
    /** The broadcast that it is one person's part of. */
    broadcastId: uuid('broadcast_id'),
    /** The alert that it tells of, and the step of its escalation: 0 when it was opened. */
    alertId: uuid('alert_id'),
    alertStep: integer('alert_step'),
    /** The fleet sent it to itself to see whether it arrives; nobody counts or lists it. */
    canary: boolean('canary').notNull().default(false),
    /** It tells of several that were gathered; they are the `items` of its context. */
    digest: boolean('digest').notNull().default(false),
    /** The subject of the token that asked for it. */
    caller: text('caller').notNull(),
    /** Why there is no delivery at all, such as `unknown_person`. */
    reason: text('reason'),
    /** The trace of the call that made it, as a W3C `traceparent`; null when nothing is traced. */
    traceparent: text('traceparent'),
    sendAt: moment('send_at'),
    expiresAt: moment('expires_at'),
    createdAt: createdAt(),
    sentAt: moment('sent_at'),
    /* How many deliveries are in each class of states; kept by the trigger `delivery_moved`. */
    openCount: integer('open_count').notNull().default(0),
    sentCount: integer('sent_count').notNull().default(0),
    deadCount: integer('dead_count').notNull().default(0),
    cancelledCount: integer('cancelled_count').notNull().default(0),
    /** The same rule as `statusOf` in `domain/delivery-state.ts`. */
    status: text('status')
      .$type<Status>()
      .notNull()
      .generatedAlwaysAs(
        sql`CASE WHEN open_count > 0 THEN 'PENDING' WHEN dead_count > 0 THEN 'FAILED' WHEN sent_count > 0 THEN 'SENT' WHEN cancelled_count > 0 THEN 'CANCELLED' ELSE 'FAILED' END`,
      ),
  },
  (table) => [
    index('notification_person').on(table.personId, table.id),
    index('notification_event').on(table.eventType, table.id),
    index('notification_status').on(table.status, table.id),
    // Nobody is told twice of one broadcast.
    uniqueIndex('notification_broadcast')
      .on(table.broadcastId, table.personId)
      .where(sql`broadcast_id IS NOT NULL`),
    // Nobody is told twice of one step of an alert.
    uniqueIndex('notification_alert')
      .on(table.alertId, table.alertStep, table.personId)
      .where(sql`alert_id IS NOT NULL`),
  ],
);

/** One notification, on one channel, to one address: one row, one job. */
export const delivery = pgTable(
  'delivery',
  {
    id: uuid('id').primaryKey(),
    notificationId: uuid('notification_id')
      .notNull()
      .references(() => notification.id, { onDelete: 'cascade' }),
    channel: text('channel').$type<Channel>().notNull(),
    priority: text('priority').$type<Priority>().notNull(),
    address: text('address'),
    state: text('state').$type<DeliveryState>().notNull(),
    /** Why it is in this state, in a short name such as `preference_off`, `exhausted` or the provider's code. */
    reason: text('reason'),
    /** Rises with every new job for this row, so that a job's id is never used twice; 0 as long as there was none. */
    generation: integer('generation').notNull().default(1),
    /** Tries that counted in this round; `MAX_ATTEMPTS` ends the round. */
    attempts: integer('attempts').notNull().default(0),
    /** An earlier try may have been taken, and nobody has found out: the next one follows the channel's policy for that. */
    inDoubt: boolean('in_doubt').notNull().default(false),
    /** Which ladder of attempts this is; the sweep and a retry begin the next one, a replay the first again. */
    round: integer('round').notNull().default(1),
    /** When this round's first try began; null before it. */
    roundAt: moment('round_at'),
    /** All tries ever, also those that cost nothing: the number of the last row in `attempt`. */
    tries: integer('tries').notNull().default(0),
    /** How often a worker was lost with this delivery in its hands. */
    interruptions: integer('interruptions').notNull().default(0),
    /** Given up for lack of attempts, not because it can never work: a sweep or a retry may begin another round. */
    retryable: boolean('retryable').notNull().default(false),
    /** Why and since when it is dead; null in every other state. */
    failure: text('failure').$type<FailureClass>(),
    deadAt: moment('dead_at'),
    /** When it is to be worked on next. */
    dueAt: moment('due_at').notNull().defaultNow(),
    expiresAt: moment('expires_at'),
    leaseOwner: uuid('lease_owner'),
    leaseUntil: moment('lease_until'),
    /** Rises with every claim: a worker whose claim is not the last one cannot record anything. */
    claim: integer('claim').notNull().default(0),
    claimedAt: moment('claimed_at'),
    firstAttemptAt: moment('first_attempt_at'),
    provider: text('provider'),
    providerId: text('provider_id'),
    /** The template that was rendered, as `payment_success@1/am`. */
    template: text('template'),
    createdAt: createdAt(),
    updatedAt: moment('updated_at').notNull().defaultNow(),
    sentAt: moment('sent_at'),
  },
  (table) => [
    index('delivery_notification').on(table.notificationId),
    index('delivery_open')
      .on(table.channel, table.priority, table.id)
      .where(sql.raw(isOpen('state'))),
    index('delivery_unalarmed').on(table.dueAt).where(sql`state = 'scheduled' AND generation = 0`),
    index('delivery_retryable').on(table.id).where(sql`state = 'dead' AND retryable`),
    index('delivery_dead').on(table.deadAt, table.id).where(sql`state = 'dead'`),
  ],
);

/** One try to hand a delivery to one provider. */
export const attempt = pgTable(
  'attempt',
  {
    deliveryId: uuid('delivery_id')
      .notNull()
      .references(() => delivery.id, { onDelete: 'cascade' }),
    n: integer('n').notNull(),
    provider: text('provider').notNull(),
    outcome: text('outcome').$type<OutcomeKind>().notNull(),
    code: text('code').notNull(),
    error: text('error'),
    startedAt: moment('started_at').notNull(),
    finishedAt: moment('finished_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.deliveryId, table.n] })],
);

/** The first answer to a call with an `Idempotency-Key`, written in the same commit as what the call made. Kept 24 h. */
export const idempotencyKey = pgTable(
  'idempotency_key',
  {
    caller: text('caller').notNull(),
    key: text('key').notNull(),
    requestId: uuid('request_id').notNull(),
    /** SHA-256 of method, path and body. */
    fingerprint: text('fingerprint').notNull(),
    status: smallint('status').notNull(),
    /** As text, so that the answer is the same to the byte. */
    body: json('body').$type<unknown>().notNull(),
    createdAt: createdAt(),
  },
  (table) => [
    primaryKey({ columns: [table.caller, table.key] }),
    index('idempotency_key_age').on(table.createdAt),
  ],
);
