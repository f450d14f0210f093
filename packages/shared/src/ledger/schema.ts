import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  index,
  integer,
  json,
  jsonb,
  pgTable,
  primaryKey,
  smallint,
  text,
  timestamp,
  uuid,
} from 'drizzle-orm/pg-core';
import type { Channel, Priority } from '../domain/channel.js';
import type { DeliveryState, Status } from '../domain/delivery-state.js';
import type { FailureClass } from '../domain/failure.js';
import type { OutcomeKind } from '../domain/outcome.js';
import type { ProviderStanding } from '../domain/provider-standing.js';
import { isOpen } from './states.js';

/*
 * The ledger: every table in one place. Ids are UUIDv7, so the primary key is also the order of creation. Times are the
 * database's own. Three things stand only in the migrations, because drizzle has no words for them: the trigger that keeps
 * a notification's counters, that `rate_limit` is unlogged, and that `audit_event` is append-only.
 */

const moment = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' });
const createdAt = () => moment('created_at').notNull().defaultNow();

/** Somebody who can be told something. The id is the application's own. */
export const person = pgTable('person', {
  id: text('id').primaryKey(),
  email: text('email'),
  /** E.164. */
  phone: text('phone'),
  /** BCP 47. */
  locale: text('locale').notNull().default('en'),
  /** IANA time zone. */
  timezone: text('timezone').notNull().default('UTC'),
  roles: text('roles').array().notNull().default(sql`'{}'`),
  active: boolean('active').notNull().default(true),
  /** What the person said yes or no to, by channel; what is missing has its default in `routing/preferences.ts`. */
  preferences: jsonb('preferences').$type<Record<string, boolean>>().notNull().default({}),
  /** Where the webhook channel reaches them. */
  webhookUrl: text('webhook_url'),
  /** When the person was last read from the user directory; null for somebody who was written here. */
  directoryAt: moment('directory_at'),
  /** What the audit trail calls this person. It goes with the row, so an erasure leaves facts that lead to nobody. */
  auditId: uuid('audit_id').notNull().default(sql`gen_random_uuid()`),
  createdAt: createdAt(),
  updatedAt: moment('updated_at').notNull().defaultNow(),
});

export const groupMember = pgTable(
  'group_member',
  {
    groupId: text('group_id').notNull(),
    personId: text('person_id')
      .notNull()
      .references(() => person.id, { onDelete: 'cascade' }),
    createdAt: createdAt(),
  },
  (table) => [
    primaryKey({ columns: [table.groupId, table.personId] }),
    index('group_member_person').on(table.personId),
  ],
);

/** Addresses that must not be used again, and why: they opted out with the provider, or an operator said so. */
export const suppression = pgTable(
  'suppression',
  {
    channel: text('channel').$type<Channel>().notNull(),
    address: text('address').notNull(),
    reason: text('reason').notNull(),
    createdAt: createdAt(),
  },
  (table) => [primaryKey({ columns: [table.channel, table.address] })],
);

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

/** What a person has been told in the application itself: the end of the realtime channel. */
export const inboxItem = pgTable(
  'inbox_item',
  {
    /** Putting one delivery in twice is as once. */
    deliveryId: uuid('delivery_id').primaryKey(),
    personId: text('person_id').notNull(),
    notificationId: uuid('notification_id').notNull(),
    type: text('type').notNull(),
    title: text('title').notNull(),
    body: text('body').notNull(),
    data: jsonb('data').$type<Record<string, unknown>>().notNull(),
    createdAt: createdAt(),
    readAt: moment('read_at'),
  },
  (table) => [index('inbox_item_person').on(table.personId, table.createdAt)],
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

/** Every administrative act. Rows are added and never changed: rights and a trigger see to it (`ledger/audit.ts`). */
export const auditEvent = pgTable(
  'audit_event',
  {
    id: uuid('id').primaryKey(),
    at: moment('at').notNull().defaultNow(),
    /** The subject of the token, or the name of the command. */
    actor: text('actor').notNull(),
    role: text('role').notNull(),
    action: text('action').notNull(),
    /** What it was done to, as `person:<audit id>`, `notification:<id>`, `queue:email.normal`; null for an act on the whole. */
    target: text('target'),
    details: jsonb('details').$type<Record<string, unknown>>().notNull().default({}),
  },
  (table) => [
    index('audit_event_actor').on(table.actor, table.id),
    index('audit_event_target').on(table.target, table.id),
  ],
);

/** The worker processes that are alive, and how their providers are. A row that is not renewed is somebody lost. */
export const worker = pgTable('worker', {
  id: uuid('id').primaryKey(),
  queues: text('queues').array().notNull(),
  providers: jsonb('providers').$type<ProviderStanding[]>().notNull().default([]),
  startedAt: moment('started_at').notNull().defaultNow(),
  seenAt: moment('seen_at').notNull().defaultNow(),
});

/** What has been pruned, by event and status, so that totals stay exact when old notifications go. */
export const prunedCount = pgTable(
  'pruned_count',
  {
    eventType: text('event_type').notNull(), // empty for what had none
    status: text('status').$type<Status>().notNull(),
    count: bigint('count', { mode: 'number' }).notNull().default(0),
  },
  (table) => [primaryKey({ columns: [table.eventType, table.status] })],
);

/** When each upkeep task last ran; the row is what decides which worker runs it. */
export const upkeep = pgTable('upkeep', {
  task: text('task').primaryKey(),
  ranAt: moment('ran_at').notNull(),
});

/** Counters of `rate-limiter-flexible`, in the shape that library asks for. Unlogged: a crash may forget them. */
export const rateLimit = pgTable('rate_limit', {
  key: text('key').primaryKey(),
  points: integer('points').notNull().default(0),
  /** Epoch milliseconds. */
  expire: bigint('expire', { mode: 'number' }),
});
