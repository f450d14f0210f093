import { sql } from 'drizzle-orm';
import { boolean, index, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import type { Channel } from '../../domain/channel.js';
import type { Platform, PushKeys } from '../../domain/device.js';
import type { QuietHours } from '../../domain/quiet-hours.js';
import { createdAt, moment } from './columns.js';

/** Somebody who can be told something. The id is the application's own. */
export const person = pgTable(
  'person',
  {
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
    /** The same for single events, by event and channel; it goes before what is said of the channel as a whole. */
    eventPreferences: jsonb('event_preferences')
      .$type<Record<string, Record<string, boolean>>>()
      .notNull()
      .default({}),
    /** When everything but the critical waits, in the person's time zone; null for never. */
    quietHours: jsonb('quiet_hours').$type<QuietHours>(),
    /** Where the webhook channel reaches them. */
    webhookUrl: text('webhook_url'),
    /** When the person was last read from the user directory; null for somebody who was written here. */
    directoryAt: moment('directory_at'),
    /** What the audit trail calls this person. It goes with the row, so an erasure leaves facts that lead to nobody. */
    auditId: uuid('audit_id').notNull().default(sql`gen_random_uuid()`),
    createdAt: createdAt(),
    updatedAt: moment('updated_at').notNull().defaultNow(),
  },
  (table) => [
    // Who answers a text message.
    index('person_phone').on(table.phone).where(sql`phone IS NOT NULL`),
    // Whom every critical alert tells.
    index('person_admin').on(table.id).where(sql`active AND roles && '{admin,Admin,ADMIN}'`),
  ],
);

/** A browser or telephone that a person lets Belfry push to. One that is registered again, by whomever, is that person's. */
export const device = pgTable(
  'device',
  {
    id: uuid('id').primaryKey(),
    personId: text('person_id')
      .notNull()
      .references(() => person.id, { onDelete: 'cascade' }),
    platform: text('platform').$type<Platform>().notNull(),
    /** The endpoint of the push subscription, or the registration token. */
    address: text('address').notNull().unique(),
    /** Only of a push subscription. */
    keys: jsonb('keys').$type<PushKeys>(),
    createdAt: createdAt(),
    updatedAt: moment('updated_at').notNull().defaultNow(),
  },
  (table) => [index('device_person').on(table.personId)],
);

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
