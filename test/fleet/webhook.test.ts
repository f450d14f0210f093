import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { RecordedMessage } from '@belfry/sandbox/message.js';
import { Webhook } from 'standardwebhooks';
import { forEachEngine } from '../support/engines.js';
import { type Fleet, useFleet } from '../support/fleet.js';
import { only, outcomes } from './sending.js';

const SECRET = `whsec_${Buffer.alloc(32, 'n').toString('base64')}`;
const OLD = `whsec_${Buffer.alloc(32, 'o').toString('base64')}`;

/** Gives a person a receiver in the sandbox, and returns the path there. */
async function receiver({ person, database, env }: Fleet, id: string): Promise<string> {
  await person(id);
  await database.query('UPDATE person SET webhook_url = $2 WHERE id = $1', [
    id,
    `${env.TWILIO_BASE_URL}/webhook/${id}?key=${id}`,
  ]);
  return `/webhook/${id}`;
}

const tell = ({ send }: Fleet, user_id: string) =>
  send({ user_id, title: 'Rent', message: 'It was received.', channels: ['webhook'], data: { n: 7 } });

/** What the receiver gets out of a request with a secret; throws if the signature is not of it. */
const opened = ({ text, headers }: RecordedMessage, secret: string) =>
  new Webhook(secret).verify(text, { ...headers }) as { type: string; data: Record<string, unknown> };

forEachEngine((engine) => {
  // Nothing is swept here: whatever is tried again has a time of its own.
  const fleet = useFleet({
    engine,
    env: { RETRY_SWEEP_MS: '3600000', WEBHOOK_SECRETS: `${SECRET} ${OLD}` },
  });
  afterEach(() => fleet().sandbox.clearFaults());
  /** What an operator hands on to the receiver. */
  const secretsOf = async (id: string) => {
    const { body } = await fleet().call('GET', `/users/${id}/webhook-secret`);
    return { secret: String(body.secret), previous: String(body.previous_secret) };
  };

  test('a webhook arrives signed for its receiver, by the new secret and by the one before', async () => {
    const { sandbox, untilStatus } = fleet();
    const to = await receiver(fleet(), 'abebe');
    await receiver(fleet(), 'chaltu');
    const id = await tell(fleet(), 'abebe');
    await untilStatus(id, 'SENT');
    const hook = await sandbox.waitForMessage({ channel: 'webhook', to });
    const delivery = await only(fleet(), id);
    const { secret, previous } = await secretsOf('abebe');
    for (const one of [secret, previous]) {
      const { type, data } = opened(hook, one);
      assert.equal(type, 'info');
      assert.deepEqual(data, {
        notification_id: id,
        delivery_id: delivery.id,
        user_id: 'abebe',
        title: 'Rent',
        body: 'It was received.',
        type: 'info',
        data: { n: 7 },
      });
    }
    const other = await secretsOf('chaltu');
    assert.throws(() => opened(hook, other.secret), 'nobody else could have made or checked it');
    assert.equal(hook.delivery_id, delivery.id);
    assert.deepEqual(outcomes(delivery), ['sent http-200']);
  });

  test('a webhook that was taken and not answered comes again under the same id, with the same body', async () => {
    const { sandbox, untilStatus } = fleet();
    const to = await receiver(fleet(), 'twice');
    await sandbox.fault({ channel: 'webhook', recipient: to, action: { kind: 'accept-and-drop' }, times: 1 });
    const id = await tell(fleet(), 'twice');
    await untilStatus(id, 'SENT');
    const [first, second, ...more] = await sandbox.messages({ to });
    assert.ok(first && second);
    assert.deepEqual(more, []);
    assert.equal(first.delivery_id, second.delivery_id);
    assert.equal(first.text, second.text);
    assert.equal(second.attempts, 2);
    assert.deepEqual(outcomes(await only(fleet(), id)), ['ambiguous ECONNRESET', 'sent http-200']);
  });

  test('a receiver that is gone gets no more, and the answer to the next call says so', async () => {
    const { sandbox, untilStatus, call } = fleet();
    const to = await receiver(fleet(), 'gone');
    await sandbox.fault({ channel: 'webhook', recipient: to, action: { kind: 'status', status: 410 } });
    const id = await tell(fleet(), 'gone');
    await untilStatus(id, 'FAILED');
    assert.deepEqual(outcomes(await only(fleet(), id)), ['rejected http-410']);
    const next = await call('POST', '/notifications/send', {
      user_id: 'gone',
      message: 'x',
      channels: ['webhook'],
    });
    assert.match(next.text, /"state":"skipped","reason":"suppressed"/);
  });

  test('a receiver that refuses us costs nobody else anything', async () => {
    const { sandbox, untilStatus } = fleet();
    const closed = await receiver(fleet(), 'closed');
    const busy = await receiver(fleet(), 'busy');
    await receiver(fleet(), 'well');
    await sandbox.fault({ channel: 'webhook', recipient: closed, action: { kind: 'status', status: 401 } });
    await sandbox.fault({
      channel: 'webhook',
      recipient: busy,
      action: { kind: 'status', status: 429, retryAfter: 3600 },
    });
    const [refused, slowed] = [await tell(fleet(), 'closed'), await tell(fleet(), 'busy')];
    await untilStatus(refused, 'FAILED');
    assert.deepEqual(outcomes(await only(fleet(), refused)), Array(3).fill('retry http-401'));
    assert.deepEqual(outcomes(await only(fleet(), slowed)), ['throttled http-429']);
    await untilStatus(await tell(fleet(), 'well'), 'SENT');
  });

  test('a webhook to an address inside is never made', async () => {
    const { database, person, untilStatus } = fleet();
    await person('inside');
    for (const [url, code] of [
      ['https://127.0.0.1/', 'forbidden-address'],
      ['http://localhost:1/', 'forbidden-address'],
      ['https://[::ffff:169.254.169.254]/latest/meta-data', 'forbidden-address'],
      ['https://user:pass@example.org/', 'invalid-url'],
    ]) {
      await database.query("UPDATE person SET webhook_url = $1 WHERE id = 'inside'", [url]);
      const id = await tell(fleet(), 'inside');
      await untilStatus(id, 'FAILED');
      assert.deepEqual(outcomes(await only(fleet(), id)), [`rejected ${code}`]);
    }
  });

  test('no log line has where a receiver is, nor a secret', async () => {
    const logs = fleet().logs().join('\n');
    assert.match(logs, /"provider":"webhook"/);
    for (const secret of ['/webhook/abebe', 'key=abebe', SECRET, OLD, (await secretsOf('abebe')).secret])
      assert.ok(!logs.includes(secret), secret);
    const listed = await fleet().call('GET', '/notifications?user_id=abebe');
    const [{ id }] = JSON.parse(listed.text);
    const shown = await fleet().call('GET', `/notifications/${id}`);
    assert.match(shown.text, /"to":"http:\/\/127\.0\.0\.1:\d+\/\*\*\*"/);
  });
});
