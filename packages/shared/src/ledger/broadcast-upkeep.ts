import type { Database } from './database.js';
import { hasOpenPart } from './open-part.js';
import { retryTransient } from './retry-transient.js';
import { isWaiting } from './states.js';

/** A broadcast whose fan-out has something to do, now or soon. */
export interface DueBroadcast {
  readonly id: string;
  /** 0 when it is due. */
  readonly delayMs: number;
}

/** Those that are being told, and those whose time comes within a day; the first to come first. */
export function dueBroadcasts(database: Database, limit: number): Promise<DueBroadcast[]> {
  return database.rows<DueBroadcast & Record<string, unknown>>(
    `SELECT id, greatest(0, coalesce(extract(epoch FROM send_at - now()) * 1000, 0))::float8 AS "delayMs" FROM broadcast
     WHERE status IN ('scheduled', 'running') AND ended_at IS NULL
       AND (send_at IS NULL OR send_at < now() + interval '24 hours')
     ORDER BY send_at NULLS FIRST, id LIMIT $1`,
    [limit],
  );
}

/** Completes the broadcasts that have come to everybody and of which nothing is left to be sent; returns them. */
export async function completeBroadcasts(database: Database): Promise<string[]> {
  const rows = await database.rows<{ id: string }>(
    `UPDATE broadcast SET status = 'completed', ended_at = now() WHERE id IN (
       SELECT b.id FROM broadcast b WHERE b.status = 'running' AND b.ended_at IS NOT NULL AND NOT ${hasOpenPart('b')}
       FOR UPDATE SKIP LOCKED)
     RETURNING id`,
  );
  return rows.map(({ id }) => id);
}

/**
 * Stops at most `limit` deliveries of a broadcast that wait for a worker, and resolves with how many; what a worker has in
 * its hands goes on. What was given up is not taken up again.
 */
export async function cancelDeliveries(
  database: Database,
  broadcastId: string,
  limit: number,
): Promise<number> {
  const [row] = await retryTransient(() => database.rows<{ cancelled: number }>(STOP, [broadcastId, limit]));
  return row?.cancelled ?? 0;
}

const STOP = `
WITH waiting AS MATERIALIZED (
  SELECT d.id FROM notification n JOIN delivery d ON d.notification_id = n.id
  WHERE n.broadcast_id = $1 AND ((n.open_count > 0 AND ${isWaiting('d.state')})
    OR (n.dead_count > 0 AND d.state = 'dead' AND d.retryable))
  ORDER BY d.id LIMIT $2 FOR UPDATE OF d
), stopped AS (
  UPDATE delivery d SET retryable = false, updated_at = now(),
    state = CASE WHEN d.state = 'dead' THEN d.state ELSE 'cancelled' END,
    reason = CASE WHEN d.state = 'dead' THEN d.reason ELSE 'broadcast_cancelled' END
  FROM waiting WHERE d.id = waiting.id AND (${isWaiting('d.state')} OR d.state = 'dead')
  RETURNING d.id
)
SELECT count(*)::int AS cancelled FROM stopped`;

/** Broadcasts that were called off within the last hour and of which something may still go out. */
export async function unfinishedCancellations(database: Database): Promise<string[]> {
  const rows = await database.rows<{ id: string }>(
    `SELECT b.id FROM broadcast b WHERE b.ended_at > now() - interval '1 hour' AND b.status = 'cancelled' AND ${hasOpenPart('b')}`,
  );
  return rows.map(({ id }) => id);
}

/**
 * Removes at most `limit` broadcasts that ended more than `days` ago. Their notifications are kept for as long as they are
 * there, so that their counts stay right, and are pruned like all others once they are gone.
 */
export async function forgetBroadcasts(database: Database, days: number, limit: number): Promise<number> {
  const rows = await database.rows(
    `DELETE FROM broadcast WHERE id IN (
       SELECT id FROM broadcast WHERE ended_at < now() - $1 * interval '1 day' AND status IN ('completed', 'cancelled')
       ORDER BY ended_at LIMIT $2)
     RETURNING 1`,
    [days, limit],
  );
  return rows.length;
}

/** How many broadcasts are in each of the statuses that are no end, and how many people they have not come to yet. */
export function measureBroadcasts(
  database: Database,
): Promise<{ status: 'scheduled' | 'running' | 'paused'; count: number; left: number }[]> {
  return database.rows(
    `SELECT status, count(*)::int AS count,
       coalesce(sum(CASE WHEN ended_at IS NULL THEN greatest(0, total - reached) END), 0)::int AS left
     FROM broadcast WHERE status IN ('scheduled', 'running', 'paused') GROUP BY status`,
  );
}
