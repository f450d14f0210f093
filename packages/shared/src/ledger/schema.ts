/*
 * The ledger: every table, by what it is about. Ids are UUIDv7, so the primary key is also the order of creation. Times are
 * the database's own. Three things stand only in the migrations, because drizzle has no words for them: the trigger that keeps
 * a notification's counters, that `rate_limit` is unlogged, and that `audit_event` is append-only.
 */
export * from './schema/alerting.js';
export * from './schema/broadcast.js';
export * from './schema/gathering.js';
export * from './schema/inbox.js';
export * from './schema/people.js';
export * from './schema/running.js';
export * from './schema/sending.js';
