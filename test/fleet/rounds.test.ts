import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachEngine } from '../support/engines.js';
import { useFleet } from '../support/fleet.js';
import { waitFor } from '../support/wait.js';
import { email, only } from './sending.js';

forEachEngine((engine) => {
  const fleet = useFleet({
    engine,
    workers: [{}, {}],
    env: { MAX_ATTEMPTS: '2', RETRY_BASE_MS: '20', RETRY_SWEEP_MS: '1000' },
  });

  test('a delivery that used up its attempts fails, gets three rounds once for the whole fleet, and then rests', async () => {
    const { sandbox, untilStatus, logs, database, call } = fleet();
    const to = 'full@example.org';
    await sandbox.fault({ channel: 'email', recipient: to, action: { kind: 'smtp', code: 452 } });
    const id = await email(fleet(), to);
    await untilStatus(id, 'FAILED');
    await waitFor(
      async () => {
        const { state, round } = await only(fleet(), id);
        return state === 'dead' && round === 3;
      },
      { timeoutMs: 30_000, what: 'the third round to end' },
    );
    const sweeps = async () =>
      (await database.query("SELECT ran_at::text AS at FROM upkeep WHERE task = 'retry-sweep'")).rows[0]?.at;
    for (const _ of ['one sweep', 'and another']) {
      const last = await sweeps();
      await waitFor(async () => (await sweeps()) !== last);
    }
    const delivery = await only(fleet(), id);
    assert.deepEqual([delivery.state, delivery.reason, delivery.round], ['dead', 'attempts_exhausted', 3]);
    assert.equal(delivery.tried.length, 3 * 2);
    const swept = () => logs().filter((line) => line.includes('"event":"retried"')).length;
    await waitFor(() => swept() >= 2);
    assert.equal(swept(), 2, 'two workers, and each new round was begun by one of them');
    assert.deepEqual((await call('POST', '/notifications/retry', {})).body, { retried: 0 });
  });

  test('a delivery that failed is sent in a later round, once its provider is well', async () => {
    const { sandbox, untilStatus, queues } = fleet();
    const to = 'later@example.org';
    await sandbox.fault({ channel: 'email', recipient: to, action: { kind: 'smtp', code: 452 }, times: 3 });
    const id = await email(fleet(), to);
    await untilStatus(id, 'SENT');
    const delivery = await only(fleet(), id);
    assert.deepEqual([delivery.round, delivery.attempts, delivery.tried.length], [2, 2, 4]);
    assert.equal((await sandbox.messages({ to })).length, 1);
    const job = await queues.queue('email.normal').getJob(`${delivery.id}-g2`);
    assert.ok(job, 'the new round has a job with a name of its own');
  });
});
