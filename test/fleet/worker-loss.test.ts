import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachEngine } from '../support/engines.js';
import { type Fleet, useFleet } from '../support/fleet.js';
import type { TestProcess } from '../support/process.js';
import { waitFor } from '../support/wait.js';
import { addressesAt, email, emails, only, outcomes, sms } from './sending.js';

forEachEngine((engine) => {
  const fleet = useFleet({ engine, workers: [{}, {}, {}], env: { WORKER_CONCURRENCY_EMAIL: '60' } });

  test('what a worker had in its hands when it was killed is sent by another one, and the ledger says so', async (t) => {
    const { sandbox, untilStatus, addWorker } = fleet();
    // Both are in hand: the mail was not taken yet, the text message was, and nobody heard of it.
    await sandbox.fault({
      channel: 'email',
      recipient: 'killed@example.org',
      action: { kind: 'hang' },
      times: 1,
    });
    await sandbox.fault({
      channel: 'sms',
      recipient: '+251911000501',
      action: { kind: 'hang', at: 'after' },
      times: 1,
    });
    const mail = await email(fleet(), 'killed@example.org');
    const text = await sms(fleet(), '+251911000501');
    const victims = [await holderOf(fleet(), mail), await holderOf(fleet(), text)];
    await waitFor(async () => {
      const calls = await sandbox.calls();
      return calls.email.faults.hang === 1 && calls.sms.faults.hang === 1;
    });
    const killedAt = performance.now();
    for (const victim of victims) victim.kill();
    await addWorker();

    for (const [id, first, second] of [
      [mail, 'ambiguous worker-lost', 'sent 250'],
      [text, 'ambiguous worker-lost', 'sent found'],
    ] as const) {
      await untilStatus(id, 'SENT', { timeoutMs: 60_000 });
      t.diagnostic(`sent ${Math.round(performance.now() - killedAt)} ms after the kill`);
      assert.deepEqual(outcomes(await only(fleet(), id)), [first, second]);
    }
    assert.equal((await sandbox.messages({ to: 'killed@example.org' })).length, 1);
    assert.equal((await sandbox.messages({ to: '+251911000501' })).length, 1);
  });

  test('of 2 000 mails none is lost when one of three workers is killed in the middle, and none doubled but what it held', async (t) => {
    const { sandbox, untilSettled, workers, addWorker, database } = fleet();
    const alive = () => workers.filter(({ pid }) => isAlive(pid));
    while (alive().length < 3) await addWorker();
    const addresses = addressesAt('kill.test', 2_000);
    await sandbox.fault({ channel: 'email', recipient: '*@kill.test', action: { kind: 'delay', ms: 30 } });
    const startedAt = performance.now();
    await emails(fleet(), addresses);
    await waitFor(async () => (await sandbox.stats()).total > 700, { timeoutMs: 60_000, what: '700 mails' });
    const [victim] = alive();
    await waitFor(async () => (await held(fleet(), victim)) > 0);
    victim?.kill();
    await untilSettled({ timeoutMs: 120_000 });
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);

    const arrived = await sandbox.messages({ to: '*@kill.test' });
    assert.deepEqual([...new Set(arrived.map(({ to }) => to))].sort(), [...addresses].sort());
    const { rows } = await database.query<{ held: number; unsent: number }>(
      `SELECT (SELECT count(*) FROM attempt a JOIN delivery d ON d.id = a.delivery_id
         WHERE a.code = 'worker-lost' AND d.address LIKE '%@kill.test')::int AS held,
         (SELECT count(*) FROM delivery WHERE state <> 'sent')::int AS unsent`,
    );
    const { held: lost = 0, unsent } = rows[0] ?? {};
    const doubles = arrived.length - addresses.length;
    t.diagnostic(
      `${addresses.length} mails in ${seconds} s, ${lost} in the killed worker's hands, ${doubles} doubled`,
    );
    assert.equal(unsent, 0);
    assert.ok(doubles <= lost, `${doubles} doubles, ${lost} in hand`);
    const twice = arrived.filter(({ attempts }) => attempts > 1);
    for (const { delivery_id, message_id } of twice) assert.equal(message_id, `<${delivery_id}@belfry.test>`);
  });
});

/** How many deliveries the worker has in its hands. */
async function held({ database }: Fleet, worker: TestProcess | undefined): Promise<number> {
  const { rows } = await database.query<{ count: number }>(
    "SELECT count(*)::int AS count FROM delivery WHERE state = 'sending' AND lease_owner = $1",
    [worker?.ready.worker],
  );
  return rows[0]?.count ?? 0;
}

/** The worker that has the notification's delivery in its hands; waits until there is one. */
async function holderOf({ database, workers }: Fleet, notificationId: string): Promise<TestProcess> {
  return waitFor(async () => {
    const { rows } = await database.query<{ lease_owner: string }>(
      "SELECT lease_owner FROM delivery WHERE notification_id = $1 AND state = 'sending'",
      [notificationId],
    );
    return workers.find(({ ready }) => ready.worker === rows[0]?.lease_owner);
  });
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
