import { bigint, index, integer, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import type { Status } from '../../domain/delivery-state.js';
import type { ProviderStanding } from '../../domain/provider-standing.js';
import { moment } from './columns.js';

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

/** The sessions at the MQTT broker, and which API process holds each; a lease that is not renewed is anybody's. */
export const mqttSession = pgTable('mqtt_session', {
  number: integer('number').primaryKey(),
  /** Null for one that was given back. */
  holder: uuid('holder'),
  leasedUntil: moment('leased_until').notNull().defaultNow(),
  /** A process that holds fewer asks for it. */
  wantedBy: uuid('wanted_by'),
});

/** Counters of `rate-limiter-flexible`, in the shape that library asks for. Unlogged: a crash may forget them. */
export const rateLimit = pgTable('rate_limit', {
  key: text('key').primaryKey(),
  points: integer('points').notNull().default(0),
  /** Epoch milliseconds. */
  expire: bigint('expire', { mode: 'number' }),
});
