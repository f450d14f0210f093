import { newId } from '../domain/ids.js';
import type { Database, Statements } from './database.js';

/*
 * Who is connected. An API process renews the rows of the streams it holds; a client renews a session that it only reports.
 * What is not renewed is as gone. A session that ended stays as the trace of when its person was last here.
 */

export type Transport = 'websocket' | 'sse' | 'reported';

/** How often a process renews its rows. */
export const RENEW_MS = 15_000;
/** So long after its last word a process is thought dead, and its streams with it. */
const SILENT_MS = 3 * RENEW_MS;
/** The node of a session that has ended. */
const ENDED = '00000000-0000-0000-0000-000000000000';

/** True for a row that somebody still holds; `$ttl` is the number of the parameter with `SESSION_TTL_MS`. */
const liveIf = (ttl: number) =>
  `(node IS DISTINCT FROM '${ENDED}' AND seen_at > now() - interval '1 millisecond' *
     CASE WHEN node IS NULL THEN $${ttl}::float8 ELSE least($${ttl}::float8, ${SILENT_MS}) END)`;

/** A stream that an API process holds. */
export interface Stream {
  readonly id: string;
  readonly personId: string;
  readonly transport: Transport;
}

export interface SessionBounds {
  /** Sessions of one person at most, over all processes. */
  readonly perPerson: number;
  /** After this time without a word a reported session is as gone (`SESSION_TTL_MS`). */
  readonly ttlMs: number;
}

/** Whether a stream may be: `full` when its person has as many as they may have, `unknown` when there is no such person yet. */
export type Admittance = 'open' | 'full' | 'unknown';

/**
 * Writes down that a process holds these streams, those that may be, in one transaction. The bound counts the streams of all
 * processes; of one person, the first get what room there is. Results are in the order of the streams.
 */
export function openStreams(
  database: Database,
  streams: readonly Stream[],
  node: string,
  { perPerson, ttlMs }: SessionBounds,
): Promise<Admittance[]> {
  return database.transaction(async (transaction) => {
    const personIds = streams.map(({ personId }) => personId);
    const held = await hold(transaction, personIds, ttlMs);
    // Reads what those have written who held them before.
    const rows = await transaction.rows<{ id: string }>(
      `INSERT INTO realtime_session (id, person_id, node, transport)
       SELECT given.id, given.person_id, $1, given.transport FROM (
         SELECT one.*, row_number() OVER (PARTITION BY person_id ORDER BY place) AS nth
         FROM unnest($2::uuid[], $3::text[], $4::text[]) WITH ORDINALITY AS one(id, person_id, transport, place)
       ) AS given WHERE given.person_id = ANY($5::text[]) AND given.nth + (
         SELECT count(*) FROM realtime_session
         WHERE person_id = given.person_id AND transport <> 'reported' AND ${liveIf(6)}) <= $7
       RETURNING id`,
      [
        node,
        streams.map(({ id }) => id),
        personIds,
        streams.map(({ transport }) => transport),
        [...held],
        ttlMs,
        perPerson,
      ],
    );
    const open = new Set(rows.map(({ id }) => id));
    return streams.map(({ id, personId }) => {
      if (open.has(id)) return 'open';
      return held.has(personId) ? 'full' : 'unknown';
    });
  });
}

/**
 * No process holds it. One that could not renew for less than a day, because the database was away or its machine asleep, may
 * be back: it would take a missing row for the end of the session, and tell the client not to come back.
 */
const OF_NOBODY = `(node IS NULL OR node = '${ENDED}' OR seen_at < now() - interval '1 day')`;

/**
 * Lets nobody else count or add sessions of these people until the commit. Those that are gone make room: whoever asks is here, so
 * they tell nothing any more. Resolves with those who are known.
 */
async function hold(
  transaction: Statements,
  personIds: readonly string[],
  ttlMs: number,
): Promise<Set<string>> {
  const rows = await transaction.rows<{ id: string }>(
    'SELECT id FROM person WHERE id = ANY($1::text[]) ORDER BY id FOR NO KEY UPDATE',
    [personIds],
  );
  const held = rows.map(({ id }) => id);
  await transaction.rows(
    `DELETE FROM realtime_session WHERE id IN (
       SELECT id FROM realtime_session WHERE person_id = ANY($1::text[]) AND NOT ${liveIf(2)} AND ${OF_NOBODY}
       FOR UPDATE SKIP LOCKED)`,
    [held, ttlMs],
  );
  return new Set(held);
}

/** Says that a process still holds these streams. Resolves with those that are still to be held. */
export async function renewStreams(
  database: Statements,
  node: string,
  ids: readonly string[],
): Promise<string[]> {
  const rows = await database.rows<{ id: string }>(
    'UPDATE realtime_session SET seen_at = now() WHERE id = ANY($2::uuid[]) AND node = $1 RETURNING id',
    [node, ids],
  );
  return rows.map(({ id }) => id);
}

/** Writes down streams of people who were not known when they connected. Resolves with those who are known by now. */
export async function adoptStreams(
  database: Statements,
  node: string,
  streams: readonly Stream[],
): Promise<string[]> {
  const rows = await database.rows<{ id: string }>(
    `INSERT INTO realtime_session (id, person_id, node, transport)
     SELECT given.* FROM (SELECT id, person_id, $1::uuid, transport
       FROM unnest($2::uuid[], $3::text[], $4::text[]) AS one(id, person_id, transport)) AS given
     JOIN person ON person.id = given.person_id ON CONFLICT DO NOTHING RETURNING id`,
    [
      node,
      streams.map(({ id }) => id),
      streams.map(({ personId }) => personId),
      streams.map(({ transport }) => transport),
    ],
  );
  return rows.map(({ id }) => id);
}

