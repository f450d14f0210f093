import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  index,
  integer,
  jsonb,
  pgSequence,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import type {
  AlertDoor,
  AlertEventKind,
  AlertLevel,
  AlertStatus,
  EscalationPolicy,
  EscalationStep,
} from '../../domain/alert.js';
import type { SourceKind } from '../../domain/alert-source.js';
import type { Channel, Priority } from '../../domain/channel.js';
import type { OnCallLayer } from '../../domain/on-call.js';
import { createdAt, moment } from './columns.js';
import { person } from './people.js';
import { notification } from './sending.js';

/** Four digits for as long as they last, and unique among the last million alerts. */
export const alertCode = pgSequence('alert_code', {
  startWith: 1000,
  minValue: 1000,
  maxValue: 999_999,
  cycle: true,
});

/** A condition that people must acknowledge. */
export const alert = pgTable(
  'alert',
  {
    id: uuid('id').primaryKey(),
    /** What an answer by text message names it by. */
    code: integer('code').notNull().default(sql`nextval('alert_code')`),
    type: text('type').notNull(),
    level: text('level').$type<AlertLevel>().notNull(),
    severity: text('severity').notNull(),
    message: text('message').notNull(),
    source: text('source'),
    affectedSystems: text('affected_systems').array().notNull().default(sql`'{}'`),
    details: jsonb('details').$type<Record<string, unknown>>().notNull().default({}),
    dedupKey: text('dedup_key'),
    /** The subject of the token, or `source:<name>`, `heartbeat:<name>`. */
    caller: text('caller').notNull(),
    status: text('status').$type<AlertStatus>().notNull().default('open'),
    /** How often it was raised since it was opened. */
    count: integer('count').notNull().default(1),
    /** As it was when the alert was opened; null for one that does not escalate. */
    policy: jsonb('policy').$type<EscalationPolicy>(),
    /** Steps of the policy that have been taken. */
    steps: integer('steps').notNull().default(0),
    /** When the next step is to be taken; null when there is none, or nobody waits for it any more. */
    dueAt: moment('due_at'),
    /** Whoever was to be told last, nobody was. */
    untold: boolean('untold').notNull().default(false),
    /** The last step of its policy has been taken: nothing more is told of it. */
    exhausted: boolean('exhausted').notNull().default(false),
    /** The operator is still to be told of it by mail. */
    unmailed: boolean('unmailed').notNull().default(false),
    openedAt: moment('opened_at').notNull().defaultNow(),
    lastAt: moment('last_at').notNull().defaultNow(),
    acknowledgedAt: moment('acknowledged_at'),
    acknowledgedBy: text('acknowledged_by'),
    acknowledgedVia: text('acknowledged_via').$type<AlertDoor>(),
    resolvedAt: moment('resolved_at'),
    resolvedBy: text('resolved_by'),
    resolvedVia: text('resolved_via').$type<AlertDoor>(),
  },
  (table) => [
    uniqueIndex('alert_dedup').on(table.dedupKey).where(sql`status <> 'resolved' AND dedup_key IS NOT NULL`),
    index('alert_due').on(table.dueAt).where(sql`status = 'open' AND due_at IS NOT NULL`),
    index('alert_unheard').on(table.id).where(sql`status = 'open' AND (untold OR exhausted)`),
    index('alert_unmailed').on(table.id).where(sql`status = 'open' AND unmailed`),
    index('alert_by_code').on(table.code),
    index('alert_status').on(table.status, table.id),
    index('alert_type').on(table.type, table.id),
    index('alert_resolved').on(table.resolvedAt).where(sql`status = 'resolved'`),
  ],
);

/** The timeline of an alert: who did what, and who was told. How they were told is in the notification's deliveries. */
export const alertEvent = pgTable(
  'alert_event',
  {
    /** In the order in which the alert's row was held. */
    id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    alertId: uuid('alert_id')
      .notNull()
      .references(() => alert.id, { onDelete: 'cascade' }),
    /** The clock's time while the alert's row was held, never the beginning of a transaction. */
    at: moment('at').notNull().default(sql`clock_timestamp()`),
    kind: text('kind').$type<AlertEventKind>().notNull(),
    actor: text('actor'),
    via: text('via').$type<AlertDoor>(),
    /** 0 for the opening. */
    step: integer('step'),
    /** Who was told. No foreign key: the fact stays when the person goes, without the id. */
    personId: text('person_id'),
    notificationId: uuid('notification_id'),
    details: jsonb('details').$type<Record<string, unknown>>().notNull().default({}),
  },
  (table) => [
    index('alert_event_alert').on(table.alertId, table.id),
    // A step is taken once.
    uniqueIndex('alert_event_step').on(table.alertId, table.step).where(sql`kind = 'escalated'`),
    index('alert_event_person').on(table.personId).where(sql`person_id IS NOT NULL`),
  ],
);

