import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { connectAsync, type IClientOptions, type IPublishPacket, type MqttClient } from 'mqtt';
import type { Fleet } from './fleet.js';
import type { Json } from './http.js';
import { waitFor } from './wait.js';

/** What a message brings along. */
export type Sending = {
  readonly qos?: 0 | 1 | 2;
  readonly user?: Readonly<Record<string, string>>;
  readonly contentType?: string;
  readonly retain?: boolean;
};

/** An answer as it was published. */
export type MqttAnswer = {
  readonly status: number;
  readonly user: Readonly<Record<string, unknown>>;
  readonly body: Json;
};

/** Somebody who publishes, and listens to everything that is not for the door. */
export type Publisher = {
  readonly client: MqttClient;
  /** Every message that was published anywhere, oldest first. */
  readonly heard: readonly IPublishPacket[];
  publish(topic: string, body: unknown, sending?: Sending): Promise<void>;
  /** Publishes with a response topic, and waits for the answer; MQTT 5 alone. */
  ask(topic: string, body: unknown, sending?: Sending): Promise<MqttAnswer>;
  stop(): Promise<void>;
};

export async function connectPublisher(url: string, options: IClientOptions = {}): Promise<Publisher> {
  const client = await connectAsync(url, { protocolVersion: 5, reconnectPeriod: 100, ...options });
  client.on('error', () => undefined);
  const heard: IPublishPacket[] = [];
  client.on('message', (_topic, _payload, packet) => heard.push(packet));
  await client.subscribeAsync('#', { qos: 1 });

  async function send(
    topic: string,
    body: unknown,
    { qos = 1, retain = false, user, contentType }: Sending,
    more = {},
  ) {
    const payload = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    const properties = {
      ...(user === undefined ? {} : { userProperties: { ...user } }),
      ...(contentType === undefined ? {} : { contentType }),
      ...more,
    };
    const has5 = client.options.protocolVersion === 5;
    await client.publishAsync(topic, payload, { qos, retain, ...(has5 ? { properties } : {}) });
  }

  return {
    client,
    heard,
    publish: (topic, body, sending = {}) => send(topic, body, sending),
    async ask(topic, body, sending = {}) {
      const correlation = randomUUID();
      const more = { responseTopic: 'answers/here', correlationData: Buffer.from(correlation) };
      await send(topic, body, sending, more);
      const answer = await waitFor(
        () =>
          heard.find(
            (one) =>
              one.topic === 'answers/here' && one.properties?.correlationData?.toString() === correlation,
          ),
        { what: `the answer to ${topic}` },
      );
      const user = answer.properties?.userProperties ?? {};
      assert.equal(answer.qos, 1);
      return { status: Number(user.status), user, body: JSON.parse(answer.payload.toString()) };
    },
    stop: () => client.endAsync(true),
  };
}

/** Waits until somebody holds each of the sessions, and all that hold some are connected. */
export async function untilDoorsAreOpen({ database, apis, page }: Fleet): Promise<void> {
  await waitFor(
    async () => {
      const { rows } = await database.query('SELECT 1 FROM mqtt_session WHERE holder IS NULL');
      assert.equal(rows.length, 0);
      for (const [api, { pid }] of apis.entries()) {
        if (!isAlive(pid)) continue;
        const { body } = await page('/ready', { as: null, api });
        assert.ok(Array.isArray(body.failing) && !body.failing.includes('mqtt'), 'ready');
      }
      return true;
    },
    { timeoutMs: 20_000, what: 'the doors to be open' },
  );
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
