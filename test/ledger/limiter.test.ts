import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { migrateLedger } from '@belfry/shared/ledger/migrate.js';
import { type Limiter, turnAfter } from '@belfry/shared/queue/limiter.js';
import type { QueueEngine } from '@belfry/shared/queue/queue-engine.js';
import { forEachEngine } from '../support/engines.js';
import { startRedis, type TestRedis } from '../support/redis.js';
import { waitFor } from '../support/wait.js';
import { openTestEngine } from './with-engine.js';
import { withLedger } from './with-ledger.js';

const QUEUEING = { queueing: true };

describe('a limit for what waits', () => {
  it('gives each that came too late a turn of its own, as many to a window as it holds', () => {
    const limit = { points: 10, seconds: 2 };
    const turns = Array.from({ length: 35 }, (_, index) =>
      turnAfter({ consumedPoints: 11 + index, msBeforeNext: 500 }, limit),
    );
    assert.equal(turns[0], 500);
    assert.deepEqual(
      turns,
      [...turns].sort((a, b) => a - b),
    );
    for (let window = 0; window < 3; window += 1) {
      const from = 500 + window * 2_000;
      assert.equal(turns.filter((turn) => turn >= from && turn < from + 2_000).length, 10);
    }
  });

  forEachEngine((engineName) => {
    let redis: TestRedis | undefined;
    let engines: QueueEngine[] = [];
    withLedger(async (url) => {
      redis = engineName === 'redis' ? await startRedis({ appendonly: false }) : undefined;
      engines = [openTestEngine(url, redis?.url), openTestEngine(url, redis?.url)];
      const [first] = engines;
      await migrateLedger(url, async (client) => first?.migrate(client));
      for (const engine of engines) await waitFor(() => engine.ping().then(() => true));
    });
    after(async () => {
      await Promise.all(engines.map((engine) => engine.close()));
      await redis?.stop();
    });
    const limiters = (name: string, points: number, seconds: number): Limiter[] =>
      engines.map((engine) => engine.limiter(name, { points, seconds }, QUEUEING));

    it('counts over all processes, and spreads those beyond it over the next windows', async () => {
      const [one, two] = limiters('spread', 10, 60);
      assert.ok(one && two);
      const answers = await Promise.all(
        Array.from({ length: 30 }, (_, index) => (index % 2 === 0 ? one : two).take('smtp')),
      );
      assert.equal(answers.filter((wait) => wait === null).length, 10);
      const waits = answers.filter((wait) => wait !== null).sort((a, b) => a - b);
      const distinct = new Set(waits.map((wait) => Math.round(wait / 6_000)));
      assert.equal(distinct.size, 20, `turns: ${waits.join(', ')}`);
    });

    it('is closed for everybody by one process, and opens by itself', async () => {
      const [one, two] = limiters('pause', 1, 1);
      assert.ok(one && two);
      assert.equal(await two.blockedMs('smtp'), 0);
      await one.block('smtp', 1_200);
      const left = await two.blockedMs('smtp');
      assert.ok(left > 1_000 && left <= 2_000, `${left} ms, in whole seconds`);
      assert.equal(await two.blockedMs('smtp-2'), 0, 'another account is not concerned');
      await waitFor(async () => (await two.blockedMs('smtp')) === 0);
    });
  });
});

describe('a limit whose store is away', () => {
  forEachEngine((engineName) => {
    it('holds for each process by itself, and stops nothing', async () => {
      const nowhere = engineName === 'redis' ? 'redis://127.0.0.1:1' : undefined;
      const engine = openTestEngine('postgres://nobody@127.0.0.1:1/none', nowhere);
      try {
        const limiter = engine.limiter('away', { points: 3, seconds: 60 }, QUEUEING);
        const answers = [];
        for (let n = 0; n < 5; n += 1) answers.push(await limiter.take('smtp'));
        assert.deepEqual(answers.slice(0, 3), [null, null, null]);
        assert.ok(
          answers.slice(3).every((wait) => wait !== null && wait > 1_000),
          String(answers),
        );
      } finally {
        await engine.close();
      }
    });
  });
});
