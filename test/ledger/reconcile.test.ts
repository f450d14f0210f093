import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { jobId } from '@belfry/shared/domain/ids.js';
import { cancelNotification } from '@belfry/shared/ledger/cancel.js';
import type { JobSeed } from '@belfry/shared/ledger/waiting.js';
import { DELIVERY_QUEUES } from '@belfry/shared/queue/topology.js';
import { reconcile } from '@belfry/shared/upkeep/reconcile.js';
import { forEachEngine } from '../support/engines.js';
import { waitFor } from '../support/wait.js';
import { SILENT, withEngine } from './with-engine.js';
import { type AcceptOptions, accept, firstOf, notification, OPS, rowOf } from './with-ledger.js';

const QUEUE = 'email.normal';

describe('the reconciler', () => {
  forEachEngine((engineName) => {
    const at = withEngine(engineName);
    const { ledger } = at;
    beforeEach(async () => {
      await ledger.one.rows('TRUNCATE notification, delivery, attempt CASCADE');
      await wipe();
    });

    /** The queues as they are after a wipe: nothing waits, and nothing is remembered. */
    async function wipe(): Promise<void> {
      if (at.redis !== undefined) return at.redis.flushAll();
      const names = ledger.one.rows<{ name: string }>(
        "SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'bullmq' AND tablename NOT LIKE '%migration%'",
      );
      await ledger.one.rows(`TRUNCATE ${(await names).map(({ name }) => `bullmq.${name}`).join(', ')}`);
    }

    async function accepted(
      count: number,
      options: AcceptOptions = {},
    ): Promise<{ notificationId: string; seed: JobSeed }[]> {
      const many = Array.from({ length: count }, () => notification(options));
      for (let from = 0; from < count; from += 250) await accept(ledger.one, ...many.slice(from, from + 250));
      return many.map((one) => ({
        notificationId: one.id,
        seed: {
          deliveryId: firstOf(one),
          notificationId: one.id,
          channel: one.deliveries[0]?.channel ?? 'email',
          priority: one.priority,
          generation: 1,
          delayMs: Math.max(0, (options.sendAt?.getTime() ?? 0) - Date.now()),
        },
      }));
    }

    const run = () =>
      reconcile(
        { database: ledger.one, engine: at.engine, enqueuer: at.enqueuer, events: SILENT },
        { graceMs: 0 },
      );

    it('leaves alone what has its job', async () => {
      const all = await accepted(50);
      assert.equal(await at.enqueuer.enqueueNow(all.map(({ seed }) => seed)), true);
      assert.equal(await run(), 0);
      assert.equal(await at.engine.pending(QUEUE), 50);
    });

    it('finds the few that lost their job among the many that have one', async () => {
      const all = (await accepted(60)).map(({ seed }) => seed);
      await at.enqueuer.enqueueNow(all.slice(0, 50));
      assert.equal(await run(), 10);
      assert.equal(await at.engine.pending(QUEUE), 60);
      const ids = all.map(({ deliveryId }, n) => jobId(deliveryId, n < 50 ? 1 : 2));
      assert.equal((await at.engine.alive(QUEUE, ids)).size, 60);
      assert.equal(await run(), 0);
    });

    it('never uses the name of a job again, not even of one that is done and kept', async () => {
      const [one] = (await accepted(1)).map(({ seed }) => seed);
      assert.ok(one);
      const done: string[] = [];
      await at.enqueuer.enqueueNow([one]);
      const worker = at.engine.work(QUEUE, async (job) => void done.push(String(job.id)), { concurrency: 1 });
      try {
        // The job ends without a word to the ledger, as that of a worker that stopped in the middle does.
        await waitFor(async () => done.length === 1 && (await at.engine.pending(QUEUE)) === 0);
        assert.equal(await run(), 1);
        await waitFor(async () => done.length === 2 && (await at.engine.pending(QUEUE)) === 0);
        assert.deepEqual(done, [jobId(one.deliveryId, 1), jobId(one.deliveryId, 2)]);
        assert.equal((await rowOf(ledger.one, one.deliveryId)).generation, 2);
      } finally {
        await worker.close();
      }
    });

    it('rebuilds 1 000 rows of several queues after a wipe, once, and with their alarms', async () => {
      const inAnHour = new Date(Date.now() + 3_600_000);
      const all = [
        ...(await accepted(700)),
        ...(await accepted(200, { channels: ['sms'], priority: 'critical' })),
        ...(await accepted(100, { state: 'scheduled', sendAt: inAnHour, priority: 'low' })),
      ];
      await at.enqueuer.enqueueNow(all.map(({ seed }) => seed));
      await wipe();
      assert.equal(await at.engine.pending(QUEUE), 0);
      assert.equal(await run(), 1_000);
      assert.equal(await run(), 0);
      const pending = await Promise.all(
        DELIVERY_QUEUES.map(async (name) => [name, await at.engine.pending(name)] as const),
      );
      assert.deepEqual(Object.fromEntries(pending.filter(([, count]) => count > 0)), {
        'email.normal': 700,
        'sms.critical': 200,
        'email.low': 100,
      });
      const counts = await at.engine.queue('email.low').getJobCounts('delayed', 'waiting');
      assert.deepEqual(counts, { delayed: 100, waiting: 0 });
    });

    it('finds what is due although jobs of what was cancelled are still in the queue', async () => {
      const later = await accepted(20, { state: 'scheduled', sendAt: new Date(Date.now() + 3_600_000) });
      await at.enqueuer.enqueueNow(later.map(({ seed }) => seed));
      for (const { notificationId } of later) await cancelNotification(ledger.one, notificationId, OPS);
      const [lost] = await accepted(1);
      assert.ok(lost);
      assert.equal(await run(), 1);
      assert.equal((await at.engine.alive(QUEUE, [jobId(lost.seed.deliveryId, 2)])).size, 1);
    });
  });
});
