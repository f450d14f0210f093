import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startFleet, withFleet } from '../support/fleet.js';
import { startRedis } from '../support/redis.js';
import { waitFor } from '../support/wait.js';

describe('a Redis that comes later than a process', () => {
  it('and would evict jobs ends an API that accepted calls without it, in order and with the remedy', async () => {
    const redis = await startRedis({ maxmemoryPolicy: 'allkeys-lru' });
    await redis.kill();
    const fleet = await startFleet({ engine: 'redis', redis, workers: [] });
    try {
      await fleet.person('early');
      await fleet.send({ user_id: 'early', message: 'x' });
      await redis.restart();
      const exit = await waitFor(() => fleet.api.exited, { timeoutMs: 30_000 });
      assert.deepEqual(exit, { code: 1, signal: null });
      const said = fleet.api.stdout.join('\n');
      assert.match(
        said,
        /"level":"fatal".*CONFIG SET maxmemory-policy noeviction.*maxmemory-policy is allkeys-lru/,
      );
      assert.match(said, /"complete":true,"msg":"stopped"/);
      await fleet.api.stop();
    } finally {
      await fleet.stop();
      await redis.stop();
    }
  });

  it('and is as it should be is looked at once, with its warnings, and used', async () => {
    const redis = await startRedis({ appendonly: false });
    await redis.kill();
    try {
      await withFleet({ engine: 'redis', redis, workers: [] }, async ({ api, page }) => {
        await redis.restart();
        await waitFor(() => api.stdout.some((line) => line.includes('append-only')), { timeoutMs: 30_000 });
        // No worker was started, and that is all that is still amiss.
        await waitFor(async () => String((await page('/ready')).body.failing) === 'workers');
      });
    } finally {
      await redis.stop();
    }
  });

  it('and answers, but not every question, is waited for by a worker', async () => {
    await withFleet({ engine: 'redis', workers: [] }, async ({ redis, addWorker }) => {
      await redis?.command('ACL', 'SETUSER', 'default', '-info');
      const worker = await addWorker({ untilReady: false });
      await waitFor(() => worker.stdout.some((line) => line.includes('waiting for the queue engine')), {
        timeoutMs: 30_000,
      });
      await redis?.command('ACL', 'SETUSER', 'default', '+info');
      await waitFor(() => worker.stdout.some((line) => line.includes('worker ready')), { timeoutMs: 30_000 });
    });
  });
});
