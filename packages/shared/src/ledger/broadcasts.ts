import { desc, lt } from 'drizzle-orm';
import {
  afterMove,
  type BroadcastContent,
  type BroadcastMove,
  type BroadcastStatus,
} from '../domain/broadcast.js';
import type { KeptAnswer } from './accept.js';
import { audienceSize } from './audience.js';
import { type Actor, recordAudit } from './audit.js';
import type { Database, Statements } from './database.js';
import { keepAnswer } from './idempotency.js';
import { hasOpenPart } from './open-part.js';
import { retryTransient } from './retry-transient.js';
import { broadcast } from './schema.js';

/** A broadcast that is to be written. */
export interface NewBroadcast extends BroadcastContent {
  readonly id: string;
  readonly sendAt: Date | null;
}

/** A broadcast that was written. */
export interface CreatedBroadcast {
  readonly id: string;
  readonly status: BroadcastStatus;
  /** How many people it is for, now. */
  readonly total: number;
  /** When its fan-out may begin; 0 for now. */
  readonly delayMs: number;
}

/** `taken` when another call with the same key was first: its answer stands. */
export type Creation =
  | { readonly kind: 'created'; readonly broadcasts: readonly CreatedBroadcast[] }
  | { readonly kind: 'taken' };

class Taken extends Error {}

/**
 * Writes broadcasts with the answer to their call, in one commit (law 1). Nobody is told by it: that is what the fan-out is
 * for, so it takes as long for a million people as for one.
 */
export async function createBroadcasts(
  database: Database,
  broadcasts: readonly NewBroadcast[],
  actor: Actor,
  answer: (created: readonly CreatedBroadcast[]) => KeptAnswer | null,
): Promise<Creation> {
  const act = async (transaction: Statements) => {
    const created: CreatedBroadcast[] = [];
    for (const one of broadcasts) created.push(await create(transaction, one, actor));
    const kept = answer(created);
    if (kept !== null && !(await keepAnswer(transaction, kept))) throw new Taken();
    return created;
  };
  try {
    const created = await retryTransient(() => database.transaction(act));
    return { kind: 'created', broadcasts: created };
  } catch (error) {
    if (error instanceof Taken) return { kind: 'taken' };
    throw error;
  }
}

async function create(transaction: Statements, one: NewBroadcast, actor: Actor): Promise<CreatedBroadcast> {
  const [row] = await transaction.rows<CreatedBroadcast & Record<string, unknown>>(CREATE, [
    one.id,
    one.type,
    one.title,
    one.message,
    JSON.stringify(one.data),
    one.priority,
    one.channels,
    one.groups,
    actor.sub,
    one.sendAt,
    one.expiresAt,
  ]);
  if (row === undefined) throw new Error('A statement without a row.');
  await recordAudit(transaction, {
    actor,
    action: 'broadcast.create',
    target: broadcastTarget(one.id),
    details: { total: row.total, groups: one.groups, channels: one.channels },
  });
  return row;
}

const CREATE = `
INSERT INTO broadcast (id, type, title, message, data, priority, channels, groups, caller, send_at, expires_at,
  status, started_at, total)
SELECT given.*, CASE WHEN given.send_at > now() THEN 'scheduled' ELSE 'running' END,
  CASE WHEN given.send_at > now() THEN NULL ELSE now() END, ${audienceSize('given.groups')}
FROM (SELECT $1::uuid, $2, $3, $4, $5::jsonb, $6, $7::text[], $8::text[] AS groups, $9, $10::timestamptz AS send_at,
  $11::timestamptz) AS given
RETURNING id, status, total, greatest(0, coalesce(extract(epoch FROM send_at - now()) * 1000, 0))::float8 AS "delayMs"`;

/** What the audit trail calls a broadcast. */
function broadcastTarget(id: string): string {
  return `broadcast:${id}`;
}

export type BroadcastRow = Omit<typeof broadcast.$inferSelect, 'cursor'>;

/** What has become of the people that a broadcast has come to: each is in one of the first four. */
export interface BroadcastCounts {
  readonly sent: number;
  readonly failed: number;
  readonly pending: number;
  readonly cancelled: number;
  /** Of the failed, those who could be reached on none of its channels: switched off, or without an address. */
  readonly noChannel: number;
}

export interface BroadcastProgress {
  readonly broadcast: BroadcastRow;
  readonly counts: BroadcastCounts;
}

