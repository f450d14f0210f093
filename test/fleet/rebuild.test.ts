import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachEngine } from '../support/engines.js';
import { type Fleet, useFleet } from '../support/fleet.js';
import { waitFor } from '../support/wait.js';
import { addressesAt, email, emails, only, sms } from './sending.js';
import { wipe } from './wipe.js';

forEachEngine((engine) => {
  const fleet = useFleet({ engine, workers: [] });

  test('a wiped queue is rebuilt from the ledger at once, and rebuilding it again makes nothing twice', async () => {
    const { queues, untilSettled, addWorker, sandbox } = fleet();
    const addresses = addressesAt('rebuild.test', 120);
    await emails(fleet(), addresses);
    await email(fleet(), 'later@rebuild.test', { send_at: new Date(Date.now() + 6_000).toISOString() });
    await waitFor(async () => (await queues.pending('email.normal')) === 121);
    assert.equal(await rebuild(fleet()), '0 deliveries had no job and got one.', 'all have theirs');

    await wipe(fleet());
    assert.equal(await rebuild(fleet()), '121 deliveries had no job and got one.');
    assert.equal(await rebuild(fleet()), '0 deliveries had no job and got one.');
    assert.equal(await queues.pending('email.normal'), 121);

    await addWorker();
    await untilSettled({ timeoutMs: 60_000 });
    const arrived = (await sandbox.messages()).map(({ to }) => to);
    assert.deepEqual(arrived.sort(), [...addresses, 'later@rebuild.test'].sort());
  });

  test('a queue that is wiped under load is mended by the workers themselves: waiting, delayed and scheduled rows are all sent', async (t) => {
    const { sandbox, untilSettled, database, addWorker } = fleet();
    await addWorker();
    const waiting = addressesAt('waiting.test', 200);
    await sandbox.clear();
    await sandbox.fault({ channel: 'email', recipient: '*@waiting.test', action: { kind: 'delay', ms: 40 } });
    await sandbox.fault({
      channel: 'sms',
      action: { kind: 'status', status: 429, retryAfter: 3 },
      times: 1,
    });
    const delayed = await sms(fleet(), '+251911000601');
    await email(fleet(), 'scheduled@wipe.test', { send_at: new Date(Date.now() + 3_000).toISOString() });
    await waitFor(async () => (await only(fleet(), delayed)).state === 'retrying');
    await emails(fleet(), waiting);
    await waitFor(async () => (await sandbox.stats()).total > 20, { timeoutMs: 30_000 });
    await wipe(fleet());
    const wipedAt = performance.now();
    await untilSettled({ timeoutMs: 90_000 });
    t.diagnostic(`all sent ${Math.round(performance.now() - wipedAt)} ms after the wipe`);
    const arrived = (await sandbox.messages()).map(({ to }) => to);
    assert.deepEqual(arrived.sort(), [...waiting, 'scheduled@wipe.test', '+251911000601'].sort());
    const { rows } = await database.query(
      'SELECT count(*)::int AS early FROM delivery d JOIN notification n ON n.id = notification_id WHERE n.send_at > d.claimed_at',
    );
    assert.deepEqual(rows, [{ early: 0 }]);
  });
});

/** Runs the command; what it says at its end. */
async function rebuild({ command }: Fleet): Promise<string | undefined> {
  const { code, stdout, stderr } = await command('rebuild-queues');
  assert.equal(code, 0, stderr.join('\n'));
  return stdout.find((line) => /^\d+ deliver/.test(line));
}
