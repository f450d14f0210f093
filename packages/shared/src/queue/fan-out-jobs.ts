import { newId } from '../domain/ids.js';
import type { DueBroadcast } from '../ledger/broadcast-upkeep.js';
import { ALARM_HORIZON_MS } from '../ledger/waiting.js';
import type { Events } from '../service/events.js';
import type { NewJob } from './jobs.js';
import type { QueueEngine } from './queue-engine.js';
import { FANOUT } from './topology.js';

export interface FanOutQueue {
  readonly engine: QueueEngine;
  readonly events: Events;
}

/**
 * Sees to it that each of these broadcasts has a job. One that has got one keeps it: the job's id is the broadcast's, and it is
 * taken away when it ends, so the id is free again. Never fails: the upkeep asks again and again (law 2).
 */
export async function wakeFanOut(queue: FanOutQueue, due: readonly DueBroadcast[]): Promise<void> {
  const near = due.filter(({ delayMs }) => delayMs < ALARM_HORIZON_MS);
  await add(
    queue,
    near.map((one) => jobOf(one, one.id)),
  );
}

/**
 * Gives a broadcast that was resumed a job of its own: the one that found it paused may be ending at this moment, and would keep
 * another of its id out. Two jobs of one broadcast take turns.
 */
export async function wakeResumed(queue: FanOutQueue, { id, delayMs }: DueBroadcast): Promise<void> {
  await add(queue, delayMs < ALARM_HORIZON_MS ? [jobOf({ id, delayMs }, `${id}-${newId()}`)] : []);
}

async function add({ engine, events }: FanOutQueue, jobs: readonly NewJob[]): Promise<void> {
  if (jobs.length === 0) return;
  try {
    await engine.add(FANOUT, jobs);
  } catch (error) {
    events.enqueueFailed({ queue: FANOUT, jobs: jobs.length, error });
  }
}

function jobOf({ id, delayMs }: DueBroadcast, jobId: string): NewJob {
  return {
    name: FANOUT,
    data: { v: 1, broadcast_id: id },
    opts: { jobId, delay: Math.ceil(delayMs), removeOnComplete: true, removeOnFail: true },
  };
}
