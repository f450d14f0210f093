import type { Database } from './database.js';
import { retryTransient } from './retry-transient.js';

/** One step of pruning: what it removed, and where the next one goes on; null when there is nothing behind it. */
export interface PruneStep {
  readonly removed: number;
  readonly afterId: string | null;
}

/** The statuses in which nothing is left to be done. */
const ENDED = ['SENT', 'FAILED', 'CANCELLED'] as const;
type Ended = (typeof ENDED)[number];

/** The lowest UUID: where a walk begins. */
const BEGIN = '00000000-0000-0000-0000-000000000000';

/** Where pruning begins: a walk through each of the statuses that are an end. */
export const PRUNE_WALKS: readonly PruneWalk[] = ENDED.map((status) => ({ status, afterId: BEGIN }));

export interface PruneWalk {
  readonly status: Ended;
  readonly afterId: string;
}

/**
 * Removes at most `limit` notifications that ended and have not changed for `days`, with their deliveries, attempts and
 * inbox items, and adds them to the counts of what was pruned: one short transaction, in which totals stay the same. A row
 * that somebody holds at this moment is passed over, and nobody who holds one is waited for.
 */
export async function pruneStep(
  database: Database,
  { status, afterId }: PruneWalk,
  days: number,
  limit: number,
): Promise<PruneStep> {
  const [row] = await retryTransient(() =>
    database.rows<{ removed: number; looked: number; last: string | null }>(PRUNE, [
      status,
      afterId,
      days,
      limit,
    ]),
  );
  if (row === undefined) throw new Error('A statement without a row.');
  return { removed: row.removed, afterId: row.looked < limit ? null : row.last };
}

/*
 * Ids are UUIDv7, so they are walked in the order of their age, and a walk ends at the first that is too young: the bound
 * on the id is the time of the database in the same form, with a minute for clocks that differ. A notification is as old
 * as the last thing that happened to it, so one that was scheduled a year ahead stays after it was sent. One that is part of a
 * broadcast stays for as long as that does, whose counts are counted from it.
 */
const PRUNE = `
WITH old AS MATERIALIZED (
  SELECT id, event_type, status FROM notification
  WHERE status = $1 AND id > $2 AND id < (lpad(to_hex(
    floor(extract(epoch FROM now() - $3 * interval '1 day' + interval '1 minute') * 1000)::bigint), 12, '0')
    || rpad('', 20, '0'))::uuid
  ORDER BY id LIMIT $4
), doomed AS MATERIALIZED (
  SELECT n.id, n.event_type, n.status, n.canary FROM notification n JOIN old USING (id)
  WHERE n.status = $1 AND n.created_at < now() - $3 * interval '1 day' AND NOT EXISTS (
    SELECT 1 FROM delivery d WHERE d.notification_id = n.id AND d.updated_at >= now() - $3 * interval '1 day')
    AND NOT EXISTS (SELECT 1 FROM broadcast b WHERE b.id = n.broadcast_id)
  ORDER BY n.id FOR UPDATE OF n SKIP LOCKED
), notes AS (
  DELETE FROM inbox_item WHERE delivery_id IN (
    SELECT d.id FROM delivery d JOIN doomed ON doomed.id = d.notification_id)
), gone AS (
  DELETE FROM notification WHERE id IN (SELECT id FROM doomed) RETURNING id
), counted AS (
  INSERT INTO pruned_count (event_type, status, count)
  SELECT coalesce(event_type, ''), status, count(*) FROM doomed JOIN gone USING (id) WHERE NOT canary GROUP BY 1, 2
  ON CONFLICT (event_type, status) DO UPDATE SET count = pruned_count.count + excluded.count
)
SELECT (SELECT count(*)::int FROM gone) AS removed, (SELECT count(*)::int FROM old) AS looked,
  (SELECT id FROM old ORDER BY id DESC LIMIT 1) AS last`;
