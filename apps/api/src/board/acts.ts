import { Refusal } from '@belfry/shared/domain/refusal.js';
import { type Actor, recordAudit } from '@belfry/shared/ledger/audit.js';
import { makeDue, type Standing, standingOf } from '@belfry/shared/ledger/board.js';
import type { Database, Statements } from '@belfry/shared/ledger/database.js';
import { replayDead } from '@belfry/shared/ledger/dead-letters.js';
import { retryTransient } from '@belfry/shared/ledger/retry-transient.js';
import type { JobSeed } from '@belfry/shared/ledger/waiting.js';
import type { Enqueuer } from '@belfry/shared/queue/enqueuer.js';
import { deliveryJob } from '@belfry/shared/queue/jobs.js';
import type { QueueEngine } from '@belfry/shared/queue/queue-engine.js';
import { DELIVERY_QUEUES, type DeliveryQueue } from '@belfry/shared/queue/topology.js';
import type { Events } from '@belfry/shared/service/events.js';

type Job = NonNullable<Awaited<ReturnType<ReturnType<QueueEngine['queue']>['getJob']>>>;

/** Jobs that one press moves at most; whoever has more presses again. */
const MOST_AT_ONCE = 1_000;
/** Deliveries in one transaction, and in one event of the audit trail. */
const PAGE = 100;

export interface ActParts {
  readonly engine: QueueEngine;
  readonly database: Database;
  readonly enqueuer: Enqueuer;
  readonly events: Pick<Events, 'retried'>;
}

/** The states whose jobs may be removed all at once. */
export const CLEANABLE = ['completed', 'failed', 'delayed', 'wait'] as const;
export type Cleanable = (typeof CLEANABLE)[number];

/**
 * What the buttons of the board do. What moves a delivery moves its row in the ledger, in one commit with its audit event,
 * and the row gets a job of its own; the pressed one goes away. What only touches the queue is written down before it is done.
 */
export function createActs({ engine, database, enqueuer, events }: ActParts) {
  /** Moves the deliveries of these jobs. Returns those that were moved. */
  async function move(
    actor: Actor,
    { act, verb }: Move,
    queue: DeliveryQueue,
    jobs: readonly Job[],
  ): Promise<ReadonlySet<string>> {
    const ids = jobs.flatMap((job) => deliveryOf(job) ?? []);
    const seeds = await retryTransient(() =>
      database.transaction(async (transaction) => {
        const moved = await verb(transaction, ids);
        if (moved.length > 0) {
          const deliveries = moved.map(({ deliveryId }) => deliveryId);
          await recordAudit(transaction, entry(actor, act, queue, { deliveries }));
        }
        return moved;
      }),
    );
    // Should the engine fail now, the reconciler makes these jobs.
    await enqueuer.enqueueNow(seeds);
    if (act === 'retry' && seeds.length > 0) events.retried({ deliveries: seeds.length, by: 'replay' });
    return new Set(seeds.map(({ deliveryId }) => deliveryId));
  }

  async function moveOne(actor: Actor, what: Move, queue: DeliveryQueue, id: string): Promise<void> {
    const job = await find(queue, id);
    const moved = await move(actor, what, queue, [job]);
    if (moved.size === 0) throw nothingToDo(await standingOf(database, deliveryOf(job) ?? NO_ID), what.act);
    await forget([job]);
  }

  async function note(actor: Actor, act: string, queue: DeliveryQueue | null, details = {}): Promise<void> {
    await recordAudit(database, entry(actor, act, queue, details));
  }

  async function find(queue: DeliveryQueue, id: string): Promise<Job> {
    const job = await engine.queue(queue).getJob(id);
    if (job === undefined) throw new Refusal('not_found', 'This job is no longer in its queue.');
    return job;
  }

  return {
    /** A failed job becomes a replay of its delivery. */
    retry: (actor: Actor, queue: DeliveryQueue, id: string) => moveOne(actor, RETRY, queue, id),

    /** A delayed job becomes due now, in the ledger too: a job that only rings early is put back. */
    promote: (actor: Actor, queue: DeliveryQueue, id: string) => moveOne(actor, PROMOTE, queue, id),

    /** Replays what is failed, the oldest first. Failed jobs whose delivery has moved on since go away as well. */
    async retryAll(actor: Actor, queue: DeliveryQueue): Promise<{ retried: number; skipped: number }> {
      const { failed: total = 0 } = await engine.queue(queue).getJobCounts('failed');
      const jobs = await engine.queue(queue).getJobs(['failed'], 0, MOST_AT_ONCE - 1, true);
      let retried = 0;
      for (const page of pagesOf(jobs)) {
        retried += (await move(actor, RETRY, queue, page)).size;
        await forget(page);
      }
      return { retried, skipped: Math.max(0, total - retried) };
    },

    /** Makes what is delayed due now, what would be due first first. */
    async promoteAll(actor: Actor, queue: DeliveryQueue): Promise<void> {
      const jobs = await engine.queue(queue).getJobs(['delayed'], 0, MOST_AT_ONCE - 1, true);
      for (const page of pagesOf(jobs)) {
        const moved = await move(actor, PROMOTE, queue, page);
        await forget(page.filter((job) => moved.has(deliveryOf(job) ?? NO_ID)));
      }
    },

    /** Takes a job off the board. A delivery that still waits gets another one from the reconciler. */
    async remove(actor: Actor, queue: DeliveryQueue, id: string): Promise<void> {
      const job = await find(queue, id);
      if ((await job.getState()) === 'active')
        throw new Refusal('conflict', 'A worker has this job in hand; it cannot be removed now.');
      await note(actor, 'remove', queue, { deliveries: [deliveryOf(job)] });
      await job.remove();
    },

    /** Removes the jobs of a queue that are in a state, 10 000 at most. */
    async clean(actor: Actor, queue: DeliveryQueue, state: Cleanable): Promise<void> {
      await note(actor, 'clean', queue, { state });
      await engine.queue(queue).clean(0, 10_000, state);
    },

    /** Stops or starts the workers of a queue, or of all; what is accepted meanwhile waits. */
    async pause(actor: Actor, queue: DeliveryQueue | null): Promise<void> {
      await note(actor, 'pause', queue);
      for (const name of queue === null ? DELIVERY_QUEUES : [queue]) await engine.queue(name).pause();
    },
    async resume(actor: Actor, queue: DeliveryQueue | null): Promise<void> {
      await note(actor, 'resume', queue);
      for (const name of queue === null ? DELIVERY_QUEUES : [queue]) await engine.queue(name).resume();
    },
  };
}

