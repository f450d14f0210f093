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
 * Sees to it that each of these broadcasts has a job. One that has got one keeps it: the job's name is the broadcast's id, and
 * it is taken away when it ends, so the name is free again. Never fails: the upkeep asks again and again (law 2).
 */
export async function wakeFanOut(
  { engine, events }: FanOutQueue,
  due: readonly DueBroadcast[],
): Promise<void> {
  const jobs = due.filter(({ delayMs }) => delayMs < ALARM_HORIZON_MS).map(jobOf);
  if (jobs.length === 0) return;
  try {
    await engine.add(FANOUT, jobs);
  } catch (error) {
    events.enqueueFailed({ queue: FANOUT, jobs: jobs.length, error });
  }
}

function jobOf({ id, delayMs }: DueBroadcast): NewJob {
  return {
    name: FANOUT,
    data: { v: 1, broadcast_id: id },
    opts: { jobId: id, delay: Math.ceil(delayMs), removeOnComplete: true, removeOnFail: true },
  };
}
