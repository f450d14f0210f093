import type { Message } from '../domain/message.js';
import type { Database } from './database.js';

/**
 * Puts notes into their people's inboxes; a note that is there already stays as it is. Who is being erased at this moment
 * gets none: the lock makes one of the two wait for the other.
 */
export async function putInInboxes(
  database: Database,
  messages: readonly Message<'realtime'>[],
): Promise<void> {
  const rows = messages.map(({ deliveryId, notificationId, to, content }) => ({
    deliveryId,
    notificationId,
    to,
    ...content,
  }));
  await database.rows(
    `INSERT INTO inbox_item (delivery_id, person_id, notification_id, type, title, body, data)
     SELECT "deliveryId", "to", "notificationId", type, title, body, data
     FROM json_to_recordset($1::json) AS m("deliveryId" uuid, "to" text, "notificationId" uuid, type text, title text,
       body text, data jsonb)
     JOIN person ON person.id = "to"
     FOR KEY SHARE OF person
     ON CONFLICT DO NOTHING`,
    [JSON.stringify(rows)],
  );
}
