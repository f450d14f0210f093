import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { newId } from '@belfry/shared/domain/ids.js';
import { jobFor } from '@belfry/shared/queue/jobs.js';
import type { JobWorker } from '@belfry/shared/queue/queue-engine.js';
import { waitFor } from '../support/wait.js';
import { withEngine } from './with-engine.js';

const CHANNELS = ['email', 'sms', 'realtime', 'push', 'webhook'] as const;
const QUEUES = CHANNELS.map((channel) => `${channel}.normal`);

describe('the workers of a process on the PostgreSQL engine', () => {
  const parts = withEngine('postgres');
  const workers: JobWorker[] = [];
  const done: string[] = [];

  async function startWorkers(): Promise<void> {
    for (const queue of QUEUES) {
      workers.push(parts.engine.work(queue, async () => void done.push(queue), { concurrency: 2 }));
    }
    await Promise.all(workers.map((worker) => worker.waitUntilReady()));
    await waitFor(async () => (await listeners()).length > 0, { what: 'somebody who listens' });
  }

  /** The server's processes that have a connection on which somebody listens. */
  async function listeners(): Promise<number[]> {
    const rows = await parts.ledger.one.rows<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%LISTEN bullmq%' AND pid <> pg_backend_pid()`,
    );
    return rows.map(({ pid }) => pid);
  }

  /**
   * Each job is added when the one before it is done, so the workers have just gone to sleep, for five seconds if nothing
   * wakes them: they have been woken if all of this takes less than half of that.
   */
  async function hearOfEach(channels: readonly (typeof CHANNELS)[number][]): Promise<void> {
    const startedAt = performance.now();
    for (const channel of channels) {
      done.length = 0;
      const seed = { deliveryId: newId(), notificationId: newId(), generation: 1, delayMs: 0 };
      await parts.engine.add(`${channel}.normal`, [jobFor({ ...seed, channel, priority: 'normal' }, 3)]);
      await waitFor(() => done.length > 0, { timeoutMs: 20_000, what: `the job of ${channel}` });
      assert.deepEqual(done, [`${channel}.normal`]);
    }
    const tookMs = performance.now() - startedAt;
    assert.ok(tookMs < channels.length * 2_500, `${channels.length} jobs took ${Math.round(tookMs)} ms`);
  }

  afterEach(async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.close()));
  });

  it('hear of their jobs on one connection', async () => {
    await startWorkers();
    assert.equal((await listeners()).length, 1);
    await hearOfEach([...CHANNELS, ...CHANNELS]);
  });

  it('hear again when that connection has been broken', async () => {
    await startWorkers();
    const [broken] = await listeners();
    await parts.ledger.one.rows('SELECT pg_terminate_backend($1)', [broken]);
    await waitFor(
      async () => {
        const now = await listeners();
        return now.length === 1 && now[0] !== broken;
      },
      { timeoutMs: 20_000, what: 'another connection to listen on' },
    );
    await hearOfEach([...CHANNELS, ...CHANNELS]);
  });

  it('go on hearing when one of them is closed', async () => {
    await startWorkers();
    await workers.shift()?.close();
    const [, ...others] = CHANNELS;
    await hearOfEach([...others, ...others]);
  });
});
