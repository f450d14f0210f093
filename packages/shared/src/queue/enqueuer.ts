import type { Alarm } from '../ledger/escalations.js';
import type { JobSeed } from '../ledger/waiting.js';
import { ALARM_HORIZON_MS } from '../ledger/waiting.js';
import { type Batcher, createBatcher } from '../service/batcher.js';
import type { Events } from '../service/events.js';
import { NO_TRACING, type Tracing } from '../service/tracing.js';
import { alarmJob } from './escalation-jobs.js';
import { jobFor, type NewJob } from './jobs.js';
import type { QueueEngine } from './queue-engine.js';
import { ESCALATION, queueOf } from './topology.js';

/** Puts deliveries, and the alarm clocks of escalations, into their queues, many at a time, without making anybody wait. */
export interface Enqueuer {
  /** Never fails: what cannot be queued now is found in the ledger and queued later (law 2). */
  enqueue(seeds: readonly JobSeed[]): void;
  /** The same, and resolves when the engine has them; `false` when it could not be reached. */
  enqueueNow(seeds: readonly JobSeed[]): Promise<boolean>;
  /**
   * Sets the alarm clocks of steps. One that is set already stays as it is. Never fails; `false` when the engine could not be
   * reached: the upkeep takes overdue steps, and sets the clocks again.
   */
  setAlarms(alarms: readonly Alarm[]): Promise<boolean>;
  /** Resolves when nothing is on its way any more. */
  idle(): Promise<void>;
}

export function createEnqueuer(
  engine: QueueEngine,
  maxAttempts: number,
  events: Events,
  tracing: Tracing = NO_TRACING,
): Enqueuer {
  const batchers = new Map<string, Batcher<NewJob, true>>();

  function batcherOf(queue: string): Batcher<NewJob, true> {
    const known = batchers.get(queue);
    if (known !== undefined) return known;
    const made = createBatcher<NewJob, true>({
      batch: 500,
      // One: two on their way at once could overtake each other, and a queue keeps the order of arrival.
      flights: 1,
      waiting: 50_000,
      run: async (jobs) => {
        try {
          await engine.add(queue, jobs);
        } catch (error) {
          events.enqueueFailed({ queue, jobs: jobs.length, error });
          throw error;
        }
        return jobs.map(() => true);
      },
    });
    batchers.set(queue, made);
    return made;
  }

  async function enqueueNow(seeds: readonly JobSeed[]): Promise<boolean> {
    const near = seeds.filter((seed) => seed.delayMs < ALARM_HORIZON_MS);
    const added = await Promise.allSettled(
      near.map((seed) => {
        const queue = queueOf(seed);
        const facts = { 'messaging.system': 'bullmq', 'messaging.destination.name': queue };
        return tracing.span(`enqueue ${queue}`, { kind: 'producer', facts }, () =>
          batcherOf(queue).add(jobFor(seed, maxAttempts, tracing.current())),
        );
      }),
    );
    return added.every((one) => one.status === 'fulfilled');
  }

  async function setAlarms(alarms: readonly Alarm[]): Promise<boolean> {
    const near = alarms.filter(({ delayMs }) => delayMs < ALARM_HORIZON_MS);
    const set = await Promise.allSettled(near.map((alarm) => batcherOf(ESCALATION).add(alarmJob(alarm))));
    return set.every((one) => one.status === 'fulfilled');
  }

  return {
    enqueue: (seeds) => void enqueueNow(seeds),
    enqueueNow,
    setAlarms,
    async idle() {
      await Promise.all([...batchers.values()].map((batcher) => batcher.idle()));
    },
  };
}
