import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startAedes } from '../support/aedes.js';
import type { EngineName } from '../support/engines.js';
import { type Fleet, withFleet } from '../support/fleet.js';
import { startMosquitto } from '../support/mosquitto.js';
import { connectPublisher, type Publisher, untilDoorsAreOpen } from '../support/mqtt-publisher.js';
import { waitFor } from '../support/wait.js';
import { addressesAt } from './sending.js';

/** Of each quality of service. By hand: 500, over every pair of a version and a broker. */
const MESSAGES = Number(process.env.MQTT_MESSAGES ?? 24);

/** A broker cuts off whoever has more on the way than it said it would take. */
const AT_ONCE = 10;

type Run = {
  readonly engine: EngineName;
  readonly version: '5' | '3.1.1';
  readonly broker: 'mosquitto' | 'aedes';
};

/** The engine has no part in it, so each is tried with one of the brokers. */
const RUNS: readonly Run[] = [
  { engine: 'redis', version: '5', broker: 'mosquitto' },
  { engine: 'postgres', version: '3.1.1', broker: 'aedes' },
  ...(process.env.MQTT_MESSAGES === undefined
    ? []
    : ([{ engine: 'postgres', version: '3.1.1', broker: 'mosquitto' }] as const)),
];

describe('a door that is killed with messages in hand', () => {
  for (const { engine, version, broker } of RUNS)
    test(`loses none and doubles none: MQTT ${version}, ${broker}, on ${engine}`, async (t) => {
      const { url, stop } = broker === 'aedes' ? await startAedes() : await startMosquitto();
      const env = {
        MQTT_URL: url,
        MQTT_VERSION: version,
        MQTT_SHARED: broker === 'aedes' ? 'off' : 'on',
        MQTT_IN_FLIGHT: '8',
        MQTT_IDENTITIES: 'notifications/email/+=gateway:internal',
      };
      let publisher: Publisher | undefined;
      try {
        publisher = await connectPublisher(url, { protocolVersion: version === '5' ? 5 : 4 });
        const old = { to: 'retained@door.test', subject: 'Hello', body: 'There' };
        await publisher.publish('notifications/email/send', old, { retain: true });
        await withFleet({ engine, api: 1, env }, async (fleet) => {
          if (broker === 'mosquitto') await fleet.addApi();
          await untilDoorsAreOpen(fleet);
          const addresses = addressesAt('door.test', 2 * MESSAGES);
          const queue = addresses.map((to, index) => ({ to, qos: index % 2 === 0 ? 1 : 2 }) as const);
          const published = Promise.all(
            Array.from({ length: AT_ONCE }, async () => {
              for (let one = queue.shift(); one !== undefined; one = queue.shift()) {
                const body = { to: one.to, subject: 'Hello', body: 'There', message_id: one.to };
                await publisher?.publish('notifications/email/send', body, { qos: one.qos });
              }
            }),
          );
          await waitFor(async () => (await accepted(fleet)) > MESSAGES / 4, { what: 'a quarter' });
          const killedAt = await killInTheMiddle(fleet);
          if (broker === 'aedes') await fleet.addApi();
          await published;
          await waitFor(async () => (await accepted(fleet)) >= addresses.length, {
            timeoutMs: 120_000,
            what: 'every message to be accepted',
          });
          t.diagnostic(`all were accepted ${Math.round(performance.now() - killedAt)} ms after the kill`);
          await fleet.untilSettled({ timeoutMs: 120_000 });
          assert.equal(await accepted(fleet), addresses.length);
          const arrived = (await fleet.sandbox.messages({ to: '*@door.test' })).map(({ to }) => to);
          assert.deepEqual(arrived.sort(), [...addresses].sort());
        });
      } finally {
        await publisher?.stop();
        await stop();
      }
    });
});

async function accepted({ database }: Fleet): Promise<number> {
  const { rows } = await database.query<{ count: number }>('SELECT count(*)::int AS count FROM notification');
  return rows[0]?.count ?? 0;
}

/** Holds up every commit, kills the first door when it waits for one, and lets the commits go on: what it held is in the ledger by then, and nobody was told. */
async function killInTheMiddle({ database, apis }: Fleet): Promise<number> {
  const client = await database.connect();
  try {
    await client.query('BEGIN');
    await client.query('LOCK TABLE notification IN EXCLUSIVE MODE');
    await waitFor(
      async () => {
        const { rows } = await client.query(
          "SELECT 1 FROM pg_stat_activity WHERE application_name = 'belfry-api' AND wait_event_type = 'Lock' AND datname = current_database()",
        );
        return rows.length >= apis.length;
      },
      { what: 'the doors to wait for a commit' },
    );
    apis[0]?.kill();
    await apis[0]?.exited;
    return performance.now();
  } finally {
    await client.query('COMMIT');
    client.release();
  }
}
