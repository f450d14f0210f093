import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { connectAsync } from 'mqtt';
import { type Fleet, startFleet } from '../support/fleet.js';
import { startMosquitto, type TestBroker } from '../support/mosquitto.js';
import { connectPublisher, type Publisher, untilDoorsAreOpen } from '../support/mqtt-publisher.js';
import { scrape } from '../support/scrape.js';
import { waitFor } from '../support/wait.js';

// No message here has an id: nothing but the acknowledgements sees to it that each is done once.
describe('doors', () => {
  let broker: TestBroker;
  let fleet: Fleet;
  let publisher: Publisher;

  before(async () => {
    broker = await startMosquitto();
    fleet = await startFleet({
      engine: 'postgres',
      workers: [],
      env: { MQTT_URL: broker.url, MQTT_IDENTITIES: 'notifications/#=gateway:internal' },
    });
    await untilDoorsAreOpen(fleet);
    publisher = await connectPublisher(broker.url);
  });
  after(async () => {
    await publisher?.stop();
    await fleet?.stop();
    await broker?.stop();
  });

  const publish = (to: string, more: Readonly<Record<string, unknown>> = {}) =>
    publisher.publish(
      'notifications/email/send',
      { to, subject: 'a', body: 'b', ...more },
      { qos: to.length % 2 === 0 ? 1 : 2 },
    );
  const addresses = async (domain: string) => {
    const { rows } = await fleet.database.query<{ address: string }>(
      'SELECT address FROM delivery WHERE address LIKE $1 ORDER BY address',
      [`%@${domain}`],
    );
    return rows.map(({ address }) => address);
  };
  const sessions = async (api: number) =>
    (await scrape(fleet.apis[api]?.url ?? '')).value('belfry_mqtt_sessions');

  test('share the sessions out, and hand them over with nothing lost and nothing doubled', async () => {
    const sent: string[] = [];
    let go = true;
    const publishing = (async () => {
      while (go) {
        sent.push(`${'n'.repeat((sent.length % 2) + 1)}${sent.length}@moved.test`);
        await publish(sent.at(-1) ?? '');
        await waitFor(async () => (await addresses('moved.test')).length > sent.length - 16, {
          timeoutMs: 60_000,
          what: 'the doors to keep up',
        });
      }
    })();
    assert.equal(await sessions(0), 4);
    await fleet.addApi();
    await waitFor(async () => (await sessions(0)) === 2 && (await sessions(1)) === 2, {
      timeoutMs: 30_000,
      what: 'two sessions each',
    });
    const { code } = (await fleet.apis[0]?.stop()) ?? {};
    assert.equal(code, 0);
    await waitFor(async () => (await sessions(1)) === 4, { what: 'all four for the one that is left' });
    go = false;
    await publishing;
    await waitFor(async () => (await addresses('moved.test')).length >= sent.length, {
      what: 'every message to be accepted',
    });
    assert.deepEqual(await addresses('moved.test'), [...sent].sort());
  });

  test('do nothing twice when their line breaks with messages in hand that have an id', async () => {
    await untilDoorsAreOpen(fleet);
    const sent = Array.from({ length: 24 }, (_, index) => `${'n'.repeat((index % 2) + 1)}${index}@cut.test`);
    const ledger = await fleet.database.connect();
    await ledger.query('BEGIN');
    await ledger.query('LOCK TABLE notification IN EXCLUSIVE MODE');
    try {
      await Promise.all(sent.map((to) => publish(to, { message_id: to })));
      await waitFor(async () => {
        const { rows } = await ledger.query(
          "SELECT 1 FROM pg_stat_activity WHERE application_name = 'belfry-api' AND wait_event_type = 'Lock' AND datname = current_database()",
        );
        return rows.length > 0;
      });
      // Whoever connects with a client id cuts off the one that has it.
      for (const number of [1, 2, 3, 4]) {
        const thief = await connectAsync(broker.url, {
          clientId: `belfry-${number}`,
          clean: false,
          protocolVersion: 5,
          reconnectPeriod: 0,
          properties: { sessionExpiryInterval: 3_600, receiveMaximum: 1 },
          customHandleAcks: () => undefined,
        });
        await thief.endAsync(true);
      }
    } finally {
      await ledger.query('COMMIT');
      ledger.release();
    }
    await waitFor(async () => (await addresses('cut.test')).length >= sent.length, {
      timeoutMs: 30_000,
      what: 'every message to be accepted',
    });
    await untilDoorsAreOpen(fleet);
    // A message that is published now is taken after all that came before it on each session.
    const last = Array.from({ length: 8 }, (_, index) => `${index}@last.test`);
    for (const one of last) await publish(one);
    await waitFor(async () => (await addresses('last.test')).length === last.length);
    assert.deepEqual(await addresses('cut.test'), [...sent].sort());
  });

  test('that their broker refuses say so, without a password, and the API goes on', async () => {
    const refusing = await startMosquitto('allow_anonymous false');
    try {
      const url = new URL(refusing.url);
      [url.username, url.password] = ['belfry', 'canary-4711'];
      const api = fleet.apis.length;
      const { stdout, stderr } = await fleet.addApi({ MQTT_URL: url.href });
      await waitFor(() => stdout.some((line) => line.includes('"part":"mqtt broker"')), {
        timeoutMs: 20_000,
        what: 'a line about the broker',
      });
      const { status, body } = await fleet.page('/ready', { as: null, api });
      assert.equal(status, 200);
      assert.ok(Array.isArray(body.failing) && body.failing.includes('mqtt'));
      const mail = { to: 'over@http.test', subject: 'a', body: 'b' };
      assert.equal((await fleet.call('POST', '/notifications/email/send', mail, { api })).status, 202);
      assert.ok(![...stdout, ...stderr].some((line) => line.includes('canary-4711')));
    } finally {
      await refusing.stop();
    }
  });
});
