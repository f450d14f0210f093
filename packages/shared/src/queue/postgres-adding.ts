import type { JobsOptions } from 'bullmq';
import type { NewJob } from './jobs.js';

/** The part of a queue that jobs are put in by. */
interface JobSink {
  add(name: string, data: NewJob['data'], opts: JobsOptions): Promise<unknown>;
  addBulk(jobs: NewJob[]): Promise<unknown>;
}

/** BullMQ makes and drops two tables for each bulk, which takes as long as so many jobs by themselves. */
const FEW = 4;

/** One job of a queue in so many counts, when it has ended, what is kept of the queue. */
const COUNTING = 50;

type Kept = NonNullable<JobsOptions['removeOnComplete']>;

/**
 * Puts jobs into queues on PostgreSQL, in their order, the way that costs the database least. A few go one by one, many in one
 * bulk. And where a job says how many finished ones are kept, only one in fifty does: BullMQ looks through all of them each time.
 * What is kept is more by a few dozen then; its age is looked at each time, which an index answers.
 */
export function createAdding(): (queue: JobSink, jobs: readonly NewJob[]) => Promise<void> {
  /** For each queue by itself: queues that are filled in turns would otherwise have all that count, or none. */
  const added = new WeakMap<JobSink, number>();

  function sparing(queue: JobSink, { opts, ...job }: NewJob): NewJob {
    const number = ((added.get(queue) ?? 0) + 1) % COUNTING;
    added.set(queue, number);
    if (number === 0) return { ...job, opts };
    const { removeOnComplete = false, removeOnFail = false } = opts;
    return {
      ...job,
      opts: { ...opts, removeOnComplete: byAge(removeOnComplete), removeOnFail: byAge(removeOnFail) },
    };
  }

  return async (queue, jobs) => {
    const given = jobs.map((job) => sparing(queue, job));
    if (given.length > FEW) await queue.addBulk(given);
    else for (const { name, data, opts } of given) await queue.add(name, data, opts);
  };
}

/** The same by age alone, where there is an age. */
function byAge(kept: Kept): Kept {
  return typeof kept === 'object' && 'age' in kept ? { age: kept.age } : kept;
}
