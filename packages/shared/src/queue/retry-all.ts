import { type Actor, recordAudit } from '../ledger/audit.js';
import type { Database } from '../ledger/database.js';
import { retryTransient } from '../ledger/retry-transient.js';
import { beginRetries, databaseNow } from '../ledger/waiting.js';
import type { Enqueuer } from './enqueuer.js';

const AT_ONCE = 1_000;

/**
 * Begins anew what had failed by this moment and may still work; what fails again meanwhile is left for the next time.
 * Resolves with the number of deliveries.
 *
 * @param actor who asked for it, for the audit trail: each part is written down with its count, in its own transaction.
 * Null for the sweep, which is no administrative act.
 */
export async function retryAll(
  { database, enqueuer }: { readonly database: Database; readonly enqueuer: Enqueuer },
  { includeWaiting, actor }: { includeWaiting: boolean; actor: Actor | null },
): Promise<number> {
  const before = await databaseNow(database);
  for (let retried = 0; ; ) {
    const seeds = await retryTransient(() =>
      database.transaction(async (transaction) => {
        const begun = await beginRetries(transaction, { before, includeWaiting, limit: AT_ONCE });
        // A call that found nothing is an act too.
        if (actor !== null && (begun.length > 0 || retried === 0)) {
          const details = { deliveries: begun.length };
          await recordAudit(transaction, { actor, action: 'notification.retry', target: null, details });
        }
        return begun;
      }),
    );
    await enqueuer.enqueueNow(seeds);
    retried += seeds.length;
    if (seeds.length < AT_ONCE) return retried;
  }
}
