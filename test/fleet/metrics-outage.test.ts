import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import { type Fleet, withFleet } from '../support/fleet.js';
import { ask } from '../support/http.js';
import { freePort } from '../support/ports.js';
import { startPostgres, temporaryDir } from '../support/postgres.js';
import { type Scrape, scrape } from '../support/scrape.js';
import { waitFor } from '../support/wait.js';

/** Names of the fleet's series that come from the ledger, and from the queues. */
const OF_LEDGER = ['belfry_deliveries_open', 'belfry_oldest_waiting_seconds', 'belfry_workers_alive'];
const OF_QUEUES = ['belfry_queue_jobs', 'belfry_queue_paused'];

function assertSeen(seen: Scrape, parts: { database: 0 | 1; queue: 0 | 1 }): void {
  assert.equal(seen.value('belfry_up', { part: 'database' }), parts.database);
  assert.equal(seen.value('belfry_up', { part: 'queue' }), parts.queue);
  for (const name of OF_LEDGER) assert.equal(seen.value(name) !== undefined, parts.database === 1, name);
  for (const name of OF_QUEUES) assert.equal(seen.value(name) !== undefined, parts.queue === 1, name);
  assert.ok((seen.value('process_cpu_seconds_total') ?? 0) > 0);
}

async function untilSeen(fleet: Fleet, parts: { database: 0 | 1; queue: 0 | 1 }): Promise<void> {
  await waitFor(
    async () => {
      assertSeen(await scrape(fleet.api.url), parts);
      return true;
    },
    { timeoutMs: 40_000 },
  );
}

test('while Redis is away a scrape is answered, without the series of the queues', async () => {
  await withFleet({ engine: 'redis' }, async (fleet) => {
    await untilSeen(fleet, { database: 1, queue: 1 });
    await fleet.redis?.kill();
    await untilSeen(fleet, { database: 1, queue: 0 });
    const metrics = String(fleet.workers[0]?.ready.metrics);
    const ready = await waitFor(async () => {
      const answer = await ask('GET', new URL('/ready', metrics).href);
      return answer.status === 503 ? answer : undefined;
    });
    assert.deepEqual(ready.body.failing, ['queue']);
    assert.ok(((await scrape(metrics)).value('process_cpu_seconds_total') ?? 0) > 0);
    await fleet.redis?.restart();
    await untilSeen(fleet, { database: 1, queue: 1 });
  });
});

test('while PostgreSQL is away a scrape is answered, without the series of the ledger', async () => {
  const home = { dataDir: temporaryDir(), port: await freePort() };
  let postgres = await startPostgres(home);
  const database = { url: postgres.url, drop: async () => undefined };
  try {
    await withFleet({ engine: 'redis', database }, async (fleet) => {
      await untilSeen(fleet, { database: 1, queue: 1 });
      await postgres.stop();
      await untilSeen(fleet, { database: 0, queue: 1 });
      postgres = await startPostgres(home);
      await untilSeen(fleet, { database: 1, queue: 1 });
    });
  } finally {
    await postgres.stop();
    rmSync(home.dataDir, { recursive: true, force: true });
  }
});
