import { randomUUID } from 'node:crypto';
import type { MqttIdentity } from '@belfry/shared/config/mqtt-settings.js';
import { Refusal } from '@belfry/shared/domain/refusal.js';
import type { IPublishPacket } from 'mqtt';
import { problemOf } from '../middleware/problem.js';
import type { InnerAnswer, InnerCall } from './inner-call.js';

/** A message as the door understands it. */
export interface Message {
  /** What it is the same as; null when its topic can be no path. */
  readonly call: InnerCall | null;
  /** Where its publisher waits for the answer. */
  readonly reply: Reply | null;
}

export interface Reply {
  readonly topic: string;
  readonly correlation: Buffer | undefined;
}

export interface Reading {
  readonly identities: readonly MqttIdentity[];
  /** Where a message is answered that names no topic for it. */
  readonly responses: string | undefined;
}

/** Every name that a path below `/notifications` has, and so neither `..` nor `%2e` nor an empty one. */
const TOPIC = /^notifications(\/(?!\.{1,2}(\/|$))[A-Za-z0-9._:@-]{1,128})+$/;
/** In bytes. No path of the API is as long, and no broker takes what is much longer. */
const LONGEST_TOPIC = 1_024;
/** mosquitto cuts off whoever publishes to a topic of more than 200. */
const MOST_LEVELS = 100;
/** Node.js reads no more than 16 KB of them, the path among them. */
const LONGEST_TOKEN = 'Bearer '.length + 8 * 1_024;
const LONGEST_TRACE = 512;
const LONGEST_NAME = 255;
const IN_A_HEADER = /^[\x20-\x7e]*$/;

/** Reads a message: the topic is the path, user properties are the headers. */
export function readMessage(packet: IPublishPacket, { identities, responses }: Reading): Message {
  const { topic } = packet;
  const body = Buffer.isBuffer(packet.payload) ? packet.payload : Buffer.from(packet.payload);
  const { userProperties, contentType, responseTopic, correlationData } = packet.properties ?? {};
  const given = (name: string) => [userProperties?.[name]].flat()[0];
  const id = given('message-id') ?? idIn(body);
  const token = given('access_token');
  const authorization = given('authorization') ?? (token === undefined ? undefined : `Bearer ${token}`);
  const named = responseTopic ?? (responses === undefined || id === undefined ? '' : `${responses}/${id}`);
  const traceparent = given('traceparent');
  const path = topic.length <= LONGEST_TOPIC && TOPIC.test(topic) ? `/api/v1/${topic}` : null;
  const headers = {
    'content-type': inHeader(contentType ?? 'application/json', LONGEST_NAME),
    // Without one of its publisher's, so that at least we do not do twice what we try twice.
    'idempotency-key': inHeader(given('idempotency-key') ?? id ?? `mqtt-${randomUUID()}`, LONGEST_NAME),
    ...(authorization === undefined ? {} : { authorization: inHeader(authorization, LONGEST_TOKEN) }),
    ...(traceparent === undefined ? {} : { traceparent: inHeader(traceparent, LONGEST_TRACE) }),
  };
  const caller = authorization === undefined ? callerFor(topic, identities) : null;
  return {
    call: path === null ? null : { path, headers, body, caller },
    reply: isAllowed(named) ? { topic: named, correlation: correlationData } : null,
  };
}

/** What no header can be is as good as an empty one, and is refused where it matters, as over HTTP. */
function inHeader(text: string, longest: number): string {
  return text.length <= longest && IN_A_HEADER.test(text) ? text : '';
}

/** The answer to a topic that is no path. */
export function nowhere(): InnerAnswer {
  const problem = problemOf(new Refusal('not_found', 'There is nothing at this topic.'));
  const headers = { 'content-type': 'application/problem+json' };
  return { status: problem.status, headers, body: Buffer.from(JSON.stringify(problem)) };
}

/** The `message_id` of a body: how somebody without user properties names a message. */
function idIn(body: Buffer): string | undefined {
  if (!body.includes('"message_id"')) return undefined;
  try {
    const id: unknown = JSON.parse(body.toString()).message_id;
    return typeof id === 'string' ? id : undefined;
  } catch {
    return undefined;
  }
}

function callerFor(topic: string, identities: readonly MqttIdentity[]): InnerCall['caller'] {
  const found = identities.find(({ filter }) => fits(topic, filter));
  return found === undefined
    ? null
    : { sub: found.subject, role: found.role, expiresAt: Number.POSITIVE_INFINITY };
}

/** Whether a topic fits a filter (MQTT 5 §4.7): `+` is any one level, `#` all that follow, and none. */
export function fits(topic: string, filter: string): boolean {
  const levels = topic.split('/');
  const wanted = filter.split('/');
  const rest = wanted.at(-1) === '#';
  const fixed = rest ? wanted.slice(0, -1) : wanted;
  if (rest ? levels.length < fixed.length : levels.length !== fixed.length) return false;
  return fixed.every((one, index) => one === '+' || one === levels[index]);
}

/** Not where the answer would come in again, not to the broker itself, and nowhere that a broker might cut us off for (MQTT 5 §1.5.4). */
function isAllowed(topic: string): boolean {
  return (
    topic !== '' &&
    Buffer.byteLength(topic) <= LONGEST_TOPIC &&
    topic.split('/').length <= MOST_LEVELS &&
    !/[+#\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]|^\$|^notifications(\/|$)/u.test(topic)
  );
}
