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

/**
 * Writes down that a process holds a stream. `full` when the person has as many as they may have, whichever processes hold
 * them; `unknown` when there is no such person yet: then nothing is written.
 */
export function openStream(
  database: Database,
  { id, personId, transport }: Stream,
  node: string,
  { perPerson, ttlMs }: SessionBounds,
): Promise<'open' | 'full' | 'unknown'> {
  return database.transaction(async (transaction) => {
    if (!(await hold(transaction, personId))) return 'unknown';
    const [row] = await transaction.rows<{ streams: number }>(
      `SELECT count(*) AS streams FROM realtime_session
       WHERE person_id = $1 AND transport <> 'reported' AND ${liveIf(2)}`,
      [personId, ttlMs],
    );
    if ((row?.streams ?? 0) >= perPerson) return 'full';
    await transaction.rows(
      'INSERT INTO realtime_session (id, person_id, node, transport) VALUES ($1, $2, $3, $4)',
      [id, personId, node, transport],
    );
    return 'open';
  });
}

/** Lets nobody else count or add sessions of this person until the commit. False when there is no such person. */
async function hold(transaction: Statements, personId: string): Promise<boolean> {
  const rows = await transaction.rows('SELECT 1 FROM person WHERE id = $1 FOR NO KEY UPDATE', [personId]);
  return rows.length > 0;
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
    if (!(await hold(transaction, personId))) return null;
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
/** A process that could not renew for so long, because the database was away or its machine asleep, may still hold its streams. */
const MAY_RETURN_HOURS = 24;
const SWEPT_AT_ONCE = 1_000;

/**
 * Takes away rows of sessions that are gone: all but the latest of a person, and that one after thirty days. The row of a stream
 * that nobody has ended stays for a day of silence: its process would take a missing row for the end of the session, and tell
 * the client not to come back.
 */
export async function forgetSessions(database: Statements, ttlMs: number): Promise<void> {
  await database.rows(
    `DELETE FROM realtime_session WHERE id IN (
       SELECT gone.id FROM realtime_session AS gone
       WHERE NOT ${liveIf(1)}
         AND (node IS NULL OR node = '${ENDED}' OR seen_at < now() - interval '${MAY_RETURN_HOURS} hours')
         AND (seen_at < now() - interval '${REMEMBERED_DAYS} days' OR EXISTS (
         SELECT 1 FROM realtime_session AS later WHERE later.person_id = gone.person_id
           AND (later.seen_at, later.id) > (gone.seen_at, gone.id)))
       LIMIT ${SWEPT_AT_ONCE} FOR UPDATE SKIP LOCKED)`,
    [ttlMs],
  );
}