/** One broadcast with its counts, which are read from its notifications: exact at that moment. Null when there is none. */
export async function findBroadcast(database: Database, id: string): Promise<BroadcastProgress | null> {
  const [row] = await database.rows<BroadcastRow & BroadcastCounts & Record<string, unknown>>(PROGRESS, [id]);
  if (row === undefined) return null;
  const { sent, failed, pending, cancelled, noChannel, ...rest } = row;
  const counts = { sent, failed, pending, cancelled, noChannel };
  return { broadcast: { ...rest, status: statusOf(rest, pending) }, counts };
}

/** The upkeep writes down that the last delivery has ended; whoever looks first need not wait for it. */
function statusOf({ status, endedAt }: BroadcastRow, pending: number): BroadcastStatus {
  return status === 'running' && endedAt !== null && pending === 0 ? 'completed' : status;
}

const PROGRESS = `
SELECT b.id, b.type, b.title, b.message, b.data, b.priority, b.channels, b.groups, b.caller, b.status, b.total, b.reached,
  b.send_at AS "sendAt", b.expires_at AS "expiresAt", b.created_at AS "createdAt", b.started_at AS "startedAt",
  b.ended_at AS "endedAt", counted.*
FROM broadcast b, LATERAL (
  SELECT count(*) FILTER (WHERE status = 'SENT')::int AS sent, count(*) FILTER (WHERE status = 'FAILED')::int AS failed,
    count(*) FILTER (WHERE status = 'PENDING')::int AS pending,
    count(*) FILTER (WHERE status = 'CANCELLED')::int AS cancelled,
    count(*) FILTER (WHERE reason = 'no_channel')::int AS "noChannel"
  FROM notification n WHERE n.broadcast_id = b.id
) AS counted
WHERE b.id = $1`;

/** A page of broadcasts, newest first, without their counts. `beforeId` is the last id of the page before. */
export function listBroadcasts(
  database: Database,
  page: { beforeId?: string | undefined; limit: number },
): Promise<BroadcastRow[]> {
  return database.orm
    .select()
    .from(broadcast)
    .where(page.beforeId === undefined ? undefined : lt(broadcast.id, page.beforeId))
    .orderBy(desc(broadcast.id))
    .limit(page.limit);
}

/** What came of a move by hand. */
export type MoveOutcome =
  | { readonly kind: 'moved'; readonly status: BroadcastStatus; readonly delayMs: number }
  | { readonly kind: 'impossible'; readonly status: BroadcastStatus; readonly through: boolean }
  | { readonly kind: 'unknown' };

/** Pauses, resumes or cancels a broadcast, and writes down who did. The fan-out stops before its next chunk. */
export function moveBroadcast(
  database: Database,
  id: string,
  move: BroadcastMove,
  actor: Actor,
): Promise<MoveOutcome> {
  return retryTransient(() =>
    database.transaction(async (transaction): Promise<MoveOutcome> => {
      // Held before it is read: a chunk that ends meanwhile is waited for, and what it has handed out is seen.
      await transaction.rows('SELECT 1 FROM broadcast WHERE id = $1 FOR UPDATE', [id]);
      const [row] = await transaction.rows<Standing>(STANDING, [id]);
      if (row === undefined) return { kind: 'unknown' };
      const to = afterMove(row, move);
      if (to === null) return { kind: 'impossible', status: row.status, through: row.through };
      await transaction.rows(
        `UPDATE broadcast SET status = $2, ended_at = CASE WHEN $2 = 'cancelled' THEN now() ELSE ended_at END WHERE id = $1`,
        [id, to],
      );
      await recordAudit(transaction, {
        actor,
        action: `broadcast.${move}`,
        target: broadcastTarget(id),
        details: { from: row.status, to },
      });
      return { kind: 'moved', status: to, delayMs: row.delayMs };
    }),
  );
}

const STANDING = `
SELECT started_at IS NOT NULL AS started, ended_at IS NOT NULL AS through,
  CASE WHEN status = 'running' AND ended_at IS NOT NULL AND NOT ${hasOpenPart('b')} THEN 'completed' ELSE status END AS status,
  greatest(0, coalesce(extract(epoch FROM send_at - now()) * 1000, 0))::float8 AS "delayMs"
FROM broadcast b WHERE id = $1`;

type Standing = {
  readonly status: BroadcastStatus;
  readonly started: boolean;
  readonly through: boolean;
  readonly delayMs: number;
};
