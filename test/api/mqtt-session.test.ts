import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import type { InnerAnswer } from '@belfry/api/mqtt/inner-call.js';
import { openSession, type Said, type Session } from '@belfry/api/mqtt/session.js';
import { ownCertificate } from '@belfry/sandbox/certificate.js';
import { readSettings } from '@belfry/shared/config/read.js';
import { apiSettings } from '@belfry/shared/config/settings.js';
import { SILENT } from '../ledger/with-engine.js';
import { startMosquitto } from '../support/mosquitto.js';
import { connectPublisher } from '../support/mqtt-publisher.js';
import { temporaryDir } from '../support/postgres.js';
import { startScriptedBroker } from '../support/scripted-broker.js';
import { waitFor } from '../support/wait.js';

type Held = { readonly session: Session; readonly carried: readonly string[] };

/** Holds a session of its own; every message is answered at `answers` with a body as long as it asks for. */
function hold(
  url: string,
  env: Readonly<Record<string, string>> = {},
  wait = Promise.resolve(),
  events = SILENT,
): Held {
  const settings = readSettings(apiSettings, {
    DATABASE_URL: 'postgres://belfry@localhost/belfry',
    JWT_SECRET: 'x'.repeat(32),
    MQTT_URL: url,
    ...env,
  });
  const carried: string[] = [];
  const carryOut = async ({ topic, payload }: { topic: string; payload: Buffer | string }): Promise<Said> => {
    carried.push(topic);
    await wait;
    return { answer: answer(Number(payload)), reply: { topic: 'answers', correlation: Buffer.from(topic) } };
  };
  return { session: openSession({ url, settings, number: 1, carryOut, events }), carried };
}

function answer(length: number): InnerAnswer {
  return { status: 202, headers: {}, body: Buffer.alloc(length, 'x') };
}

describe('a session at the broker', () => {
  for (const version of ['5', '3.1.1'] as const)
    test(`does not do a message again whose answer the broker does not take: MQTT ${version}`, async () => {
      const broker = await startMosquitto('max_packet_size 3000');
      const publisher = await connectPublisher(broker.url);
      const { session, carried } = hold(broker.url, { MQTT_VERSION: version });
      try {
        await waitFor(() => session.isUp());
        for (const qos of [1, 2] as const) {
          await publisher.publish(`notifications/big${qos}`, '4000', { qos });
          await waitFor(() => carried.includes(`notifications/big${qos}`));
          await publisher.publish('notifications/small', String(qos));
          await waitFor(() =>
            publisher.heard.some(({ topic, payload }) => topic === 'answers' && payload.length === qos),
          );
        }
        await waitFor(() => session.isUp());
        const big = carried.filter((topic) => topic !== 'notifications/small');
        assert.deepEqual(big, ['notifications/big1', 'notifications/big2']);
      } finally {
        await session.leave(0);
        await publisher.stop();
        await broker.stop();
      }
    });

  test('takes a message for one that comes again only when it is the same and marked so', async () => {
    const broker = await startScriptedBroker();
    let go = () => {};
    const wait = new Promise<void>((resolve) => {
      go = resolve;
    });
    const { session, carried } = hold(broker.url, {}, wait);
    const publish = (messageId: number, topic: string, dup: boolean) =>
      broker.send({ cmd: 'publish', messageId, topic, payload: '1', qos: 1, dup, retain: false });
    const acknowledged = () =>
      broker.received.flatMap((packet) => (packet.cmd === 'puback' ? [packet.messageId] : []));
    try {
      await waitFor(() => session.isUp());
      for (const id of [1, 2, 3]) publish(id, `notifications/old${id}`, false);
      await waitFor(() => carried.length === 3);
      broker.cut();
      await waitFor(() => !session.isUp());
      await waitFor(() => session.isUp());
      publish(1, 'notifications/old1', true);
      publish(2, 'notifications/new2', false);
      publish(3, 'notifications/new3', true);
      await waitFor(() => carried.length === 5);
      assert.deepEqual(carried.slice(3), ['notifications/new2', 'notifications/new3']);
      assert.deepEqual(acknowledged(), []);
      go();
      await waitFor(() => acknowledged().length === 3);
      assert.deepEqual(acknowledged().sort(), [1, 2, 3]);
    } finally {
      await session.leave(0);
      await broker.stop();
    }
  });

  test('comes back at once after a broken line, and leaves somebody else alone who took it over', async () => {
    const broker = await startScriptedBroker();
    const { session } = hold(broker.url);
    const untilBack = async (connections: number) => {
      const cutAt = performance.now();
      broker.cut();
      await waitFor(() => broker.connections() === connections && session.isUp());
      return performance.now() - cutAt;
    };
    try {
      await waitFor(() => session.isUp());
      const atOnce = await untilBack(2);
      assert.ok(atOnce < 1_500, `${atOnce} ms`);
      broker.send({ cmd: 'disconnect', reasonCode: 0x8e });
      const later = await untilBack(3);
      assert.ok(later > 1_900, `${later} ms`);
    } finally {
      await session.leave(0);
      await broker.stop();
    }
  });

  test('is held over TLS at a broker whose certificate the settings trust, and at no other', async () => {
    const dir = temporaryDir();
    const { certificate, key } = await ownCertificate(undefined);
    const [certfile, keyfile] = [path.join(dir, 'certificate.pem'), path.join(dir, 'key.pem')];
    writeFileSync(certfile, certificate);
    writeFileSync(keyfile, key);
    const broker = await startMosquitto(`certfile ${certfile}`, `keyfile ${keyfile}`);
    const url = broker.url.replace('mqtt:', 'mqtts:');
    const failures: unknown[] = [];
    const wary = hold(url, {}, undefined, {
      ...SILENT,
      connectionFailed: ({ error }) => failures.push(error),
    });
    try {
      await waitFor(() => failures.some((error) => /self-signed certificate/.test(String(error))));
      assert.ok(!wary.session.isUp());
      await wary.session.leave(0);
      const trusting = hold(url, { MQTT_CA_FILE: certfile });
      await waitFor(() => trusting.session.isUp());
      await trusting.session.leave(0);
    } finally {
      await wary.session.leave(0);
      await broker.stop();
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
