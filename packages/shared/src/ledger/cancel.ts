import { type Actor, recordAudit } from './audit.js';
import type { Database } from './database.js';
import { retryTransient } from './retry-transient.js';
import { isWaiting } from './states.js';

/** What a cancellation found: the deliveries it stopped, or that there was nothing to stop. */
export type Cancellation =
  | { readonly kind: 'cancelled'; readonly deliveries: number }
  | { readonly kind: 'nothing_left' }
  | { readonly kind: 'unknown' };

/**
 * Stops whatever of a notification has not been sent, and writes down who did. What a worker has in its hands at this
 * moment goes on.
 */
export async function cancelNotification(
  database: Database,
  notificationId: string,
  actor: Actor,
): Promise<Cancellation> {
  const stopped = await retryTransient(() =>
    database.transaction(async (transaction) => {
      const [found] = await transaction.rows<{ known: boolean; cancelled: number }>(STOP, [notificationId]);
      const deliveries = found?.cancelled ?? 0;
      const target = `notification:${notificationId}`;
      if (deliveries > 0)
        await recordAudit(transaction, {
          actor,
          action: 'notification.cancel',
          target,
          details: { deliveries },
        });
      return found;
    }),
  );
  if (stopped === undefined || !stopped.known) return { kind: 'unknown' };
  return stopped.cancelled > 0
    ? { kind: 'cancelled', deliveries: stopped.cancelled }
    : { kind: 'nothing_left' };
}

const STOP = `
WITH open AS MATERIALIZED (
  SELECT id FROM delivery WHERE notification_id = $1 AND ${isWaiting('state')}
  ORDER BY id FOR UPDATE
), stopped AS (
  UPDATE delivery d SET state = 'cancelled', reason = 'cancelled_by_caller', updated_at = now()
  FROM open WHERE d.id = open.id AND ${isWaiting('d.state')} RETURNING d.id
)
SELECT EXISTS (SELECT 1 FROM notification WHERE id = $1) AS known, (SELECT count(*)::int FROM stopped) AS cancelled`;
