import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withFleet } from '../support/fleet.js';
import { startRedis } from '../support/redis.js';
import { waitFor } from '../support/wait.js';

test('a Redis that evicts is refused by API and worker, with the remedy', async () => {
  const redis = await startRedis({ maxmemoryPolicy: 'allkeys-lru' });
  try {
    // The ledger is there, so that nothing else is waited for.
    await withFleet({ engine: 'postgres', workers: [] }, async ({ addApi, addWorker }) => {
      const env = { REDIS_URL: redis.url };
      for (const start of [() => addApi(env), () => addWorker({ env })]) {
        await assert.rejects(start, (error: Error) => {
          assert.match(error.message, /exit code 1/);
          assert.match(error.message, /maxmemory-policy is allkeys-lru/);
          assert.match(error.message, /CONFIG SET maxmemory-policy noeviction/);
          return true;
        });
      }
    });
  } finally {
    await redis.stop();
  }
});

test('a Redis without an append-only file is used, with a warning that says how to mend it', async () => {
  const redis = await startRedis({ appendonly: false });
  try {
    await withFleet({ engine: 'redis', redis }, async ({ apis, workers }) => {
      for (const { stdout } of [...apis, ...workers]) {
        const line = await waitFor(() => stdout.find((one) => one.includes('append-only')));
        assert.match(line, /"level":"warn".*CONFIG SET appendonly yes/);
      }
    });
  } finally {
    await redis.stop();
  }
});
