import type { Database } from './database.js';
import { retryTransient } from './retry-transient.js';
import { isWaiting } from './states.js';

/** What a cancellation found: the deliveries it stopped, or that there was nothing to stop. */
export type Cancellation =
  | { readonly kind: 'cancelled'; readonly deliveries: number }
  | { readonly kind: 'nothing_left' }
  | { readonly kind: 'unknown' };

/** Stops whatever of a notification has not been sent. What a worker has in its hands at this moment goes on. */
export async function cancelNotification(database: Database, notificationId: string): Promise<Cancellation> {
  const rows = await retryTransient(() =>
    database.rows<{ known: boolean; cancelled: number }>(
      `WITH open AS MATERIALIZED (
         SELECT id FROM delivery WHERE notification_id = $1 AND ${isWaiting('state')}
         ORDER BY id FOR UPDATE
       ), stopped AS (
         UPDATE delivery d SET state = 'cancelled', reason = 'cancelled_by_caller', updated_at = now()
         FROM open WHERE d.id = open.id AND ${isWaiting('d.state')} RETURNING d.id
       )
       SELECT EXISTS (SELECT 1 FROM notification WHERE id = $1) AS known, (SELECT count(*)::int FROM stopped) AS cancelled`,
      [notificationId],
    ),
  );
  const found = rows[0];
  if (found === undefined || !found.known) return { kind: 'unknown' };
  return found.cancelled > 0 ? { kind: 'cancelled', deliveries: found.cancelled } : { kind: 'nothing_left' };
}
