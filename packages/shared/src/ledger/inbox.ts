import type { Priority } from '../domain/channel.js';
import type { Message } from '../domain/message.js';
import type { Statements } from './database.js';
import { retryTransient } from './retry-transient.js';

/** How many notes an inbox keeps: the last ones that were put in. */
export const INBOX_SIZE = 100;

/** A note in an inbox. */
export interface InboxItem {
  /** What it is called outside. */
  readonly notificationId: string;
  /** Its number: it rises with each note that the person is sent. */
  readonly seq: number;
  readonly type: string;
  readonly title: string;
  readonly body: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly priority: Priority;
  readonly createdAt: Date;
  /** When it was read first; null while it is unread. */
  readonly readAt: Date | null;
}

/**
 * The columns of an `InboxItem`, from an item and its notification. They are pruned together; an item without its notification
 * would still be shown.
 */
export function itemColumns(item: string, notification: string): string {
  return `${item}.notification_id AS "notificationId", ${item}.seq, ${item}.type, ${item}.title, ${item}.body, ${item}.data,
  ${item}.created_at AS "createdAt", ${item}.read_at AS "readAt", coalesce(${notification}.priority, 'normal') AS priority`;
}

/**
 * What is in an inbox, as a condition on its items: those with the last numbers. Two that are put in at the same moment do not
 * see each other, so that what they push out may lie there until the next one; nobody is to see it.
 *
 * @param item how the item is called in the statement. @param lastSeq what gives the last number of its inbox.
 */
export function isKept(item: string, lastSeq: string): string {
  return `${item}.seq > ${lastSeq} - ${INBOX_SIZE}`;
}

/**
 * Puts notes into their people's inboxes; a note that is there already stays as it is, and what is more than an inbox keeps
 * goes, the oldest first. Who is being erased at this moment gets none: the lock makes one of the two wait for the other.
 *
 * The row of the inbox is held until the commit. So a person's notes become visible in the order of their numbers, and a
 * reader who has seen one has missed none before it. One that is put in again after a hundred others have pushed it out
 * is new.
 */
export async function putInInboxes(
  database: Statements,
  messages: readonly Message<'realtime'>[],
): Promise<void> {
  const rows = messages.map(({ deliveryId, notificationId, to, content }) => ({
    deliveryId,
    notificationId,
    to,
    ...content,
  }));
  await retryTransient(() => database.rows(PUT, [JSON.stringify(rows)]));
}

/*
 * People are taken in the order of their ids, by everybody, so that two batches wait for each other and never in a circle.
 * Two workers may have the same delivery in hand: one of them leaves a number unused. Of more notes for one person than are
 * kept, the first ones are numbered and not written.
 */
const PUT = `
WITH given AS MATERIALIZED (
  SELECT DISTINCT ON ("deliveryId") m.* FROM json_to_recordset($1::json) AS m("deliveryId" uuid, "to" text,
    "notificationId" uuid, type text, title text, body text, data jsonb)
  WHERE NOT EXISTS (SELECT 1 FROM inbox_item WHERE delivery_id = "deliveryId")
  ORDER BY "deliveryId"
), living AS MATERIALIZED (
  SELECT id FROM person WHERE id IN (SELECT "to" FROM given) ORDER BY id FOR KEY SHARE
), fresh AS MATERIALIZED (
  SELECT given.*, row_number() OVER (PARTITION BY "to" ORDER BY "deliveryId") AS place, count(*) OVER (PARTITION BY "to") AS many
  FROM given JOIN living ON living.id = "to"
), held AS (
  INSERT INTO inbox (person_id, last_seq)
  SELECT DISTINCT "to", many FROM fresh ORDER BY "to"
  ON CONFLICT (person_id) DO UPDATE SET last_seq = inbox.last_seq + excluded.last_seq
  RETURNING person_id, last_seq
), put AS (
  INSERT INTO inbox_item (delivery_id, person_id, seq, notification_id, type, title, body, data)
  SELECT "deliveryId", "to", held.last_seq - many + place, "notificationId", type, title, body, data
  FROM fresh JOIN held ON held.person_id = "to" WHERE many - place < ${INBOX_SIZE}
  ON CONFLICT (delivery_id) DO NOTHING
)
DELETE FROM inbox_item USING held
WHERE inbox_item.person_id = held.person_id AND NOT (${isKept('inbox_item', 'held.last_seq')})`;
