import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { jobId } from '@belfry/shared/domain/ids.js';
import { cancelNotification } from '@belfry/shared/ledger/cancel.js';
import type { Alarm } from '@belfry/shared/ledger/escalations.js';
import type { JobSeed } from '@belfry/shared/ledger/waiting.js';
import { alarmId } from '@belfry/shared/queue/escalation-jobs.js';
import { DELIVERY_QUEUES, ESCALATION } from '@belfry/shared/queue/topology.js';
import { reconcile } from '@belfry/shared/upkeep/reconcile.js';
import { forEachEngine } from '../support/engines.js';
import { waitFor } from '../support/wait.js';
import { escalatingOn } from './escalating.js';
import { SILENT, withEngine } from './with-engine.js';
import { type AcceptOptions, accept, firstOf, notification, OPS, rowOf } from './with-ledger.js';

const QUEUE = 'email.normal';

describe('the reconciler', () => {
  forEachEngine((engineName) => {
    const at = withEngine(engineName);
    const { ledger } = at;
    beforeEach(async () => {
      await ledger.one.rows('TRUNCATE notification, delivery, attempt, alert CASCADE');
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

    it('sets the clocks of escalations when one of them is missing, and otherwise asks no more than whether they are there', async () => {
      const escalating = escalatingOn();
      const alerts = [];
      for (let n = 0; n < 3; n += 1) alerts.push(await escalating.raise(ledger.one));
      const ids = alerts.map(({ id }) => alarmId({ alertId: id, step: 1 }));
      const missing = async () => {
        const alive = await at.engine.alive(ESCALATION, ids);
        return ids.filter((id) => !alive.has(id));
      };
      assert.equal((await missing()).length, 3);
      await run();
      assert.deepEqual(await missing(), []);
      const set: number[] = [];
      const enqueuer = {
        ...at.enqueuer,
        setAlarms: (alarms: readonly Alarm[]) => {
          set.push(alarms.length);
          return at.enqueuer.setAlarms(alarms);
        },
      };
      const sweep = (options = {}) =>
        reconcile({ database: ledger.one, engine: at.engine, enqueuer, events: SILENT }, options);
      await sweep();
      assert.deepEqual(set, [], 'all of them are there');
      await at.engine.queue(ESCALATION).remove(ids[1] ?? '');
      await sweep();
      assert.deepEqual([set, await missing()], [[3], []]);
      await sweep({ thorough: true });
      assert.deepEqual(set, [3, 3], 'whoever is thorough does not count');
    });

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