export type Acts = ReturnType<typeof createActs>;

interface Move {
  readonly act: 'retry' | 'promote';
  readonly verb: (transaction: Statements, ids: readonly string[]) => Promise<JobSeed[]>;
}

/** The fastest that a replay may be: what is pressed here is to go now, and one press moves few. */
const PACE = { rate: 1_000, after: null };
const RETRY: Move = { act: 'retry', verb: (transaction, ids) => replayDead(transaction, ids, PACE) };
const PROMOTE: Move = { act: 'promote', verb: makeDue };
/** Of no delivery. */
const NO_ID = '00000000-0000-0000-0000-000000000000';

function deliveryOf(job: Job): string | undefined {
  return deliveryJob.safeParse(job.data).data?.delivery_id;
}

/** Removes jobs that have done what they were there for. One that stays is harmless: its claim finds nothing to do. */
async function forget(jobs: readonly Job[]): Promise<void> {
  await Promise.allSettled(jobs.map((job) => job.remove()));
}

function pagesOf(jobs: readonly (Job | undefined)[]): Job[][] {
  const found = jobs.filter((job) => job !== undefined);
  return Array.from({ length: Math.ceil(found.length / PAGE) }, (_, index) =>
    found.slice(index * PAGE, (index + 1) * PAGE),
  );
}

function entry(actor: Actor, act: string, queue: DeliveryQueue | null, details: object) {
  const target = queue === null ? null : `queue:${queue}`;
  return { actor, action: 'board.change', target, details: { act, queue, ...details } } as const;
}

function nothingToDo(standing: Standing | null, act: Move['act']): Refusal {
  const why = {
    retry: 'Only what was given up can be retried',
    promote: 'Only what waits for a later time can be promoted',
  }[act];
  const is = standing === null ? 'is no longer in the ledger' : `is ${standing.state} in the ledger`;
  return new Refusal('conflict', `${why}; this delivery ${is}.`, { reason: `nothing_to_${act}` });
}
