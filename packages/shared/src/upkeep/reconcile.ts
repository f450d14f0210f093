import { CHANNELS } from '../domain/channel.js';
import { jobId } from '../domain/ids.js';
import type { Database } from '../ledger/database.js';
import {
  countOpen,
  type JobSeed,
  oldestDue,
  pageOfOwed,
  renewGenerations,
  unalarmed,
} from '../ledger/waiting.js';
import type { Enqueuer } from '../queue/enqueuer.js';
import type { QueueEngine } from '../queue/queue-engine.js';
import { ESCALATION, queueOf } from '../queue/topology.js';
import type { Events } from '../service/events.js';
import { wakeBroadcasts } from './broadcasts.js';
import { wakeEscalations } from './escalations.js';
import { withoutJob } from './without-job.js';

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

/** How many of the oldest rows are asked for by name when the counts see nothing missing. */
const FRONT = 50;

export interface ReconcileOptions {
  /** How long a row must have been untouched, in milliseconds. */
  readonly graceMs?: number;
  /** Look at every row that owes a job, whatever the counts say. */
  readonly thorough?: boolean;
}

/**
 * Law 2: gives a job to every row that owes one and has none. A queue is searched only when the ledger counts more open
 * rows than the queue has jobs, or when one of its oldest rows has none, so an ordinary backlog costs two counts and one
 * page; what is found missing gets a new generation, so that its job's name was never used. Should a row get two jobs,
 * the claim lets one of them pass. A queue that cannot be asked keeps no other from being mended.
 *
 * Broadcasts that are to be told and steps of escalations get theirs, too.
 *
 * @returns how many jobs of deliveries were made.
 */
export async function reconcile(parts: ReconcileParts, options: ReconcileOptions = {}): Promise<number> {
  const { graceMs = GRACE_MS, thorough = false } = options;
  let made = await setAlarms(parts);
  await wakeBroadcasts(parts);
  await ofQueue(parts, ESCALATION, thorough, () => wakeEscalations(parts, thorough));
  for (const { channel, priority, open, owed } of await countOpen(parts.database, graceMs)) {
    if (owed === 0) continue;
    const where = { channel, priority, graceMs };
    const queue = queueOf(where);
    await ofQueue(parts, queue, thorough, async () => {
      const pending = await parts.engine.pending(queue);
      const missing = thorough
        ? Number.POSITIVE_INFINITY
        : await estimateMissing(parts, where, open, pending);
      if (missing === 0) return;
      const requeued = await search(parts, where, { missing, empty: pending === 0 });
      if (requeued > 0) parts.events.reconciled({ queue, owed, pending, requeued });
      made += requeued;
    });
  }
  return made;
}

/** A sweep goes on to the next queue when one fails; whoever asked to be thorough is told. */
async function ofQueue(
  { events }: ReconcileParts,
  queue: string,
  thorough: boolean,
  mend: () => Promise<void>,
): Promise<void> {
  try {
    await mend();
  } catch (error) {
    if (thorough) throw error;
    events.upkeepFailed({ task: `reconcile ${queue}`, error });
  }
}

/** A page for somebody on call does not wait for the next sweep when its job was lost. */
const CRITICAL_GRACE_MS = 2_000;

/**
 * Law 2 for what is critical, in a hurry: the oldest rows of each of its queues that owe a job and have none get one. All others
 * are found by `reconcile`.
 */
export async function reconcileCritical(parts: ReconcileParts): Promise<void> {
  const { database, engine, enqueuer, events } = parts;
  for (const channel of CHANNELS) {
    const where = { channel, priority: 'critical', graceMs: CRITICAL_GRACE_MS } as const;
    const front = await oldestDue(database, { ...where, limit: PAGE });
    if (front.length === 0) continue;
    const queue = queueOf(where);
    const lost = await withoutJob(engine, queue, front, currentJob);
    if (lost.length === 0) continue;
    const renewed = await renewGenerations(database, lost);
    if (!(await enqueuer.enqueueNow(renewed))) return;
    const pending = front.length - lost.length;
    events.reconciled({ queue, owed: front.length, pending, requeued: renewed.length });
  }
}

/** Schedules that were too far away for a job when they were accepted get theirs. */
async function setAlarms({ database, enqueuer }: ReconcileParts): Promise<number> {
  let made = 0;
  for (;;) {
    const near = await unalarmed(database, PAGE);
    const alarmed = await renewGenerations(database, near);
    if (!(await enqueuer.enqueueNow(alarmed))) return made;
    made += alarmed.length;
    if (near.length < PAGE) return made;
  }
}

/** How many jobs a queue seems to lack: 0 when none, infinitely many when one is missing and the counts cannot say more. */
async function estimateMissing(
  parts: ReconcileParts,
  where: Where,
  open: number,
  pending: number,
): Promise<number> {
  const short = open - pending;
  if (short > pending * TOLERANCE) return short;
  return (await isFrontLost(parts, where)) ? Number.POSITIVE_INFINITY : 0;
}

type Where = Omit<Parameters<typeof pageOfOwed>[1], 'afterId' | 'limit'>;

/**
 * Jobs of what was cancelled or queued anew stay in a queue for a while, so its count may hide that others are missing. A
 * row without a job comes to the front sooner or later, as those before it are worked off.
 */
async function isFrontLost({ database, engine }: ReconcileParts, where: Where): Promise<boolean> {
  const front = await oldestDue(database, { ...where, limit: FRONT });
  return (await withoutJob(engine, queueOf(where), front, currentJob)).length > 0;
}

/** Goes through the rows of one queue that owe a job, oldest first, until as many jobs are made as are missing. */
async function search(
  { database, engine, enqueuer }: ReconcileParts,
  where: Where,
  { missing, empty }: { missing: number; empty: boolean },
): Promise<number> {
  const queue = queueOf(where);
  let requeued = 0;
  let afterId = BEGIN;
  for (;;) {
    const page = await pageOfOwed(database, { ...where, afterId, limit: PAGE });
    const lost = empty ? page : await withoutJob(engine, queue, page, currentJob);
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
