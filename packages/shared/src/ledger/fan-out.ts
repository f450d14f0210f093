import type { BroadcastContent } from '../domain/broadcast.js';
import { audienceSize } from './audience.js';
import type { Database, Statements } from './database.js';
import { isOpen } from './states.js';

/** A broadcast in the hands of one fan-out, until the end of the transaction. */
export interface HeldBroadcast extends BroadcastContent {
  readonly id: string;
  readonly caller: string;
  /** The last person who was come to; null before the first. */
  readonly cursor: string | null;
  readonly expired: boolean;
}

/** Why there is nothing to hold: another fan-out has it, its time has not come, or nothing is left to be done. */
export type Hold =
  | { readonly kind: 'held'; readonly broadcast: HeldBroadcast }
  | { readonly kind: 'busy' }
  | { readonly kind: 'early'; readonly waitMs: number }
  | { readonly kind: 'over' };

/**
 * Takes the broadcast for one chunk: nobody else tells anybody of it, pauses it or calls it off before the transaction ends.
 * One whose time has come begins by it, and its audience is counted again: by the database's clock (law 9).
 */
export async function holdBroadcast(transaction: Statements, id: string): Promise<Hold> {
  const [row] = await transaction.rows<HeldRow>(HOLD, [id]);
  if (row === undefined) {
    const [known] = await transaction.rows('SELECT 1 FROM broadcast WHERE id = $1', [id]);
    return { kind: known === undefined ? 'over' : 'busy' };
  }
  const { status, through, waitMs, ...broadcast } = row;
  if (through || !(status === 'scheduled' || status === 'running')) return { kind: 'over' };
  if (waitMs > 0) return { kind: 'early', waitMs };
  if (status === 'scheduled')
    await transaction.rows(
      `UPDATE broadcast b SET status = 'running', started_at = now(), total = ${audienceSize('b.groups')} WHERE id = $1`,
      [id],
    );
  return { kind: 'held', broadcast };
}

type HeldRow = HeldBroadcast & {
  readonly status: string;
  readonly through: boolean;
  readonly waitMs: number;
};

const HOLD = `
SELECT id, type, title, message, data, priority, channels, groups, caller, cursor, expires_at AS "expiresAt",
  coalesce(expires_at <= now(), false) AS expired, status, ended_at IS NOT NULL AS through,
  CASE WHEN status = 'scheduled' THEN greatest(0, coalesce(extract(epoch FROM send_at - now()) * 1000, 0)) ELSE 0 END::float8
    AS "waitMs"
FROM broadcast WHERE id = $1 FOR UPDATE SKIP LOCKED`;

/** Somebody whom the fan-out comes to. */
export interface Candidate {
  readonly id: string;
  /** They are active, and were in the audience before it began. */
  readonly wanted: boolean;
}

/**
 * The next people in the order of their ids, after the cursor. Whoever is passed over counts as well, so that a chunk takes
 * as long in a group where everybody is switched off as in any other.
 */
export function nextPeople(
  transaction: Statements,
  { id, cursor, groups }: HeldBroadcast,
  limit: number,
): Promise<Candidate[]> {
  const values = [id, cursor ?? '', limit];
  return groups.length === 0
    ? transaction.rows<Candidate & Record<string, unknown>>(OF_ALL, values)
    : transaction.rows<Candidate & Record<string, unknown>>(OF_GROUPS, [...values, groups]);
}

const BEGAN = '(SELECT started_at FROM broadcast WHERE id = $1)';
/* The cursor alone keeps everybody from being told twice; this holds should anybody ever move it back. */
const UNTOLD = 'NOT EXISTS (SELECT 1 FROM notification n WHERE n.broadcast_id = $1 AND n.person_id = p.id)';

const OF_ALL = `
SELECT p.id, p.active AND p.created_at <= ${BEGAN} AND ${UNTOLD} AS wanted
FROM person p WHERE p.id > $2 ORDER BY p.id LIMIT $3`;

/* The first of each group by its index, and of those the first again: no group is read further than it has to be. */
const OF_GROUPS = `
SELECT p.id, p.active AND p.created_at <= ${BEGAN} AND next.joined_at <= ${BEGAN} AND ${UNTOLD} AS wanted
FROM (
  SELECT m.person_id, min(m.created_at) AS joined_at FROM unnest($4::text[]) AS g(id), LATERAL (
    SELECT person_id, created_at FROM group_member
    WHERE group_id = g.id AND person_id > $2 ORDER BY person_id LIMIT $3) AS m
  GROUP BY m.person_id ORDER BY m.person_id LIMIT $3
) AS next JOIN person p ON p.id = next.person_id
ORDER BY p.id`;

/** What one chunk came to. */
export interface ChunkEnd {
  /** The last person of it; null when there was none. */
  readonly cursor: string | null;
  /** How many people have a notification by it. */
  readonly told: number;
  /** Nobody is left, so the total is who was told. */
  readonly through: boolean;
}

/** Moves the cursor, in the transaction of what was written for the people before it. */
export async function endChunk(
  transaction: Statements,
  id: string,
  { cursor, told, through }: ChunkEnd,
): Promise<void> {
  await transaction.rows(
    `UPDATE broadcast SET cursor = coalesce($2, cursor), reached = reached + $3,
       total = CASE WHEN $4 THEN reached + $3 ELSE greatest(total, reached + $3) END,
       ended_at = CASE WHEN $4 THEN now() ELSE ended_at END
     WHERE id = $1`,
    [id, cursor, told, through],
  );
}

/** Ends a broadcast that came too late for whoever is left: the total stays what it was. */
export async function endExpired(transaction: Statements, id: string): Promise<void> {
  await transaction.rows("UPDATE broadcast SET status = 'running', ended_at = now() WHERE id = $1", [id]);
}

/** True when at least `most` deliveries of one of its channels, at its priority, are due and have not been sent. */
export async function isCrowded(database: Database, id: string, most: number): Promise<boolean> {
  const [row] = await database.rows<{ crowded: boolean }>(
    `SELECT coalesce(bool_or((SELECT count(*) FROM (
         SELECT 1 FROM delivery d WHERE ${isOpen('d.state')} AND d.channel = c.channel AND d.priority = b.priority
           AND d.due_at <= now() LIMIT $2) AS due) >= $2), false) AS crowded
     FROM broadcast b, unnest(b.channels) AS c(channel) WHERE b.id = $1`,
    [id, most],
  );
  return row?.crowded === true;
}
