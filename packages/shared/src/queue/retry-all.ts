import type { Database } from '../ledger/database.js';
import { beginRetries, databaseNow } from '../ledger/waiting.js';
import type { Enqueuer } from './enqueuer.js';

const AT_ONCE = 1_000;

/**
 * Begins anew what had failed by this moment and may still work; what fails again meanwhile is left for the next time.
 * Resolves with the number of deliveries.
 */
export async function retryAll(
  { database, enqueuer }: { readonly database: Database; readonly enqueuer: Enqueuer },
  { includeWaiting }: { includeWaiting: boolean },
): Promise<number> {
  const before = await databaseNow(database);
  for (let retried = 0; ; ) {
    const seeds = await beginRetries(database, { before, includeWaiting, limit: AT_ONCE });
    await enqueuer.enqueueNow(seeds);
    retried += seeds.length;
    if (seeds.length < AT_ONCE) return retried;
  }
}
