import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachEngine } from '../support/engines.js';
import { useFleet } from '../support/fleet.js';
import { waitFor } from '../support/wait.js';
import { addressesAt, email, emails, only, outcomes } from './sending.js';

forEachEngine((engine) => {
  const fleet = useFleet({ engine, workers: [{}, {}], api: 2 });

  test('a worker that is told to stop under load leaves within 10 s; nothing is lost and nothing doubled', async (t) => {
    const { sandbox, untilSettled, workers, database } = fleet();
    const addresses = addressesAt('stop.test', 400);
    await sandbox.fault({ channel: 'email', recipient: '*@stop.test', action: { kind: 'delay', ms: 30 } });
    await emails(fleet(), addresses);
    await waitFor(async () => (await sandbox.stats()).total > 50, { timeoutMs: 30_000 });
    const askedAt = performance.now();
    const exit = await workers[0]?.stop(30_000);
    t.diagnostic(`gone after ${Math.round(performance.now() - askedAt)} ms`);
    assert.deepEqual(exit, { code: 0, signal: null });
    await untilSettled({ timeoutMs: 60_000 });
    assert.deepEqual((await sandbox.messages()).map(({ to }) => to).sort(), [...addresses].sort());
    const { rows } = await database.query('SELECT max(n) AS most, count(*)::int AS count FROM attempt');
    assert.deepEqual(rows, [{ most: 1, count: 400 }]);
    await sandbox.clearFaults();
  });

  test('a worker whose provider hangs says how far it came before it stops, and another one goes on', async (t) => {
    const { sandbox, workers, addWorker, untilStatus } = fleet();
    await sandbox.fault({
      channel: 'email',
      recipient: 'hang@stop.test',
      action: { kind: 'hang' },
      times: 1,
    });
    const id = await email(fleet(), 'hang@stop.test');
    await waitFor(async () => (await sandbox.calls()).email.faults.hang === 1);
    const askedAt = performance.now();
    const exit = await workers[1]?.stop(30_000);
    t.diagnostic(`gone after ${Math.round(performance.now() - askedAt)} ms`);
    assert.deepEqual(exit, { code: 0, signal: null });
    const { state } = await only(fleet(), id);
    assert.equal(state, 'ambiguous');
    await addWorker();
    await untilStatus(id, 'SENT');
    assert.deepEqual(outcomes(await only(fleet(), id)), ['ambiguous aborted', 'sent 250']);
  });

  test('an API process that is told to stop finishes the calls that are open', async () => {
    const { apis, call, database, untilStatus } = fleet();
    const locker = await database.connect();
    try {
      await locker.query('BEGIN');
      await locker.query('LOCK TABLE delivery IN EXCLUSIVE MODE');
      const open = call(
        'POST',
        '/notifications/email/send',
        { to: 'open@stop.test', subject: 'Open', body: 'Call' },
        { api: 1 },
      );
      await waitFor(async () => {
        const { rows } = await database.query(
          "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'belfry-api' AND wait_event_type = 'Lock'",
        );
        return rows.length > 0;
      });
      apis[1]?.kill('SIGTERM');
      await waitFor(() => apis[1]?.stdout.some((line) => line.includes('"msg":"stopping"')));
      await locker.query('COMMIT');
      const answer = await open;
      assert.equal(answer.status, 202, answer.text);
      assert.deepEqual(await apis[1]?.exited, { code: 0, signal: null });
      await assert.rejects(call('GET', '/notifications', undefined, { api: 1 }));
      await untilStatus(String(answer.body.email_id), 'SENT');
    } finally {
      locker.release(true);
    }
  });
});
