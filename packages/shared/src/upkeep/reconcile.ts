import { jobId } from '../domain/ids.js';
import type { Database } from '../ledger/database.js';
import { countOpen, type JobSeed, pageOfOwed, renewGenerations } from '../ledger/waiting.js';
import type { Enqueuer } from '../queue/enqueuer.js';
import type { QueueEngine } from '../queue/queue-engine.js';
import { queueOf } from '../queue/topology.js';
import type { Events } from '../service/events.js';

/** Rows touched within this time are left alone: their job may be on its way. */
const GRACE_MS = 5_000;
const PAGE = 500;
/** The lowest UUID: where paging begins. */
const BEGIN = '00000000-0000-0000-0000-000000000000';

export interface ReconcileParts {
  readonly database: Database;
  readonly engine: QueueEngine;
  readonly enqueuer: Enqueuer;
  readonly events: Events;
}

/**
 * A queue may hold this share fewer jobs than the ledger has open rows without being searched: between a commit and its
 * job there is a moment, and under load somebody is always in it.
 */
const TOLERANCE = 0.01;

/**
 * Law 2: gives a job to every row that owes one and has none. A queue is searched only when the ledger counts more open
 * rows than the queue has jobs, so an ordinary backlog costs two counts; what is found missing gets a new generation, so
 * that its job's name was never used. Should a row get two jobs, the claim lets one of them pass.
 *
 * @param graceMs how long a row must have been untouched. @returns how many jobs were made.
 */
export async function reconcile(parts: ReconcileParts, graceMs = GRACE_MS): Promise<number> {
  let made = 0;
  for (const { channel, priority, open, owed } of await countOpen(parts.database, graceMs)) {
    const queue = queueOf({ channel, priority });
    const pending = owed === 0 ? open : await parts.engine.pending(queue);
    const missing = open - pending;
    if (missing <= pending * TOLERANCE) continue;
    const requeued = await search(parts, { channel, priority, graceMs }, { missing, empty: pending === 0 });
    if (requeued > 0) parts.events.reconciled({ queue, owed, pending, requeued });
    made += requeued;
  }
  return made;
}

/** Goes through the rows of one queue that owe a job, oldest first, until as many jobs are made as are missing. */
async function search(
  { database, engine, enqueuer }: ReconcileParts,
  where: Omit<Parameters<typeof pageOfOwed>[1], 'afterId' | 'limit'>,
  { missing, empty }: { missing: number; empty: boolean },
): Promise<number> {
  const queue = queueOf(where);
  let requeued = 0;
  let afterId = BEGIN;
  for (;;) {
    const page = await pageOfOwed(database, { ...where, afterId, limit: PAGE });
    const alive = empty ? new Set<string>() : await engine.alive(queue, page.map(currentJob));
    const lost = page.filter((seed) => !alive.has(currentJob(seed)));
    const renewed = await renewGenerations(database, lost);
    if (!(await enqueuer.enqueueNow(renewed))) return requeued;
    requeued += renewed.length;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE || requeued >= missing) return requeued;
    afterId = last.deliveryId;
  }
}

function currentJob(seed: JobSeed): string {
  return jobId(seed.deliveryId, seed.generation);
}