/** What happens while nobody acknowledges. The one named as an alert's type is that alert's; `default` is everybody else's. */
export const escalationPolicy = pgTable('escalation_policy', {
  name: text('name').primaryKey(),
  steps: jsonb('steps').$type<EscalationStep[]>().notNull(),
  repeat: integer('repeat').notNull().default(0),
  createdAt: createdAt(),
  updatedAt: moment('updated_at').notNull().defaultNow(),
});

/** Who is on call for a type of alert. */
export const onCall = pgTable('on_call', {
  alertType: text('alert_type').primaryKey(),
  /** Those who always are. */
  userIds: text('user_ids').array().notNull().default(sql`'{}'`),
  /** Those who take turns. */
  layers: jsonb('layers').$type<OnCallLayer[]>().notNull().default([]),
  createdAt: createdAt(),
  updatedAt: moment('updated_at').notNull().defaultNow(),
});

/** Somebody stands in for a while. */
export const onCallOverride = pgTable(
  'on_call_override',
  {
    id: uuid('id').primaryKey(),
    alertType: text('alert_type').notNull(),
    userId: text('user_id').notNull(),
    /** For whom; null for everybody. */
    replaces: text('replaces'),
    startsAt: moment('starts_at').notNull(),
    endsAt: moment('ends_at').notNull(),
    createdBy: text('created_by').notNull(),
    createdAt: createdAt(),
  },
  (table) => [index('on_call_override_type').on(table.alertType, table.endsAt)],
);

/** Something that raises alerts with a token of its own, such as an Alertmanager. */
export const alertSource = pgTable('alert_source', {
  name: text('name').primaryKey(),
  kind: text('kind').$type<SourceKind>().notNull(),
  /** SHA-256 of the token, which is shown once. */
  tokenHash: text('token_hash').notNull().unique(),
  /** What alerts are that do not say how loud they are. */
  level: text('level').$type<AlertLevel>().notNull(),
  createdAt: createdAt(),
  updatedAt: moment('updated_at').notNull().defaultNow(),
  /** When it was last heard of. */
  seenAt: moment('seen_at'),
});

/** Something that must be heard of, and raises an alert when it is not. */
export const heartbeat = pgTable(
  'heartbeat',
  {
    name: text('name').primaryKey(),
    /** It is missed after so many milliseconds of silence. */
    afterMs: bigint('after_ms', { mode: 'number' }).notNull(),
    alertType: text('alert_type').notNull(),
    level: text('level').$type<AlertLevel>().notNull(),
    message: text('message'),
    beatAt: moment('beat_at').notNull().defaultNow(),
    /** When it will be missed. */
    dueAt: moment('due_at').notNull(),
    /** It is missed now, and its alert was raised. */
    missedAt: moment('missed_at'),
    createdAt: createdAt(),
    updatedAt: moment('updated_at').notNull().defaultNow(),
  },
  (table) => [index('heartbeat_due').on(table.dueAt).where(sql`missed_at IS NULL`)],
);

/**
 * How often somebody has been told of alerts of a priority on a channel of late, and what is being put together for them. Whoever lets
 * something pass, or adds to the bundle, holds the row until the commit.
 */
export const alertPass = pgTable(
  'alert_pass',
  {
    personId: text('person_id')
      .notNull()
      .references(() => person.id, { onDelete: 'cascade' }),
    channel: text('channel').$type<Channel>().notNull(),
    priority: text('priority').$type<Priority>().notNull(),
    /** The notifications that passed, each with the time in epoch seconds. */
    passes: jsonb('passes').$type<Record<string, number>>().notNull().default({}),
    /** When each source and type was last told of, in epoch seconds. */
    origins: jsonb('origins').$type<Record<string, number>>().notNull().default({}),
    /** The notification that will tell of what was held back; null when nothing is. */
    bundleId: uuid('bundle_id'),
  },
  (table) => [primaryKey({ columns: [table.personId, table.channel, table.priority] })],
);

/** What a bundle tells of: an alert that was held back, once, however often it was to be told. */
export const alertBundled = pgTable(
  'alert_bundled',
  {
    bundleId: uuid('bundle_id')
      .notNull()
      .references(() => notification.id, { onDelete: 'cascade' }),
    /** No foreign key: an alert that is gone is not told of. */
    alertId: uuid('alert_id').notNull(),
    /** What was to tell the person of it: what they answer to, by its link. The newest of them. */
    notificationId: uuid('notification_id').notNull(),
  },
  (table) => [primaryKey({ columns: [table.bundleId, table.alertId] })],
);

/** What the fleet knows of itself, by the name of the check. */
export const selfCheck = pgTable('self_check', {
  name: text('name').primaryKey(),
  /** When it last went well. */
  at: moment('at').notNull(),
  details: jsonb('details').$type<Record<string, unknown>>().notNull().default({}),
});
