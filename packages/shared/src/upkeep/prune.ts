import { forgetAlerts } from '../ledger/alert-retention.js';
import { forgetBroadcasts } from '../ledger/broadcast-upkeep.js';
import type { Database } from '../ledger/database.js';
import { PRUNE_WALKS, type PruneWalk, pruneStep } from '../ledger/prune.js';

/** Notifications in one step: some tens of milliseconds. */
const STEP = 200;
/** Steps in one turn, so that a turn is over within a second or two, however much there is. */
const STEPS = 10;

/**
 * Makes the turns of pruning: each removes what ended more than `days` ago, in small steps, and resolves with how many
 * notifications it removed. What is left is taken by the next turn, which goes on where this one stopped: what is old and
 * must stay yet, as when it was scheduled far ahead, holds nothing up that comes behind it. Begins again at the end.
 */
export function createPruner(database: Database, days: number): () => Promise<number> {
  let walks: readonly PruneWalk[] = PRUNE_WALKS;
  return async () => {
    let removed = 0;
    await forgetBroadcasts(database, days, STEP);
    await forgetAlerts(database, days, STEP);
    for (let steps = 0; steps < STEPS && walks.length > 0; steps += 1) {
      const [walk, ...others] = walks;
      if (walk === undefined) break;
      const step = await pruneStep(database, walk, days, STEP);
      removed += step.removed;
      // One step of each after the other, so that a long walk keeps none of the others waiting.
      walks = step.afterId === null ? others : [...others, { ...walk, afterId: step.afterId }];
    }
    if (walks.length === 0) walks = PRUNE_WALKS;
    return removed;
  };
}
