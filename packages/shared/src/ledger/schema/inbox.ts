import { sql } from 'drizzle-orm';
import { bigint, index, jsonb, pgTable, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { createdAt, moment } from './columns.js';
import { person } from './people.js';

/**
 * One person's inbox. Whoever puts something in, or marks it read, holds this row until the commit: so the numbers of the
 * items are in the order in which they can be seen, and a reader who stopped at one has missed nothing before it.
 */
export const inbox = pgTable('inbox', {
  personId: text('person_id')
    .primaryKey()
    .references(() => person.id, { onDelete: 'cascade' }),
  /** The number of the last item ever put in. */
  lastSeq: bigint('last_seq', { mode: 'number' }).notNull().default(0),
});

/** What a person has been told in the application itself: the end of the realtime channel. */
export const inboxItem = pgTable(
  'inbox_item',
  {
    /** Putting one delivery in twice is as once. */
    deliveryId: uuid('delivery_id').primaryKey(),
    personId: text('person_id').notNull(),
    /** Rises with each item of a person. */
    seq: bigint('seq', { mode: 'number' }).notNull(),
    /** What the item is called outside. */
    notificationId: uuid('notification_id').notNull(),
    type: text('type').notNull(),
    title: text('title').notNull(),
    body: text('body').notNull(),
    data: jsonb('data').$type<Record<string, unknown>>().notNull(),
    createdAt: createdAt(),
    readAt: moment('read_at'),
  },
  (table) => [
    uniqueIndex('inbox_item_seq').on(table.personId, table.seq),
    // What is unread is counted at every look, and of most inboxes nearly all has been read.
    index('inbox_item_unread').on(table.personId, table.seq).where(sql`read_at IS NULL`),
    index('inbox_item_notification').on(table.notificationId),
  ],
);

/** Who is connected: a row for each open stream, and for each session that a client reports by itself. */
export const realtimeSession = pgTable(
  'realtime_session',
  {
    id: uuid('id').primaryKey(),
    personId: text('person_id')
      .notNull()
      .references(() => person.id, { onDelete: 'cascade' }),
    /** The API process that holds the stream; null for a session that is only reported. */
    node: uuid('node'),
    transport: text('transport').$type<'websocket' | 'sse' | 'reported'>().notNull(),
    /** What the client says of itself. */
    device: jsonb('device').$type<Record<string, unknown>>().notNull().default({}),
    connectedAt: moment('connected_at').notNull().defaultNow(),
    /** Renewed by heartbeats; older than `SESSION_TTL_MS` is as gone. */
    seenAt: moment('seen_at').notNull().defaultNow(),
  },
  (table) => [
    index('realtime_session_person').on(table.personId),
    index('realtime_session_seen').on(table.seenAt),
  ],
);
