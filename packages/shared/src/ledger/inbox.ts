import type { Message } from '../domain/message.js';
import type { Database, Statements } from './database.js';
import { retryTransient } from './retry-transient.js';

/** How many notes an inbox keeps: the last ones that were put in. */
export const INBOX_SIZE = 100;

/**
 * Puts notes into their people's inboxes; a note that is there already stays as it is, and what is more than an inbox keeps
 * goes, the oldest first. Who is being erased at this moment gets none: the lock makes one of the two wait for the other.
 *
 * The row of the inbox is held until the commit. So a person's notes become visible in the order of their numbers, and a
 * reader who has seen one has missed none before it. One that is put in again after a hundred others have pushed it out
 * is new.
 *
 * In a transaction of its own, or in the one that is given.
 */
export async function putInInboxes(
  database: Statements | Database,
  messages: readonly Message<'realtime'>[],
): Promise<void> {
  if (!('transaction' in database)) return put(database, messages);
  await retryTransient(() => database.transaction((transaction) => put(transaction, messages)));
}

async function put(transaction: Statements, messages: readonly Message<'realtime'>[]): Promise<void> {
  const held = await holdInboxes(
    transaction,
    messages.map(({ to }) => to),
  );
  const rows = messages
    .filter(({ to }) => held.has(to))
    .map(({ deliveryId, notificationId, to, content }) => ({ deliveryId, notificationId, to, ...content }));
  if (rows.length > 0) await transaction.rows(PUT, [JSON.stringify(rows), INBOX_SIZE]);
}

/**
 * Holds the inboxes of people until the end of the transaction, and makes those that are not there yet. Returns the people who
 * are there. It is a statement of its own because one sees what was committed before it began: those that follow see all
 * that was done to these inboxes, and nobody does more.
 */
async function holdInboxes(
  transaction: Statements,
  personIds: readonly string[],
): Promise<ReadonlySet<string>> {
  const living = await transaction.rows<{ id: string }>(HOLD, [personIds]);
  return new Set(living.map(({ id }) => id));
}

/*
 * People are taken in the order of their ids, by everybody, so that two batches wait for each other and never in a circle.
 * A row that is there is locked and not written.
 */
const HOLD = `
WITH living AS MATERIALIZED (
  SELECT id FROM person WHERE id = ANY($1::text[]) ORDER BY id FOR KEY SHARE
), held AS (
  INSERT INTO inbox (person_id) SELECT id FROM living ORDER BY id
  ON CONFLICT (person_id) DO UPDATE SET last_seq = inbox.last_seq WHERE false
)
SELECT id FROM living`;

/* Of more notes for one person than are kept, the first ones are numbered and not written. */
const PUT = `
WITH fresh AS MATERIALIZED (
  SELECT DISTINCT ON ("deliveryId") m.* FROM json_to_recordset($1::json) AS m("deliveryId" uuid, "to" text,
    "notificationId" uuid, type text, title text, body text, data jsonb)
  WHERE NOT EXISTS (SELECT 1 FROM inbox_item WHERE delivery_id = "deliveryId")
  ORDER BY "deliveryId"
), placed AS MATERIALIZED (
  SELECT *, row_number() OVER (PARTITION BY "to" ORDER BY "deliveryId") AS place, count(*) OVER (PARTITION BY "to") AS many
  FROM fresh
), grown AS (
  UPDATE inbox SET last_seq = last_seq + many FROM (SELECT DISTINCT "to", many FROM placed) AS more
  WHERE person_id = "to"
  RETURNING person_id, last_seq
), put AS (
  INSERT INTO inbox_item (delivery_id, person_id, seq, notification_id, type, title, body, data)
  SELECT "deliveryId", "to", last_seq - many + place, "notificationId", type, title, body, data
  FROM placed JOIN grown ON person_id = "to" WHERE many - place < $2::int
)
DELETE FROM inbox_item USING grown
WHERE inbox_item.person_id = grown.person_id AND inbox_item.seq <= grown.last_seq - $2::int`;
