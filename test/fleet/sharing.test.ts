import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { forEachEngine } from '../support/engines.js';
import { useFleet } from '../support/fleet.js';
import type { TestProcess } from '../support/process.js';
import { waitFor } from '../support/wait.js';
import { addressesAt, email, emails } from './sending.js';

forEachEngine((engine) => {
  describe('three workers', () => {
    const fleet = useFleet({ engine, workers: [{}, {}, {}] });
    afterEach(() => fleet().sandbox.clearFaults());

    test('share 500 deliveries, each taken by one of them and sent once', async () => {
      const { sandbox, untilSettled, workers, database } = fleet();
      const addresses = addressesAt('share.test', 500);
      await sandbox.fault({ channel: 'email', recipient: '*@share.test', action: { kind: 'delay', ms: 20 } });
      await emails(fleet(), addresses);
      await untilSettled({ timeoutMs: 90_000 });

      const arrived = await sandbox.messages({ channel: 'email' });
      assert.deepEqual(arrived.map(({ to }) => to).sort(), [...addresses].sort());
      const { rows } = await database.query('SELECT count(*)::int AS attempts, max(n) AS most FROM attempt');
      assert.deepEqual(rows, [{ attempts: 500, most: 1 }]);
      const shares = await waitFor(() => {
        const counts = workers.map(
          ({ stdout }) => stdout.filter((line) => line.includes('"event":"attempted"')).length,
        );
        return counts.reduce((sum, count) => sum + count, 0) === 500 ? counts : undefined;
      });
      assert.ok(
        shares.every((share) => share > 0),
        `shares: ${shares.join(', ')}`,
      );
    });
  });

  describe('one worker with one pair of hands for each priority', () => {
    const fleet = useFleet({ engine, env: { WORKER_CONCURRENCY: '1' } });
    afterEach(() => fleet().sandbox.clearFaults());

    test('sends what has one priority in the order in which it came', async () => {
      const { sandbox, untilSettled } = fleet();
      const addresses = addressesAt('order.test', 30);
      for (const to of addresses) await email(fleet(), to);
      await untilSettled();
      assert.deepEqual(
        (await sandbox.messages({ to: '*@order.test' })).map(({ to }) => to),
        addresses,
      );
    });

    for (const [flood, other] of [
      ['low', 'critical'],
      ['critical', 'low'],
    ] as const) {
      test(`sends what is ${other} while there is a flood of what is ${flood}`, async () => {
        const { sandbox, untilSettled } = fleet();
        const addresses = addressesAt(`${flood}-flood.test`, 40);
        await sandbox.fault({
          channel: 'email',
          recipient: `*@${flood}-flood.test`,
          action: { kind: 'delay', ms: 50 },
        });
        await emails(fleet(), addresses, { priority: flood });
        await waitFor(async () => (await sandbox.messages({ to: `*@${flood}-flood.test` })).length > 0);
        await email(fleet(), `${other}@one.test`, { priority: other });
        await untilSettled();
        const order = (await sandbox.messages())
          .map(({ to }) => to)
          .filter((to) => !to.endsWith('order.test'));
        const place =
          order.indexOf(`${other}@one.test`) - order.findIndex((to) => to.endsWith(`@${flood}-flood.test`));
        assert.ok(
          place > 0 && place < addresses.length,
          `it was number ${place + 1} of ${addresses.length + 1}`,
        );
      });
    }
  });

  describe('workers with queues of their own', () => {
    const fleet = useFleet({
      engine,
      workers: [{ queues: '*.critical,upkeep' }, { queues: 'email.*' }],
    });

    test('take from those, and what nobody serves waits until somebody does', async () => {
      const { person, send, sandbox, untilStatus, workers, addWorker, deliveries } = fleet();
      await person('p', { email: 'p@own.test', phone: '+251911000401', preferences: { sms: true } });
      const text = { user_id: 'p', message: 'Hello' };
      const critical = await send({ ...text, channels: ['sms'], priority: 'critical' });
      const mail = await send({ ...text, channels: ['email'], priority: 'low' });
      const unserved = await send({ ...text, channels: ['sms'], priority: 'low' });
      await untilStatus(critical, 'SENT');
      await untilStatus(mail, 'SENT');
      const [urgent, mailer] = workers;
      await untilAttempted(urgent, critical);
      await untilAttempted(mailer, mail);
      assert.deepEqual(
        (await deliveries(unserved)).map(({ state, tried }) => [state, tried.length]),
        [['queued', 0]],
      );
      const third = await addWorker({ queues: 'sms.low' });
      await untilStatus(unserved, 'SENT');
      await untilAttempted(third, unserved);
      assert.equal((await sandbox.messages()).length, 3);
    });
  });
});

/** Waits until the worker has said that it attempted the notification. */
async function untilAttempted(worker: TestProcess | undefined, notificationId: string): Promise<void> {
  await waitFor(() =>
    worker?.stdout.some((line) => line.includes('"attempted"') && line.includes(notificationId)),
  );
}
