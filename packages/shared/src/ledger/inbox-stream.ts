import { isId } from '../domain/ids.js';
import type { Statements } from './database.js';
import { INBOX_SIZE, type InboxItem, isKept, itemColumns } from './inbox.js';

/*
 * What the streams of an API process read. A person's notes become visible in the order of their numbers (`inbox.ts`), so
 * whoever has everything up to a number misses nothing by asking for what comes after it.
 */

/** A note as a stream carries it. */
export interface StreamedNote extends InboxItem {
  readonly personId: string;
}

/** How things stand with a person at one moment. */
export interface Standing {
  readonly personId: string;
  /** The number of the last note that was ever put in; 0 when there was none. */
  readonly lastSeq: number;
  /** The numbers of the notes that are kept and not read, rising. */
  readonly unread: readonly number[];
  /** The sessions of the person that the asking process holds, as far as the ledger knows of them. */
  readonly sessions: readonly string[];
}

/** One statement for many people, whether or not there is anything about them. */
export function standingsOf(
  database: Statements,
  personIds: readonly string[],
  node: string,
): Promise<Standing[]> {
  return database.rows<Standing & Record<string, unknown>>(
    `SELECT asked.id AS "personId", coalesce(inbox.last_seq, 0) AS "lastSeq",
       ARRAY(SELECT seq::float8 FROM inbox_item WHERE person_id = asked.id AND read_at IS NULL
         AND ${isKept('inbox_item', 'inbox.last_seq')} ORDER BY seq) AS unread,
       ARRAY(SELECT id::text FROM realtime_session WHERE person_id = asked.id AND node = $2) AS sessions
     FROM unnest($1::text[]) AS asked(id) LEFT JOIN inbox ON inbox.person_id = asked.id`,
    [personIds, node],
  );
}

/** Where somebody stopped. */
export interface After {
  readonly personId: string;
  readonly seq: number;
}

/**
 * Those of these people whose inbox has moved on, or was begun anew. One statement for all, of a few microseconds for each;
 * of what was read it says nothing.
 */
export async function movedOn(database: Statements, after: readonly After[]): Promise<string[]> {
  const rows = await database.rows<{ personId: string }>(
    `SELECT after.person_id AS "personId" FROM unnest($1::text[], $2::bigint[]) AS after(person_id, seq)
     LEFT JOIN inbox ON inbox.person_id = after.person_id WHERE coalesce(inbox.last_seq, 0) <> after.seq`,
    [after.map(({ personId }) => personId), after.map(({ seq }) => seq)],
  );
  return rows.map(({ personId }) => personId);
}

/** Where a stream begins. */
export interface Opening {
  /** What comes first, in order. */
  readonly notes: readonly StreamedNote[];
  /** Everything after this number comes next. */
  readonly cursor: number;
  /** True when the client named a note that is not known any more: it gets everything that is kept. */
  readonly resync: boolean;
  readonly unread: readonly number[];
}

/** How many of the last notes are looked at for a client that does not say where it stopped. */
const AT_FIRST = 10;

/** What a client says when it comes. */
export interface Asked {
  readonly personId: string;
  /** The id of the last note it has, as it gave it; null when it does not say. */
  readonly since: string | null;
}

/**
 * Where streams begin: after the note that the client names, or with those among the person's last ten that are not read.
 * Three statements for all of them; results are in the order of what was asked.
 */
export async function openingsOf(database: Statements, asked: readonly Asked[]): Promise<Opening[]> {
  const ids = [...new Set(asked.map(({ personId }) => personId))];
  const standings = new Map(
    (await standingsOf(database, ids, NOBODY)).map((standing) => [standing.personId, standing]),
  );
  const stops = await stopsOf(database, asked);
  const beginners = new Set(asked.flatMap(({ personId, since }) => (since === null ? [personId] : [])));
  const firsts = await firstNotes(
    database,
    [...standings.values()].filter(({ personId }) => beginners.has(personId)),
  );
  return asked.map(({ personId, since }, index) => {
    const { lastSeq, unread } = standings.get(personId) ?? { lastSeq: 0, unread: [] };
    if (since === null)
      return {
        notes: firsts.filter((note) => note.personId === personId),
        cursor: lastSeq,
        resync: false,
        unread,
      };
    const stopped = stops.get(index);
    // One that is newer than the last is of an inbox that was emptied meanwhile.
    if (stopped !== undefined) return { notes: [], cursor: stopped, resync: false, unread };
    return { notes: [], cursor: Math.max(0, lastSeq - INBOX_SIZE), resync: true, unread };
  });
}

