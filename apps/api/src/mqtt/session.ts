import type { ApiSettings } from '@belfry/shared/config/settings.js';
import type { Events } from '@belfry/shared/service/events.js';
import { within } from '@belfry/shared/service/within.js';
import mqtt, { type IClientOptions, type IPublishPacket, type MqttClient } from 'mqtt';
import { generate } from 'mqtt-packet';
import type { InnerAnswer } from './inner-call.js';
import type { Reply } from './message.js';

/** What has to be said to the publisher of a message. */
export interface Said {
  readonly answer: InnerAnswer;
  readonly reply: Reply | null;
}

/** A session at the broker that this process holds. */
export interface Session {
  /** Whether messages come in. */
  isUp(): boolean;
  /**
   * Takes no more, waits at most `graceMs` for what is in hand, and leaves. What was not acknowledged stays in the session, for
   * whoever holds it next. Twice is fine.
   */
  leave(graceMs: number): Promise<void>;
}

export interface SessionOptions {
  readonly url: string;
  readonly settings: ApiSettings;
  /** From 1 on, among all sessions of the installation. */
  readonly number: number;
  /** Does what a message asks for; null when it was told to stop before. Never rejects. */
  readonly carryOut: (packet: IPublishPacket) => Promise<Said | null>;
  readonly events: Events;
}

/** A message of which the broker waits to hear. */
interface Held {
  readonly packet: IPublishPacket;
  /** The line on which it came, the last time. */
  line: MqttClient['stream'];
  /** Once it is done. */
  said: Said | null;
}

/** Larger than what any route takes, so that a body that is too large is answered and not lost. */
const LARGEST_PACKET = 8 * 1024 * 1024;
/** MQTT 5 §3.1.2.11.2: as 3.1.1 has it, a session does not end by itself. */
const FOR_EVER = 0xffffffff;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 15_000;
/** MQTT 5 §3.14.2.1: somebody else has connected with this client id. */
const TAKEN_OVER = 0x8e;
/** As many as make a pause of 2 to 4 s, in which a door hears that a session is no longer its own. */
const TAKEN_OVER_FAILURES = 4;
/** How long an answer may take to be taken by the broker before nobody waits for that any more. */
const REPLY_MS = 5_000;
/** In bytes; more than an answer has beside its body, its topic and its correlation data. */
const AROUND_REPLY = 1_024;

/** How mqtt.js is told to go on reading without an acknowledgement. */
const LATER = new Error('acknowledged later');

/** The share that a session has in what is published; null for one that is to be emptied. */
function filterOf(number: number, { MQTT_NAME, MQTT_SHARED, MQTT_SESSIONS }: ApiSettings) {
  if (MQTT_SHARED === 'off') return number === 1 ? 'notifications/#' : null;
  return number <= MQTT_SESSIONS ? `$share/${MQTT_NAME}/notifications/#` : null;
}

/**
 * Holds a session: connects, again and again, subscribes, and acknowledges each message once it is done (PUBACK, or PUBREC for QoS 2).
 * Several are in hand at once. mqtt.js can only hold everything up until a message is acknowledged, so it is told that none will be,
 * and the acknowledgement is written here, on the line that the message came by and on no other: an identifier means something else
 * in another session.
 */
