import type { JobsOptions } from 'bullmq';
import type { NewJob } from './jobs.js';

/** The part of a queue that jobs are put in by. */
interface JobSink {
  add(name: string, data: NewJob['data'], opts: JobsOptions): Promise<unknown>;
  addBulk(jobs: NewJob[]): Promise<unknown>;
}

/** BullMQ makes and drops two tables for each bulk, which takes as long as so many jobs by themselves. */
const FEW = 4;

/** One finished job in so many counts what is kept of its queue. */
const COUNTING = 50;

type Kept = NonNullable<JobsOptions['removeOnComplete']>;

/**
 * Puts jobs into queues on PostgreSQL, in their order, the way that costs the database least. A few go one by one, many in one
 * bulk. And where a job says how many finished ones are kept, only one in fifty does: BullMQ looks through all of them each time.
 * What is kept is more by a few dozen then; its age is looked at each time, which an index answers.
 */
export function createAdding(): (queue: JobSink, jobs: readonly NewJob[]) => Promise<void> {
  let added = 0;

  function sparing({ opts, ...job }: NewJob): NewJob {
    added = (added + 1) % COUNTING;
    if (added === 0) return { ...job, opts };
    const { removeOnComplete = false, removeOnFail = false } = opts;
    return {
      ...job,
      opts: { ...opts, removeOnComplete: byAge(removeOnComplete), removeOnFail: byAge(removeOnFail) },
    };
  }

  return async (queue, jobs) => {
    const given = jobs.map(sparing);
    if (given.length > FEW) await queue.addBulk(given);
    else for (const { name, data, opts } of given) await queue.add(name, data, opts);
  };
}

/** The same by age alone, where there is an age. */
function byAge(kept: Kept): Kept {
  return typeof kept === 'object' && 'age' in kept ? { age: kept.age } : kept;
}
