import type { Database } from '../ledger/database.js';
import { PRUNE_WALKS, pruneStep } from '../ledger/prune.js';

/** Notifications in one step: some tens of milliseconds. */
const STEP = 200;
/** Steps in one turn, so that a turn is over within a second or two, however much there is. */
const STEPS = 10;

/**
 * One turn of pruning: removes what ended more than `days` ago, in small steps. What is left is taken by the next turn.
 *
 * @returns how many notifications were removed.
 */
export async function prune(database: Database, days: number): Promise<number> {
  let removed = 0;
  let steps = 0;
  for (const walk of PRUNE_WALKS) {
    for (let afterId: string | null = walk.afterId; afterId !== null && steps < STEPS; steps += 1) {
      const step = await pruneStep(database, { ...walk, afterId }, days, STEP);
      removed += step.removed;
      afterId = step.afterId;
    }
  }
  return removed;
}