export function openSession({ url, settings, number, carryOut, events }: SessionOptions): Session {
  const held = new Map<number, Held>();
  /** The numbers of the answers that the broker has not taken yet. */
  const replies = new Set<number>();
  const waiting: (() => void)[] = [];
  let inHand = 0;
  let failures = 0;
  let subscribed = false;
  let lasting: NodeJS.Timeout | undefined;
  let leaving: Promise<void> | undefined;
  const client = mqtt.connect(url, optionsOf(settings, number));
  const fail = (error: unknown) => events.connectionFailed({ part: 'mqtt broker', error });

  client.options.customHandleAcks = (_topic, _payload, packet: IPublishPacket, goOn) => {
    void arrive(packet).then(() => goOn(LATER));
  };
  client.handleMessage = (packet, goOn) => {
    void arrive(packet).then(() => goOn());
  };
  client.on('packetreceive', ({ cmd, messageId }) => {
    // Only now may the broker use the number for another one.
    if (cmd === 'pubrel' && messageId !== undefined) held.delete(messageId);
  });
  client.on('connect', ({ sessionPresent }) => {
    if (!sessionPresent) held.clear();
    void subscribe(client.stream);
  });
  client.on('disconnect', ({ reasonCode }) => {
    if (reasonCode !== TAKEN_OVER || leaving !== undefined) return;
    count(Math.max(failures, TAKEN_OVER_FAILURES));
    fail(new Error(`another client has connected as ${client.options.clientId}`));
  });
  client.on('close', () => {
    subscribed = false;
    clearTimeout(lasting);
    count(failures + 1);
    // mqtt.js would say them again on the next line, before anything else; they may be why this one was cut.
    for (const id of replies) client.removeOutgoingMessage(id);
    wake();
  });
  client.on('error', (error) => {
    if (error !== LATER && leaving === undefined) fail(error);
  });

  /** How often it has failed in a row. It is for the pause after the next time: mqtt.js begins one before it tells of it. */
  function count(now: number): void {
    failures = now;
    client.options.reconnectPeriod = pauseAfter(now);
  }

  async function subscribe(line: MqttClient['stream']): Promise<void> {
    const filter = filterOf(number, settings);
    const others = ['notifications/#', `$share/${settings.MQTT_NAME}/notifications/#`].filter(
      (one) => one !== filter,
    );
    try {
      // What it was subscribed to under other settings is still in the session.
      for (const other of others) await client.unsubscribeAsync(other);
      // rh 2: what was retained long ago is not sent.
      if (filter !== null) await client.subscribeAsync(filter, { qos: 2, rh: 2 });
      subscribed = client.stream === line && client.connected;
      // A line that does not last is no better than none.
      if (subscribed) lasting = setTimeout(() => count(0), LONGEST_PAUSE_MS);
    } catch (error) {
      if (client.stream !== line || leaving !== undefined) return;
      fail(error);
      line.destroy();
    }
  }

  /** Resolves when the next one may be read. */
  async function arrive(packet: IPublishPacket): Promise<void> {
    const line = client.stream;
    const { messageId = 0 } = packet;
    const known = packet.qos === 0 ? undefined : held.get(messageId);
    if (known !== undefined && isSame(packet, known.packet)) {
      known.line = line;
      if (known.said !== null) void finish(known, known.said);
      return;
    }
    while (inHand >= places() && client.stream === line && leaving === undefined) await room();
    if (client.stream !== line || leaving !== undefined) return;
    inHand += 1;
    const one: Held = { packet, line, said: null };
    if (packet.qos > 0) held.set(messageId, one);
    void work(one);
  }

  async function work(one: Held): Promise<void> {
    const said = await carryOut(one.packet);
    one.said = said;
    if (said !== null) await finish(one, said);
    inHand -= 1;
    wake();
  }

  /** Acknowledges and answers, if the line is still there and the number still its own. If not, the message comes again. */
  async function finish(one: Held, said: Said): Promise<void> {
    const { packet, line } = one;
    if (!client.connected || client.stream !== line) return;
    if (packet.qos > 0 && held.get(packet.messageId ?? 0) !== one) return;
    // In this order: should the broker cut us off for the answer, the message is done all the same.
    if (packet.qos > 0) acknowledge(packet, line);
    if (said.reply !== null) await reply(said.answer, said.reply);
  }

  function acknowledge({ qos, messageId = 0 }: IPublishPacket, line: MqttClient['stream']): void {
    if (qos === 1) held.delete(messageId);
    const cmd = qos === 1 ? 'puback' : 'pubrec';
    line.write(generate({ cmd, messageId, reasonCode: 0 }, { protocolVersion: versionOf(settings) }));
  }

  /** Says an answer once. Resolves when the broker has taken it, or it is lost. */
  async function reply({ status, headers, body }: InnerAnswer, { topic, correlation }: Reply): Promise<void> {
    const size = body.length + Buffer.byteLength(topic) + (correlation?.length ?? 0) + AROUND_REPLY;
    if (size > (client.serverProperties?.maximumPacketSize ?? Number.POSITIVE_INFINITY)) return;
    const named = (['idempotency-replayed', 'retry-after'] as const).flatMap((name) => {
      const text = headers[name];
      return text === undefined ? [] : [[name, String(text)] as const];
    });
    const properties = {
      contentType: headers['content-type'] ?? 'application/json',
      userProperties: { status: String(status), ...Object.fromEntries(named) },
      ...(correlation === undefined ? {} : { correlationData: correlation }),
    };
    const taken = client.publishAsync(topic, body, {
      qos: 1,
      ...(settings.MQTT_VERSION === '5' ? { properties } : {}),
    });
    const id = client.getLastMessageId();
    replies.add(id);
    await within(REPLY_MS, taken);
    replies.delete(id);
    client.removeOutgoingMessage(id);
  }

  /** As many as the broker lets us answer at once. */
  function places(): number {
    return Math.min(settings.MQTT_IN_FLIGHT, client.serverProperties?.receiveMaximum ?? 0xffff);
  }

  function room(): Promise<void> {
    return new Promise((resolve) => waiting.push(resolve));
  }

  function wake(): void {
    for (const resolve of waiting.splice(0)) resolve();
  }

  async function leave(graceMs: number): Promise<void> {
    wake();
    const idle = async () => {
      while (inHand > 0) await room();
    };
    await within(graceMs, idle());
    if (!(await within(1_000, client.endAsync()))) client.stream.destroy();
  }

  return {
    isUp: () => subscribed,
    leave(graceMs) {
      leaving ??= leave(graceMs);
      return leaving;
    },
  };
}

/** Whether the broker sends a message again. Its number alone does not say so: while we were away the broker may have given it to another one. */
function isSame(packet: IPublishPacket, known: IPublishPacket): boolean {
  const bytes = ({ payload }: IPublishPacket) => (Buffer.isBuffer(payload) ? payload : Buffer.from(payload));
  return packet.dup && packet.topic === known.topic && bytes(packet).equals(bytes(known));
}

function versionOf({ MQTT_VERSION }: ApiSettings): 4 | 5 {
  return MQTT_VERSION === '5' ? 5 : 4;
}

function optionsOf(settings: ApiSettings, number: number): IClientOptions {
  return {
    clientId: `${settings.MQTT_NAME}-${number}`,
    protocolVersion: versionOf(settings),
    clean: false,
    resubscribe: false,
    keepalive: 30,
    connectTimeout: 10_000,
    reconnectPeriod: pauseAfter(0),
    reconnectOnConnackError: true,
    queueQoSZero: false,
    // A table of sixty thousand buffers otherwise.
    writeCache: false,
    timerVariant: 'native',
    ...(settings.MQTT_CA_FILE === undefined ? {} : { ca: settings.MQTT_CA_FILE }),
    ...(settings.MQTT_VERSION === '5'
      ? {
          properties: {
            sessionExpiryInterval: FOR_EVER,
            receiveMaximum: settings.MQTT_IN_FLIGHT,
            maximumPacketSize: LARGEST_PACKET,
          },
        }
      : {}),
  };
}

/** In milliseconds, before the next try to connect. */
function pauseAfter(failures: number): number {
  const most = Math.min(FIRST_PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS);
  return Math.round(most * (0.5 + Math.random() / 2));
}
