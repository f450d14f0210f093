import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { newId } from '@belfry/shared/domain/ids.js';
import type { NewJob } from '@belfry/shared/queue/jobs.js';
import { waitFor } from '../support/wait.js';
import { withEngine } from './with-engine.js';

const QUEUE = 'sms.low';

describe('jobs on PostgreSQL', () => {
  const at = withEngine('postgres');

  function jobs(count: number, opts: NewJob['opts'] = {}): NewJob[] {
    return Array.from({ length: count }, () => {
      const id = newId();
      return {
        name: 'sms',
        data: { v: 1, delivery_id: id, notification_id: id },
        opts: { jobId: id, ...opts },
      };
    });
  }

  it('come in the order in which they were added, few or many at once, and no id twice', async () => {
    const added: string[] = [];
    for (const size of [1, 4, 99, 100, 130, 2]) {
      const some = jobs(size);
      await at.engine.add(QUEUE, some);
      await at.engine.add(QUEUE, some.slice(-1));
      added.push(...some.map(({ opts }) => String(opts.jobId)));
    }
    const waiting = await at.engine.queue(QUEUE).getJobs(['waiting'], 0, -1, true);
    assert.deepEqual(
      waiting.map(({ id }) => id),
      added,
    );
    await at.engine.queue(QUEUE).drain();
  });

  it('are missed by whoever added them when the database refused them, few or many', async () => {
    for (const size of [1, 2, 99, 100]) {
      const some = jobs(size).map((job, n) => (n === size - 1 ? { ...job, name: 'a\0' } : job));
      await assert.rejects(at.engine.add(QUEUE, some), { name: 'QueueDown' }, String(size));
    }
    assert.equal(await at.engine.pending(QUEUE), 0);
  });

  it('say in each queue by itself how many are kept, also where queues are filled in turns', async () => {
    const queues = ['sms.normal', 'sms.high'];
    const kept = { age: 3_600, count: 3 };
    for (let n = 0; n < 100; n += 1)
      for (const queue of queues) await at.engine.add(queue, jobs(1, { removeOnComplete: kept }));
    for (const queue of queues) {
      const waiting = await at.engine.queue(queue).getJobs(['waiting']);
      const saying = waiting.map(({ opts }) => opts.removeOnComplete);
      assert.equal(saying.filter((one) => typeof one === 'object' && 'count' in one).length, 2, queue);
      assert.ok(saying.every((one) => typeof one === 'object' && 'age' in one && one.age === 3_600));
      await at.engine.queue(queue).drain();
    }
  });

  it('are kept when they have ended, by their age and in about the number that they say', async () => {
    const kept = { age: 3_600, count: 3 };
    for (let n = 0; n < 4; n += 1)
      await at.engine.add(QUEUE, jobs(50, { removeOnComplete: kept, removeOnFail: kept }));
    await at.engine.add(QUEUE, jobs(1, { removeOnComplete: true }));
    const worker = at.engine.work(QUEUE, async () => undefined, { concurrency: 4 });
    try {
      await worker.waitUntilReady();
      await waitFor(async () => (await at.engine.pending(QUEUE)) === 0, { what: 'all to be worked off' });
    } finally {
      await worker.close();
    }
    const completed = await at.engine.queue(QUEUE).getCompletedCount();
    assert.ok(completed >= 3 && completed <= 3 + 50 + 4, `${completed} are kept`);
  });
});