/** The numbers of the notes that were named, by the place of who names them; without those that are not known. */
async function stopsOf(database: Statements, asked: readonly Asked[]): Promise<Map<number, number>> {
  const named = asked.flatMap(({ personId, since }, place) =>
    since !== null && isId(since) ? [{ personId, since, place }] : [],
  );
  if (named.length === 0) return new Map();
  const rows = await database.rows<{ place: number; seq: number }>(
    `SELECT asked.place, max(note.seq) AS seq
     FROM unnest($1::text[], $2::uuid[], $3::int[]) AS asked(person_id, notification_id, place)
     JOIN inbox_item AS note ON note.person_id = asked.person_id AND note.notification_id = asked.notification_id
     GROUP BY asked.place`,
    [named.map(({ personId }) => personId), named.map(({ since }) => since), named.map(({ place }) => place)],
  );
  return new Map(rows.map(({ place, seq }) => [place, seq]));
}

/** Those that are not read among the last notes of each, the oldest first. */
async function firstNotes(database: Statements, standings: readonly Standing[]): Promise<StreamedNote[]> {
  if (standings.length === 0) return [];
  return database.rows<StreamedNote & Record<string, unknown>>(
    `SELECT * FROM (
       SELECT ${NOTE} FROM unnest($1::text[], $2::bigint[]) AS asked(person_id, last_seq)
       CROSS JOIN LATERAL (
         SELECT * FROM inbox_item WHERE person_id = asked.person_id AND seq <= asked.last_seq ORDER BY seq DESC LIMIT ${AT_FIRST}
       ) AS note LEFT JOIN notification ON notification.id = note.notification_id
     ) AS shown WHERE "readAt" IS NULL ORDER BY "personId", seq`,
    [standings.map(({ personId }) => personId), standings.map(({ lastSeq }) => lastSeq)],
  );
}

/** No process has this id. */
const NOBODY = '00000000-0000-0000-0000-000000000000';

/** The next notes of one person. */
export interface NextNotes {
  readonly notes: readonly StreamedNote[];
  /** True when there may be more of them. */
  readonly more: boolean;
  /** The number of the last note that had been put in by then. */
  readonly lastSeq: number;
}

/** Notes of one person in one answer. */
const AT_ONCE = 50;
/** Bytes of texts in one answer, beside the first note of each person. */
const MOST_BYTES = 4 * 1024 * 1024;

/** The next notes of each of these people, in order; people without any are left out. One statement, of a bounded size. */
export async function notesAfter(
  database: Statements,
  after: readonly After[],
): Promise<Map<string, NextNotes>> {
  const rows = await database.rows<StreamedNote & { found: number; lastSeq: number }>(
    `SELECT * FROM (
       SELECT ${NOTE}, inbox.last_seq AS "lastSeq", count(*) OVER (PARTITION BY note.person_id) AS found,
         row_number() OVER (PARTITION BY note.person_id ORDER BY note.seq) AS place,
         sum(octet_length(note.body) + pg_column_size(note.data)) OVER (ORDER BY note.person_id, note.seq) AS size
       FROM unnest($1::text[], $2::bigint[]) AS after(person_id, seq)
       CROSS JOIN LATERAL (
         SELECT * FROM inbox_item WHERE person_id = after.person_id AND seq > after.seq ORDER BY seq LIMIT ${AT_ONCE}
       ) AS note JOIN inbox ON inbox.person_id = note.person_id
       LEFT JOIN notification ON notification.id = note.notification_id
     ) AS shown WHERE place = 1 OR size <= $3 ORDER BY "personId", seq`,
    [after.map(({ personId }) => personId), after.map(({ seq }) => seq), MOST_BYTES],
  );
  const byPerson = new Map<string, typeof rows>();
  for (const row of rows) {
    const others = byPerson.get(row.personId);
    if (others === undefined) byPerson.set(row.personId, [row]);
    else others.push(row);
  }
  return new Map(
    [...byPerson].map(([personId, notes]) => {
      const { found = 0, lastSeq = 0 } = notes[0] ?? {};
      return [personId, { notes, more: found > notes.length || found >= AT_ONCE, lastSeq }];
    }),
  );
}

const NOTE = `note.person_id AS "personId", ${itemColumns('note', 'notification')}`;

/** The ids of those of these notes that have been read. */
export function readAmong(
  database: Statements,
  notes: readonly After[],
): Promise<{ personId: string; notificationId: string }[]> {
  return database.rows(
    `SELECT note.person_id AS "personId", note.notification_id AS "notificationId"
     FROM unnest($1::text[], $2::bigint[]) AS asked(person_id, seq)
     JOIN inbox_item AS note ON note.person_id = asked.person_id AND note.seq = asked.seq
     WHERE note.read_at IS NOT NULL ORDER BY note.person_id, note.seq`,
    [notes.map(({ personId }) => personId), notes.map(({ seq }) => seq)],
  );
}
