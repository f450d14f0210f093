import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { forEachEngine } from '../support/engines.js';
import { type Fleet, useFleet } from '../support/fleet.js';
import { items } from '../support/http.js';
import { subscribe } from '../support/push-env.js';
import { outcomes } from './sending.js';

/** Registers a browser of the sandbox, which has the name. */
async function browser({ call, sandboxUrl }: Fleet, person: string, name: string): Promise<void> {
  const { endpoint, keys } = await subscribe(sandboxUrl, name);
  const answer = await call('POST', `/users/${person}/devices`, {
    platform: 'web',
    subscription: { endpoint, keys },
  });
  assert.ok(answer.status < 300, answer.text);
}

async function telephone({ call }: Fleet, person: string, token: string): Promise<void> {
  const answer = await call('POST', `/users/${person}/devices`, { platform: 'android', token });
  assert.ok(answer.status < 300, answer.text);
}

const devices = async ({ call }: Fleet, person: string) =>
  items((await call('GET', `/users/${person}/devices`)).body).length;

forEachEngine((engine) => {
  const fleet = useFleet({ engine, push: true, env: { MAX_ATTEMPTS: '2' } });
  afterEach(() => fleet().sandbox.clearFaults());
  const tell = (user_id: string, more: object = {}) =>
    fleet().send({ user_id, title: 'Rent', message: 'It was received.', channels: ['push'], ...more });

  test('each device of a person gets a delivery, a browser by Web Push and a telephone by FCM', async () => {
    const { person, sandbox, deliveries, untilStatus } = fleet();
    await person('abebe');
    await browser(fleet(), 'abebe', 'abebe-laptop');
    await browser(fleet(), 'abebe', 'abebe-desktop');
    await telephone(fleet(), 'abebe', 'telephone-of-abebe');
    const id = await tell('abebe', { data: { n: 7 } });
    await untilStatus(id, 'SENT');
    const rows = await deliveries(id);
    assert.deepEqual(rows.map(outcomes).sort(), [['sent http-200'], ['sent http-201'], ['sent http-201']]);
    assert.equal(new Set(rows.map((row) => row.id)).size, 3);
    for (const to of ['abebe-laptop', 'abebe-desktop', 'telephone-of-abebe']) {
      const arrived = await sandbox.waitForMessage({ channel: 'push', to, subject: /^Rent$/ });
      assert.equal(arrived.text, 'It was received.');
      assert.ok(rows.some((row) => row.id === arrived.delivery_id));
    }
    await sandbox.expectNothingElse();
  });

  test('a device that is gone is forgotten, and the other is told all the same', async () => {
    const { person, sandbox, deliveries, untilStatus, call } = fleet();
    await person('moved');
    await browser(fleet(), 'moved', 'old');
    await browser(fleet(), 'moved', 'new');
    await telephone(fleet(), 'moved', 'telephone-that-is-gone');
    await sandbox.fault({ channel: 'push', recipient: 'old', action: { kind: 'status', status: 410 } });
    const recipient = 'telephone-that-is-gone';
    const action = { kind: 'status', status: 404, fcmError: 'UNREGISTERED' } as const;
    await sandbox.fault({ channel: 'push', recipient, action });
    const id = await tell('moved');
    await untilStatus(id, 'FAILED');
    assert.deepEqual((await deliveries(id)).map(outcomes).sort(), [
      ['rejected fcm-UNREGISTERED'],
      ['rejected http-410'],
      ['sent http-201'],
    ]);
    assert.equal(await devices(fleet(), 'moved'), 1);
    assert.equal(
      (await fleet().database.query("SELECT 1 FROM suppression WHERE channel = 'push'")).rowCount,
      0,
    );
    const next = await call('POST', '/notifications/push/mobile/web', { user_id: 'moved', message: 'x' });
    assert.equal(next.body.devices, 1 as never);
    await untilStatus(String(next.body.notification_id), 'SENT');
  });

  test('a push service that asks to go slower costs no attempt', async () => {
    const { person, sandbox, deliveries, untilStatus } = fleet();
    await person('busy');
    await browser(fleet(), 'busy', 'busy');
    const action = { kind: 'status', status: 429, retryAfter: 0 } as const;
    await sandbox.fault({ channel: 'push', recipient: 'busy', action, times: 4 });
    const id = await tell('busy');
    await untilStatus(id, 'SENT');
    const [row] = await deliveries(id);
    assert.ok(row);
    assert.deepEqual(outcomes(row), [...Array(4).fill('throttled http-429'), 'sent http-201']);
    assert.equal(row.attempts, 1, 'of two that it has');
  });

  test('a push that was taken and not answered comes again under its topic', async () => {
    const { person, sandbox, untilStatus } = fleet();
    await person('twice');
    await browser(fleet(), 'twice', 'twice');
    await sandbox.fault({
      channel: 'push',
      recipient: 'twice',
      action: { kind: 'accept-and-drop' },
      times: 1,
    });
    await untilStatus(await tell('twice'), 'SENT');
    const [first, second, ...more] = await sandbox.messages({ channel: 'push', to: 'twice' });
    assert.ok(first && second);
    assert.deepEqual(more, []);
    assert.deepEqual(second.details?.payload, first.details?.payload);
    assert.deepEqual(second.details?.topic, first.details?.topic);
    assert.equal(second.attempts, 2);
  });

  test('what is on its way to a device that is somebody else’s by then is not sent to it', async () => {
    const { person, sandbox, deliveries, call } = fleet();
    await person('first');
    await person('second');
    await browser(fleet(), 'first', 'shared');
    await browser(fleet(), 'first', 'signed-out');
    await browser(fleet(), 'first', 'kept');
    const send_at = new Date(Date.now() + 1_500).toISOString();
    const id = await tell('first', { send_at });
    await browser(fleet(), 'second', 'shared');
    const { endpoint } = await subscribe(fleet().sandboxUrl, 'signed-out');
    assert.equal((await call('DELETE', '/users/first/devices', { endpoint })).status, 204);
    await fleet().untilSettled();
    assert.deepEqual((await deliveries(id)).map(({ state, reason }) => `${state} ${reason}`).sort(), [
      'sent null',
      'suppressed device_gone',
      'suppressed device_gone',
    ]);
    assert.equal((await sandbox.messages({ to: 'shared' })).length, 0);
    assert.equal((await sandbox.messages({ to: 'kept' })).length, 1);
  });

  test('an erased person gets none of what was waiting', async () => {
    const { person, sandbox, deliveries, call } = fleet();
    await person('erased');
    await browser(fleet(), 'erased', 'erased');
    const id = await tell('erased', { send_at: new Date(Date.now() + 1_500).toISOString() });
    assert.equal((await call('DELETE', '/users/erased')).status, 204);
    await fleet().untilSettled();
    const [row] = await deliveries(id);
    assert.equal(row?.state, 'cancelled');
    assert.equal((await sandbox.messages({ to: 'erased' })).length, 0);
    const { rows } = await fleet().database.query('SELECT address FROM delivery WHERE notification_id = $1', [
      id,
    ]);
    assert.ok(rows.every(({ address }) => address === null));
  });

  test('no log line, queue or page has an endpoint, a key or a token', async () => {
    const { keys } = await subscribe(fleet().sandboxUrl, 'abebe-laptop');
    const listed = await fleet().call('GET', '/notifications?user_id=abebe');
    const shown = await fleet().call('GET', `/notifications/${JSON.parse(listed.text)[0].id}`);
    const told = shown.text + fleet().logs().join('\n');
    for (const secret of [...Object.values(keys), 'abebe-laptop', 'telephone-of-abebe'])
      assert.ok(!told.includes(secret), secret);
    assert.match(shown.text, /"to":"https:\/\/127\.0\.0\.1:\d+\/\*\*\*"/);
  });
});
