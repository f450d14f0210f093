import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachEngine } from '../support/engines.js';
import { type Fleet, useFleet, withFleet } from '../support/fleet.js';
import { freshDatabase } from '../support/postgres.js';
import { waitFor } from '../support/wait.js';
import { addressesAt, email } from './sending.js';

forEachEngine((engine) => {
  const fleet = useFleet({ engine, api: 2 });

  test('an API process is killed under load, callers try again with the same keys: one notification and one mail for each key', async (t) => {
    const { apis, addApi, untilSettled, sandbox, database } = fleet();
    const addresses = addressesAt('keys.test', 240);
    const queue = [...addresses];
    let answered = 0;
    let repeated = 0;
    const callers = Array.from({ length: 12 }, async () => {
      for (let to = queue.pop(); to !== undefined; to = queue.pop()) {
        repeated += (await insist(fleet(), to)) - 1;
        answered += 1;
      }
    });
    const all = Promise.all(callers);
    await waitFor(() => answered > 60, { timeoutMs: 30_000 });
    apis[0]?.kill();
    await addApi();
    await all;
    await untilSettled({ timeoutMs: 60_000 });

    t.diagnostic(`${repeated} calls were made again`);
    assert.ok(repeated > 0, 'the kill met callers');
    const { rows } = await database.query(
      "SELECT count(*)::int AS count FROM delivery WHERE address LIKE '%@keys.test'",
    );
    assert.deepEqual(rows, [{ count: addresses.length }]);
    assert.deepEqual((await sandbox.messages()).map(({ to }) => to).sort(), [...addresses].sort());
  });

  test('many calls with one key at once make one notification, whichever API they reach', async () => {
    const { database, untilSettled } = fleet();
    const addresses = addressesAt('once.test', 25);
    const calls = addresses.flatMap((to) =>
      Array.from({ length: 8 }, (_, n) => insist(fleet(), to, [1 + (n % 2)])),
    );
    await Promise.all(calls);
    await untilSettled();
    const { rows } = await database.query(
      "SELECT count(*)::int AS count FROM delivery WHERE address LIKE '%@once.test'",
    );
    assert.deepEqual(rows, [{ count: addresses.length }]);
  });

  test('a worker that is started before there is a schema waits for it, and then works', async () => {
    const database = await freshDatabase();
    await withFleet({ engine, api: 0, workers: [{ untilReady: false }], database }, async (young) => {
      const { workers, addApi, untilStatus } = young;
      await waitFor(() => workers[0]?.stdout.some((line) => line.includes('waiting for the database')), {
        timeoutMs: 30_000,
      });
      await addApi();
      await untilStatus(await email(young, 'young@example.org'), 'SENT', { timeoutMs: 30_000 });
    });
    await database.drop();
  });
});

/** Sends a mail under the key `to`, to one API after the other, until one of them takes it; gives the number of calls. */
async function insist({ call }: Fleet, to: string, apis: readonly number[] = [0, 1]): Promise<number> {
  const body = { to, subject: 'Hello', body: 'There' };
  const headers = { 'idempotency-key': to };
  for (let calls = 1; ; calls += 1) {
    assert.ok(calls < 500, `${to} was never accepted`);
    const api = apis[(calls - 1) % apis.length] ?? 0;
    const options = { sub: 'insistent', headers, api };
    const answer = await call('POST', '/notifications/email/send', body, options).catch(() => undefined);
    if (answer?.status === 202) return calls;
    assert.ok(answer === undefined || answer.status === 409 || answer.status === 503, answer?.text);
  }
}
