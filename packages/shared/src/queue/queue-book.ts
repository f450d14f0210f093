import type { Queue } from 'bullmq';

/** The states that operators watch. Completed jobs are kept for an hour and say nothing. */
const JOB_STATES = ['waiting', 'active', 'delayed', 'failed'] as const;

/** What is in a queue. */
export interface QueueContent {
  readonly jobs: Readonly<Record<(typeof JOB_STATES)[number], number>>;
  /** An operator has paused it: its jobs wait. */
  readonly paused: boolean;
}

/** BullMQ's queue objects of a process, each made when it is first asked for. */
export interface QueueBook {
  get(name: string): Queue;
  /** How many jobs are waiting, delayed or being worked on. */
  pending(name: string): Promise<number>;
  content(name: string): Promise<QueueContent>;
  /** Whether a job is waiting, delayed or being worked on. */
  isPending(name: string, jobId: string): Promise<boolean>;
  close(): Promise<void>;
}

/**
 * Keeps the queues that `open` makes. A queue whose very first look at its engine failed, before the migration or on a
 * broken line, keeps that failure for ever: it is forgotten, and made anew when it is asked for again.
 */
export function createQueueBook(open: (name: string) => Queue, onError: (error: Error) => void): QueueBook {
  const queues = new Map<string, Queue>();

  function get(name: string): Queue {
    const known = queues.get(name);
    if (known !== undefined) return known;
    const opened = open(name);
    queues.set(name, opened);
    opened.on('error', onError);
    opened.waitUntilReady().catch(() => {
      if (queues.get(name) === opened) queues.delete(name);
      opened.close().catch(onError);
    });
    return opened;
  }

  return {
    get,
    async pending(name) {
      const counts = await get(name).getJobCounts('waiting', 'active', 'delayed');
      return Object.values(counts).reduce((sum, count) => sum + count, 0);
    },
    async content(name) {
      const queue = get(name);
      const [counts, paused] = await Promise.all([queue.getJobCounts(...JOB_STATES), queue.isPaused()]);
      const { waiting = 0, active = 0, delayed = 0, failed = 0 } = counts;
      return { jobs: { waiting, active, delayed, failed }, paused };
    },
    async isPending(name, jobId) {
      // Not its state: to tell that, BullMQ on Redis looks through the whole list that the job stands in.
      const job = await get(name).getJob(jobId);
      return job !== undefined && job.finishedOn === undefined;
    },
    async close() {
      await Promise.allSettled([...queues.values()].map((queue) => queue.close()));
    },
  };
}
