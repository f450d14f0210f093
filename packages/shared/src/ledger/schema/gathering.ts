import { integer, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { person } from './people.js';

/**
 * The open windows: what is being gathered for one person, of one event, at one address. Whoever adds something, or ends the
 * window, holds the row until the commit.
 */
export const gathering = pgTable(
  'gathering',
  {
    personId: text('person_id')
      .notNull()
      .references(() => person.id, { onDelete: 'cascade' }),
    eventType: text('event_type').notNull(),
    channel: text('channel').notNull(),
    /** The MD5 of the address: a person may have several devices. */
    target: text('target').notNull(),
    /** The delivery that will tell of all; null only until the transaction that begins a window has made it. */
    deliveryId: uuid('delivery_id').unique(),
    /** How many it tells of so far. */
    items: integer('items').notNull().default(0),
  },
  (table) => [primaryKey({ columns: [table.personId, table.eventType, table.channel, table.target] })],
);

/** What went out to one person of one event within the last hour; whoever lets something pass holds the row. */
export const hourlyPass = pgTable(
  'hourly_pass',
  {
    personId: text('person_id')
      .notNull()
      .references(() => person.id, { onDelete: 'cascade' }),
    eventType: text('event_type').notNull(),
    /** The notifications that passed, each with the time in epoch seconds. */
    passes: jsonb('passes').$type<Record<string, number>>().notNull().default({}),
  },
  (table) => [primaryKey({ columns: [table.personId, table.eventType] })],
);
