import { sql } from 'drizzle-orm';
import { index, integer, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import type { BroadcastStatus } from '../../domain/broadcast.js';
import type { Channel, Priority } from '../../domain/channel.js';
import { createdAt, moment } from './columns.js';

/** One message to all active people, or to the members of some groups. Each of them gets a notification of their own. */
export const broadcast = pgTable(
  'broadcast',
  {
    id: uuid('id').primaryKey(),
    type: text('type').notNull(),
    title: text('title').notNull(),
    message: text('message').notNull(),
    data: jsonb('data').$type<Record<string, unknown>>().notNull().default({}),
    priority: text('priority').$type<Priority>().notNull(),
    channels: text('channels').array().$type<Channel[]>().notNull(),
    /** Whose members are told, each person once; empty for all active people. */
    groups: text('groups').array().notNull().default(sql`'{}'`),
    /** The subject of the token that asked for it. */
    caller: text('caller').notNull(),
    status: text('status').$type<BroadcastStatus>().notNull(),
    /** The last person, in the order of ids, for whom everything is written. */
    cursor: text('cursor'),
    /** How many people it is for: counted when it is made, and again when it is through. */
    total: integer('total').notNull().default(0),
    /** How many people the fan-out has come to. */
    reached: integer('reached').notNull().default(0),
    sendAt: moment('send_at'),
    expiresAt: moment('expires_at'),
    createdAt: createdAt(),
    startedAt: moment('started_at'),
    endedAt: moment('ended_at'),
  },
  (table) => [
    index('broadcast_open').on(table.sendAt).where(sql`status IN ('scheduled', 'running')`),
    index('broadcast_ended').on(table.endedAt),
  ],
);
