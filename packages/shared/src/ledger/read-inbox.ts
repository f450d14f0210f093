import type { Database, Statements } from './database.js';
import { type InboxItem, isKept, itemColumns } from './inbox.js';
import { retryTransient } from './retry-transient.js';

export interface InboxPage {
  /** Only what has not been read. */
  readonly unread: boolean;
  /** Only what has a smaller number; null from the newest on. */
  readonly before: number | null;
  readonly limit: number;
}

/** What cannot be read because it is not there. */
export type Missing = 'unknown_person' | 'unknown_item';

/** A person's notes, the newest first. Null when there is no such person. */
export async function listInbox(
  database: Database,
  personId: string,
  { unread, before, limit }: InboxPage,
): Promise<InboxItem[] | null> {
  const items = await database.rows<Row>(LIST, [personId, before, unread, limit]);
  return items.length > 0 || (await isThere(database, personId)) ? items : null;
}

/** How many of a person's notes are unread: they are counted, so it is always right. Null when there is no such person. */
export async function countUnread(database: Statements, personId: string): Promise<number | null> {
  const [row] = await database.rows<{ count: number }>(
    `SELECT (SELECT count(*) FROM inbox_item i WHERE ${KEPT} AND read_at IS NULL) AS count FROM person WHERE id = $1`,
    [personId],
  );
  return row?.count ?? null;
}

/** Marks one note as read. It stays read since the first time, however often this is done. */
export async function markRead(
  database: Database,
  personId: string,
  notificationId: string,
): Promise<InboxItem | Missing> {
  return holding(database, personId, async (transaction) => {
    const [item] = await transaction.rows<Row>(READ, [personId, notificationId]);
    if (item !== undefined) return item;
    return (await isThere(transaction, personId)) ? 'unknown_item' : 'unknown_person';
  });
}

/** Marks all of a person's notes as read. Resolves with how many were not; null when there is no such person. */
export async function markAllRead(database: Database, personId: string): Promise<number | null> {
  return holding(database, personId, async (transaction) => {
    const [row] = await transaction.rows<{ read: number }>(READ_ALL, [personId]);
    return row?.read ?? null;
  });
}

/**
 * Runs `work` with the inbox held until the commit, as everybody who writes to one does: what `work` sees is the last word,
 * and the times of reading are in the order in which they can be seen. Erasing and pruning take notes out without holding it;
 * if one of them is met in a circle, it is undone and run again.
 */
async function holding<Result>(
  database: Database,
  personId: string,
  work: (transaction: Statements) => Promise<Result>,
): Promise<Result> {
  return retryTransient(() =>
    database.transaction(async (transaction) => {
      await transaction.rows('SELECT 1 FROM inbox WHERE person_id = $1 FOR UPDATE', [personId]);
      return work(transaction);
    }),
  );
}

async function isThere(database: Statements, personId: string): Promise<boolean> {
  const rows = await database.rows('SELECT 1 FROM person WHERE id = $1', [personId]);
  return rows.length > 0;
}

type Row = InboxItem & Record<string, unknown>;

const KEPT = `i.person_id = $1 AND ${isKept('i', '(SELECT last_seq FROM inbox WHERE person_id = $1)')}`;

const ITEM = itemColumns('i', 'n');

const LIST = `
SELECT ${ITEM} FROM inbox_item i LEFT JOIN notification n ON n.id = i.notification_id
WHERE ${KEPT} AND ($2::bigint IS NULL OR i.seq < $2) AND (NOT $3::boolean OR i.read_at IS NULL)
ORDER BY i.seq DESC LIMIT $4`;

const READ = `
WITH marked AS (
  UPDATE inbox_item i SET read_at = coalesce(read_at, clock_timestamp()) WHERE ${KEPT} AND notification_id = $2 RETURNING i.*
)
SELECT ${ITEM} FROM marked i LEFT JOIN notification n ON n.id = i.notification_id`;

const READ_ALL = `
WITH marked AS (
  UPDATE inbox_item i SET read_at = clock_timestamp() WHERE ${KEPT} AND read_at IS NULL RETURNING 1
)
SELECT (SELECT count(*) FROM marked) AS read FROM person WHERE id = $1`;
