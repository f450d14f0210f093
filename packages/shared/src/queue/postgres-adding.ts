import {
  type BackendFactory,
  createPostgresBackend,
  type JobsOptions,
  type PostgresConnectionOptions,
  type PostgresQueueBackend,
} from 'bullmq';
import type { NewJob } from './jobs.js';

/** From so many jobs on, a bulk takes no longer than the jobs row by row: it makes and drops two tables, however few they are. */
const BULK = 100;

/** BullMQ's backend for a queue that jobs are put into: fewer than a bulk go row by row, in one statement all the same. */
export const addingBackend: BackendFactory<PostgresQueueBackend, PostgresConnectionOptions> = (
  name,
  opts,
  factory,
) => {
  const backend = createPostgresBackend(name, opts, factory);
  const addBulk = backend.addJobs.bind(backend);
  backend.addJobs = async (entries) => {
    if (entries.length >= BULK) return addBulk(entries);
    const added = await backend.addFlow(
      entries.map(({ job, jobId, parentKeyOpts = {} }) => ({
        jobData: job,
        jobId,
        parentKeyOpts,
        prefix: '',
        queueName: name,
      })),
    );
    return added.map(([error, id]) => {
      if (error !== null) throw error;
      return String(id);
    });
  };
  return backend;
};

/** One job of a queue in so many counts, when it has ended, what is kept of the queue. */
const COUNTING = 50;

type Kept = NonNullable<JobsOptions['removeOnComplete']>;

/**
 * Has only one in fifty of the jobs that say how many finished ones are kept say so: BullMQ looks through all of them each time.
 * What is kept is more by a few dozen then; its age is looked at each time, which an index answers. The numbers go on from call
 * to call for each queue by itself: of queues that are filled in turns all would say it otherwise, or none.
 */
export function createSparing(): (queue: string, jobs: readonly NewJob[]) => NewJob[] {
  const added = new Map<string, number>();

  return (queue, jobs) =>
    jobs.map(({ opts, ...job }) => {
      const number = ((added.get(queue) ?? 0) + 1) % COUNTING;
      added.set(queue, number);
      if (number === 0) return { ...job, opts };
      const { removeOnComplete = false, removeOnFail = false } = opts;
      return {
        ...job,
        opts: { ...opts, removeOnComplete: byAge(removeOnComplete), removeOnFail: byAge(removeOnFail) },
      };
    });
}

/** The same by age alone, where there is an age. */
function byAge(kept: Kept): Kept {
  return typeof kept === 'object' && 'age' in kept ? { age: kept.age } : kept;
}
