import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Fleet, useFleet, withFleet } from '../support/fleet.js';
import { startRedis } from '../support/redis.js';
import { waitFor } from '../support/wait.js';
import { addressesAt, email, emails } from './sending.js';

describe('when Redis is killed', () => {
  const fleet = useFleet({ engine: 'redis', workers: [{}, {}] });

  for (const [state, before] of [
    ['idle', 0],
    ['busy', 60],
  ] as const) {
    test(`calls are still answered with 202, and delivered after its return without a restart, by workers that were ${state}`, async (t) => {
      const { sandbox, redis, page, untilSettled, apis, workers } = fleet();
      await sandbox.clear();
      await sandbox.clearFaults();
      const domain = `${state}.test`;
      await sandbox.fault({ channel: 'email', recipient: `*@${domain}`, action: { kind: 'delay', ms: 40 } });
      await emails(fleet(), addressesAt(domain, before));
      if (before > 0) await waitFor(async () => (await sandbox.stats()).total > 5);
      await redis?.kill();

      const during = Array.from({ length: 12 }, (_, index) => `during${index}@${domain}`);
      for (const to of during) await email(fleet(), to);
      const ready = await waitFor(async () => {
        const answer = await page('/ready', { as: null });
        return answer.body.failing?.[0] === undefined ? undefined : answer;
      });
      assert.deepEqual([ready.status, ready.body.status, ready.body.failing], [200, 'degraded', ['queue']]);
      assert.equal((await page('/health', { as: null })).status, 200);

      await redis?.restart();
      const backAt = performance.now();
      await waitFor(async () => String((await page('/ready', { as: null })).body.status) === 'ready');
      await untilSettled({ timeoutMs: 60_000 });
      t.diagnostic(`all sent ${Math.round(performance.now() - backAt)} ms after its return`);
      assert.deepEqual(await arrived(fleet()), [...addressesAt(domain, before), ...during].sort());
      for (const child of [...apis, ...workers])
        assert.equal(await Promise.race([child.exited, 'alive']), 'alive');
    });
  }

  test('a worker that is told to stop leaves within 10 s, and what it had is delivered by another one', async (t) => {
    const { sandbox, redis, untilSettled, workers } = fleet();
    await sandbox.clear();
    await sandbox.clearFaults();
    await sandbox.fault({ channel: 'email', recipient: '*@term.test', action: { kind: 'delay', ms: 40 } });
    const addresses = addressesAt('term.test', 60);
    await emails(fleet(), addresses);
    await waitFor(async () => (await sandbox.stats()).total > 5);
    await redis?.kill();
    const askedAt = performance.now();
    const exit = await workers[0]?.stop(30_000);
    const tookMs = Math.round(performance.now() - askedAt);
    t.diagnostic(`gone after ${tookMs} ms`);
    assert.deepEqual(exit, { code: 0, signal: null });
    // It sets itself a deadline of 9.5 s; the rest is for a busy machine.
    assert.ok(tookMs < 12_000, `it took ${tookMs} ms`);
    await redis?.restart();
    await untilSettled({ timeoutMs: 60_000 });
    assert.deepEqual(await arrived(fleet()), [...addresses].sort());
  });
});

test('an API and a worker that were started while Redis was away come alive when it is there', async () => {
  const redis = await startRedis();
  await redis.kill();
  try {
    await withFleet({ engine: 'redis', redis, workers: [{ untilReady: false }] }, async (fleet) => {
      const { untilStatus, page, workers, sandbox } = fleet;
      const id = await email(fleet, 'early@example.org');
      assert.equal((await page('/ready', { as: null })).body.status, 'degraded');
      await waitFor(() => workers[0]?.stdout.some((line) => line.includes('waiting for the queue engine')), {
        timeoutMs: 30_000,
      });
      await redis.restart();
      await untilStatus(id, 'SENT', { timeoutMs: 60_000 });
      await untilStatus(await email(fleet, 'next@example.org'), 'SENT');
      assert.deepEqual(await arrived(fleet), ['early@example.org', 'next@example.org']);
      assert.equal((await sandbox.messages()).length, 2);
    });
  } finally {
    await redis.stop();
  }
});

async function arrived({ sandbox }: Fleet): Promise<string[]> {
  return (await sandbox.messages()).map(({ to }) => to).sort();
}
