import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Fleet, startFleet } from '../support/fleet.js';
import { startMosquitto, type TestBroker } from '../support/mosquitto.js';
import {
  connectPublisher,
  type Publisher,
  type Sending,
  untilDoorsAreOpen,
} from '../support/mqtt-publisher.js';
import { scrape } from '../support/scrape.js';
import { waitFor } from '../support/wait.js';

// Neither the queue nor a worker has a part in it, so one engine serves.
describe('the MQTT door', () => {
  let broker: TestBroker;
  let fleet: Fleet;
  let publisher: Publisher;

  before(async () => {
    broker = await startMosquitto();
    fleet = await startFleet({
      engine: 'postgres',
      workers: [],
      env: {
        MQTT_URL: broker.url,
        MQTT_SESSIONS: '2',
        MQTT_IDENTITIES: 'notifications/sms/#=meter:internal,notifications/push/#=nobody:user',
        MQTT_RESPONSES: 'belfry/answers',
        RATE_LIMIT_SEND: '2/1s',
      },
    });
    await untilDoorsAreOpen(fleet);
    publisher = await connectPublisher(broker.url);
    await fleet.person('door', { email: 'door@example.org' });
  });
  after(async () => {
    await publisher?.stop();
    await fleet?.stop();
    await broker?.stop();
  });

  const as = async (role: string, more: Record<string, string> = {}): Promise<Sending> => ({
    user: { authorization: `Bearer ${await fleet.token(role)}`, ...more },
  });
  const accepted = async () => {
    const { rows } = await fleet.database.query('SELECT id FROM notification');
    return rows.map(({ id }) => String(id));
  };

  test('takes what is published as if it had been posted, and answers where it is asked to', async () => {
    const body = { user_id: 'door', message: 'The door is open', channels: ['realtime', 'email'] };
    const answer = await publisher.ask('notifications/send', body, await as('internal'));
    const posted = await fleet.call('POST', '/notifications/send', body);
    assert.equal(answer.status, posted.status);
    assert.deepEqual(Object.keys(answer.body), Object.keys(posted.body));
    assert.equal(answer.body.status, 'queued');
    const all = await accepted();
    assert.ok(all.includes(String(answer.body.notification_id)));
    const { rows } = await fleet.database.query('SELECT caller FROM notification WHERE id = $1', [
      answer.body.notification_id,
    ]);
    assert.deepEqual(rows, [{ caller: 'test' }]);
  });

  test('takes every quality of service, batches and what makes nothing', async () => {
    for (const qos of [0, 1, 2] as const) {
      const mail = { to: `qos${qos}@example.org`, subject: 'a', body: 'b' };
      const sending = { ...(await as('internal')), qos };
      assert.equal((await publisher.ask('notifications/email/send', mail, sending)).status, 202);
    }
    const emails = [{ to: 'one@example.org', subject: 'a', body: 'b' }, { to: 'nobody' }];
    const batch = await publisher.ask('notifications/email/batch', { emails }, await as('admin'));
    assert.equal(batch.status, 207);
    assert.equal(batch.body.results?.['1' as never]?.status, 422);
    assert.equal((await publisher.ask('notifications/retry', '', await as('admin'))).status, 200);
  });

  test('refuses as HTTP refuses, and is done with it', async () => {
    const big = JSON.stringify({ to: 'a@example.org', subject: 'a', body: 'b'.repeat(300_000) });
    const mail = { to: 'a@example.org', subject: 'a', body: 'b' };
    const cases: [string, unknown, Sending][] = [
      ['notifications/email/send', mail, {}],
      ['notifications/email/send', mail, { user: { authorization: 'Bearer x' } }],
      ['notifications/email/send', mail, await as('user')],
      ['notifications/email/send', '{"to": ', await as('internal')],
      ['notifications/email/send', big, await as('internal')],
      ['notifications/email/send', mail, { ...(await as('internal')), contentType: 'text/plain' }],
      ['notifications/email/send', { to: 'a' }, await as('internal')],
      ['notifications/email/send', Buffer.from([0x22, 0xff, 0x22]), await as('internal')],
      ['notifications/nothing/here', mail, await as('internal')],
    ];
    const before = await accepted();
    const statuses: number[] = [];
    for (const [topic, body, sending] of cases) {
      const answer = await publisher.ask(topic, body, sending);
      const posted = await fleet.call('POST', `/${topic}`, body, {
        as: null,
        headers: {
          ...(sending.user === undefined ? {} : { authorization: String(sending.user.authorization) }),
          ...(sending.contentType === undefined ? {} : { 'content-type': sending.contentType }),
        },
      });
      assert.deepEqual([answer.status, answer.body], [posted.status, posted.body]);
      statuses.push(answer.status);
    }
    assert.deepEqual(statuses, [401, 401, 403, 422, 413, 415, 422, 422, 404]);
    for (const topic of [
      'notifications',
      'notifications/../users',
      'notifications//send',
      'notifications/%2e%2e/users',
      'notifications/Email/send',
    ])
      assert.equal((await publisher.ask(topic, mail, await as('admin'))).status, 404, topic);
    const long = 'x'.repeat(20_000);
    const named = await as('internal', { 'message-id': long });
    assert.equal((await publisher.ask('notifications/email/send', mail, named)).status, 422);
    const token = { user: { access_token: long } };
    assert.equal((await publisher.ask('notifications/email/send', mail, token)).status, 401);
    assert.deepEqual(await accepted(), before);
    const { value } = await scrape(fleet.api.url);
    assert.equal(value('belfry_mqtt_messages_total', { outcome: 'refused' }), cases.length + 7);
  });

  test('does the same message once, however it comes again', async () => {
    const mail = { to: 'twice@example.org', subject: 'a', body: 'b' };
    const sending = await as('internal', { 'message-id': 'twice-1' });
    const first = await publisher.ask('notifications/email/send', mail, sending);
    const again = await publisher.ask('notifications/email/send', mail, sending);
    assert.deepEqual(again.body, first.body);
    assert.deepEqual(
      [first.user['idempotency-replayed'], again.user['idempotency-replayed']],
      [undefined, 'true'],
    );
    const headers = { 'idempotency-key': 'twice-1' };
    const posted = await fleet.call('POST', '/notifications/email/send', mail, { headers });
    assert.deepEqual(posted.body, first.body);
    const other = { ...mail, body: 'c' };
    assert.equal((await publisher.ask('notifications/email/send', other, sending)).status, 422);
    const stranger = {
      user: { ...sending.user, authorization: `Bearer ${await fleet.token('internal', 'else')}` },
    };
    const theirs = await publisher.ask('notifications/email/send', mail, stranger);
    assert.notEqual(theirs.body.email_id, first.body.email_id);
  });

  test('knows by its topic who sent a message without a token, and nobody can say so over HTTP', async () => {
    const text = { phone: '+251911000700', message: 'Hello', message_id: 'meter-7' };
    const sent = await publisher.ask('notifications/sms/send', text);
    assert.equal(sent.status, 202);
    const { rows } = await fleet.database.query('SELECT caller FROM notification WHERE id = $1', [
      sent.body.sms_id,
    ]);
    assert.deepEqual(rows, [{ caller: 'meter' }]);
    const push = { user_id: 'door', message: 'Hello' };
    assert.equal((await publisher.ask('notifications/push/mobile/ios', push)).status, 403);
    assert.equal((await fleet.call('POST', '/notifications/sms/send', text, { as: null })).status, 401);
    // Without a response topic, the answer goes where the settings say.
    await publisher.publish('notifications/sms/send', text);
    const answer = await waitFor(() =>
      publisher.heard.find(({ topic }) => topic === 'belfry/answers/meter-7'),
    );
    assert.deepEqual(JSON.parse(answer.payload.toString()), sent.body);
  });

  test('waits for a limit instead of losing what is over it', async () => {
    const body = { user_id: 'door', message: 'Hello', channels: ['realtime'] };
    const sending = await as('internal', {});
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => publisher.ask('notifications/send', body, sending)),
    );
    assert.deepEqual(
      answers.map(({ status }) => status),
      [202, 202, 202, 202],
    );
  });

  test('comes back when the broker was away, and says so meanwhile', async () => {
    const failing = async () => {
      const { body } = await fleet.page('/ready', { as: null });
      return Array.isArray(body.failing) && body.failing.includes('mqtt');
    };
    assert.equal(await failing(), false);
    await broker.kill();
    await waitFor(failing, { what: 'the door to miss its broker' });
    await broker.restart();
    await waitFor(async () => !(await failing()), { what: 'the door to be back', timeoutMs: 30_000 });
    const mail = { to: 'back@example.org', subject: 'a', body: 'b' };
    await waitFor(() => publisher.client.connected);
    assert.equal((await publisher.ask('notifications/email/send', mail, await as('internal'))).status, 202);
  });
});
