import {
  cancelDeliveries,
  completeBroadcasts,
  dueBroadcasts,
  unfinishedCancellations,
} from '../ledger/broadcast-upkeep.js';
import type { Database } from '../ledger/database.js';
import { type FanOutQueue, wakeFanOut } from '../queue/fan-out-jobs.js';

const AT_ONCE = 500;
/** Deliveries that are called off in one statement. */
const PAGE = 1_000;
/** Pages that one turn of the upkeep takes on. */
const PAGES = 20;

/** Law 2 for broadcasts: whatever has a fan-out before it gets a job, unless it has one. */
export async function wakeBroadcasts(parts: FanOutQueue & { readonly database: Database }): Promise<void> {
  await wakeFanOut(parts, await dueBroadcasts(parts.database, AT_ONCE));
}

/** Completes what has been sent to everybody, and finishes calling off what a call could not finish. */
export async function settleBroadcasts({
  database,
  events,
}: Omit<FanOutQueue, 'engine'> & { readonly database: Database }): Promise<void> {
  for (const broadcastId of await completeBroadcasts(database))
    events.broadcastMoved({ broadcastId, status: 'completed' });
  for (const id of await unfinishedCancellations(database)) await callOff(database, id, PAGES);
}

/**
 * Calls off what a cancelled broadcast has handed out and nobody has sent, in short transactions: `pages` of them at most, the
 * upkeep does the rest. Resolves with how many deliveries it were.
 */
export async function callOff(database: Database, broadcastId: string, pages: number): Promise<number> {
  let stopped = 0;
  for (let page = 0; page < pages; page += 1) {
    const cancelled = await cancelDeliveries(database, broadcastId, PAGE);
    stopped += cancelled;
    if (cancelled === 0) break;
  }
  return stopped;
}
