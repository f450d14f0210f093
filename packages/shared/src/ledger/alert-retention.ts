import type { Database, Statements } from './database.js';
import { retryTransient } from './retry-transient.js';

/** Removes at most `limit` alerts that were resolved more than `days` ago, with their timelines. Open ones stay for ever. */
export function forgetAlerts(database: Database, days: number, limit: number): Promise<unknown> {
  return retryTransient(() =>
    database.rows(
      `DELETE FROM alert WHERE id IN (
         SELECT id FROM alert WHERE status = 'resolved' AND resolved_at < now() - $1 * interval '1 day'
         ORDER BY resolved_at LIMIT $2 FOR UPDATE SKIP LOCKED)`,
      [days, limit],
    ),
  );
}

/** Takes the id of somebody who is erased out of everything that says what they raised and did, and of what they were told. */
export async function eraseFromAlerts(transaction: Statements, personId: string): Promise<void> {
  await transaction.rows('UPDATE alert_event SET person_id = NULL WHERE person_id = $1', [personId]);
  await transaction.rows(
    `WITH theirs AS MATERIALIZED (
       SELECT id FROM alert WHERE acknowledged_by = $1 OR resolved_by = $1 OR caller = $1 ORDER BY id FOR UPDATE
     ), acts AS (
       UPDATE alert_event SET actor = NULL WHERE actor = $1 AND alert_id IN (SELECT id FROM theirs)
     )
     UPDATE alert SET acknowledged_by = nullif(acknowledged_by, $1), resolved_by = nullif(resolved_by, $1),
       caller = CASE caller WHEN $1 THEN '(erased)' ELSE caller END
     WHERE id IN (SELECT id FROM theirs)`,
    [personId],
  );
}