/** These streams have ended. */
export async function endStreams(database: Statements, node: string, ids: readonly string[]): Promise<void> {
  await database.rows(
    `UPDATE realtime_session SET node = '${ENDED}', seen_at = now() WHERE id = ANY($2::uuid[]) AND node = $1`,
    [node, ids],
  );
}

/** A session that a client reports by itself. */
export interface Report {
  readonly personId: string;
  /** The client's own name for it, or the id of one of its streams; null to be given one. */
  readonly name: string | null;
  readonly device: Readonly<Record<string, unknown>> | null;
}

/**
 * Writes down a session that a client reports; one of that name is renewed. When the person has as many as they may have, the
 * one that was silent for longest makes room. Null when there is no such person.
 */
export function reportSession(
  database: Database,
  { personId, name, device }: Report,
  { perPerson, ttlMs }: SessionBounds,
): Promise<string | null> {
  return database.transaction(async (transaction) => {
    if ((await hold(transaction, [personId], ttlMs)).size === 0) return null;
    const said = JSON.stringify(device === null ? {} : { device_info: device });
    if (name !== null) {
      const [known] = await transaction.rows(
        `UPDATE realtime_session SET seen_at = now(), device = device || $4::jsonb
         WHERE person_id = $1 AND ${NAMED} AND ${liveIf(3)} RETURNING 1`,
        [personId, name, ttlMs, said],
      );
      if (known !== undefined) return name;
    }
    await transaction.rows(
      `UPDATE realtime_session SET node = '${ENDED}' WHERE id IN (
         SELECT id FROM realtime_session WHERE person_id = $1 AND node IS NULL ORDER BY seen_at DESC, id OFFSET $2)`,
      [personId, perPerson - 1],
    );
    const id = newId();
    await transaction.rows(
      `INSERT INTO realtime_session (id, person_id, transport, device)
       VALUES ($1, $2, 'reported', $3::jsonb || jsonb_strip_nulls(jsonb_build_object('session_id', $4::text)))`,
      [id, personId, said, name],
    );
    return name ?? id;
  });
}

const NAMED = `(id::text = lower($2) OR device->>'session_id' = $2)`;

/** Renews a session of a person, or all that they report when none is named. Resolves with how many there are. */
export async function renewReported(
  database: Statements,
  personId: string,
  name: string | null,
  ttlMs: number,
): Promise<number> {
  const which = name === null ? 'node IS NULL AND $2::text IS NULL' : NAMED;
  const rows = await database.rows(
    `UPDATE realtime_session SET seen_at = now() WHERE person_id = $1 AND ${which} AND ${liveIf(3)} RETURNING 1`,
    [personId, name, ttlMs],
  );
  return rows.length;
}

/** Ends a session of a person, or all of them when none is named: whoever holds a stream finds it gone. How many there were. */
export async function endSessions(
  database: Statements,
  personId: string,
  name: string | null,
  ttlMs: number,
): Promise<number> {
  const which = name === null ? '$2::text IS NULL' : NAMED;
  const rows = await database.rows(
    `UPDATE realtime_session SET node = '${ENDED}', seen_at = now()
     WHERE person_id = $1 AND ${which} AND ${liveIf(3)} RETURNING 1`,
    [personId, name, ttlMs],
  );
  return rows.length;
}

/** A session that is there. */
export interface PresentSession {
  /** The client's own name for it, where it has given one. */
  readonly id: string;
  readonly transport: Transport;
  readonly device: Readonly<Record<string, unknown>> | null;
  readonly connectedAt: Date;
  readonly seenAt: Date;
}

export interface Presence {
  readonly sessions: readonly PresentSession[];
  /** When any session of the person was last heard of; null when that is not known. */
  readonly lastSeenAt: Date | null;
}

/** Who is there of a person; null when there is no such person. */
export async function presenceOf(
  database: Statements,
  personId: string,
  ttlMs: number,
): Promise<Presence | null> {
  const [person] = await database.rows<{ lastSeenAt: Date | null }>(
    `SELECT (SELECT max(seen_at) FROM realtime_session WHERE person_id = $1) AS "lastSeenAt" FROM person WHERE id = $1`,
    [personId],
  );
  if (person === undefined) return null;
  const sessions = await database.rows<PresentSession & Record<string, unknown>>(
    `SELECT coalesce(device->>'session_id', id::text) AS id, transport, device->'device_info' AS device,
       connected_at AS "connectedAt", seen_at AS "seenAt"
     FROM realtime_session WHERE person_id = $1 AND ${liveIf(2)} ORDER BY connected_at, id`,
    [personId, ttlMs],
  );
  return { sessions, lastSeenAt: person.lastSeenAt };
}

/** How long it is known when somebody was last here. */
const REMEMBERED_DAYS = 30;
const SWEPT_AT_ONCE = 1_000;

/**
 * Takes away rows of sessions that are gone when that is thirty days ago, by the index on that moment: whatever else is there is
 * not looked at, so this may be done often. Whoever comes back takes away their own.
 */
export async function forgetSessions(database: Statements, ttlMs: number): Promise<void> {
  await database.rows(
    `DELETE FROM realtime_session WHERE id IN (
       SELECT id FROM realtime_session
       WHERE seen_at < now() - interval '${REMEMBERED_DAYS} days' AND NOT ${liveIf(1)}
       LIMIT ${SWEPT_AT_ONCE} FOR UPDATE SKIP LOCKED)`,
    [ttlMs],
  );
}
