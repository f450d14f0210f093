import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { url, whole } from './fields.js';

/** Who is meant by what is published to some topics, where the publisher does not say it. */
export interface MqttIdentity {
  /** A topic filter (MQTT 5 §4.7), such as `notifications/alerts/#`. */
  readonly filter: string;
  readonly subject: string;
  readonly role: (typeof ROLES)[number];
}

const ROLES = ['admin', 'internal', 'user'] as const;
/** A level is a name, or `+`; `#` may be the last one. */
const FILTER = /^notifications(\/(\+|[A-Za-z0-9._:@-]+))*(\/#)?$/;
const SUBJECT = /^[A-Za-z0-9._:@-]{1,128}$/;

/** A certificate authority's certificates, as the file that holds them. */
const certificates = z.string().transform((file, context): string => {
  try {
    const text = readFileSync(file, 'utf8');
    if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  } catch {
    // Said below.
  }
  context.addIssue({ code: 'custom', message: 'must be a file with PEM certificates that can be read' });
  return z.NEVER;
});

/** `filter=subject:role`, with commas between them. Every one that is wrong is told. */
const identities = z.string().transform((text, context): readonly MqttIdentity[] =>
  text.split(',').flatMap((one, index): MqttIdentity[] => {
    const [filter = '', who = '', ...more] = one.trim().split('=');
    const colon = who.lastIndexOf(':');
    const subject = who.slice(0, Math.max(colon, 0));
    const role = ROLES.find((known) => known === who.slice(colon + 1).toLowerCase());
    const problem =
      more.length > 0 || colon < 0
        ? 'must look like notifications/alerts/#=plc-gateway:internal'
        : !FILTER.test(filter)
          ? 'must begin with a topic filter below notifications, such as notifications/alerts/#'
          : !SUBJECT.test(subject)
            ? 'must name a subject of 1 to 128 letters, digits and . _ - : @'
            : role === undefined
              ? `must end with one of the roles ${ROLES.join(', ')}`
              : null;
    if (problem === null && role !== undefined) return [{ filter, subject, role }];
    context.addIssue({ code: 'custom', message: `${problem} (entry ${index + 1})` });
    return [];
  }),
);

/** Where answers may be published: names, and never where they would come in again. */
const responses = z
  .string()
  .regex(/^[^+#$\p{Cc}/][^+#\p{Cc}]{0,199}(?<!\/)$/u, 'must be a topic without wildcards')
  .refine((topic) => !/^notifications(\/|$)/.test(topic), 'must not be below notifications');

/** The door that takes notifications from an MQTT broker. */
export const mqttFields = {
  MQTT_URL: url('mqtt:', 'mqtts:', 'ws:', 'wss:').optional().meta({
    description:
      'Opens the MQTT door: the broker, as `mqtts://user:password@broker.example.com:8883`. What is published to `notifications/…` there is taken as if it had been posted.',
    secret: true,
  }),
  MQTT_VERSION: z
    .enum(['5', '3.1.1'], 'must be 5 or 3.1.1')
    .default('5')
    .describe('The version of MQTT that is spoken with the broker; publishers may use another one.'),
  MQTT_CA_FILE: certificates
    .optional()
    .describe('PEM certificates that the broker is checked with, in the place of those that Node.js trusts.'),
  MQTT_NAME: z
    .string()
    .regex(/^[A-Za-z0-9-]{1,20}$/, 'must be 1 to 20 letters, digits and -')
    .default('belfry')
    .describe(
      'What the shared subscription is called, and what the client ids begin with. Installations that share a broker need one each.',
    ),
  MQTT_SHARED: z
    .enum(['on', 'off'], 'must be on or off')
    .default('on')
    .describe('`off` is for a broker without shared subscriptions: everything comes in by one session.'),
  MQTT_SESSIONS: whole(1, 64)
    .default(4)
    .describe(
      'Sessions at the broker, shared out among all API processes. More processes than this have none.',
    ),
  MQTT_IN_FLIGHT: whole(1, 1_000).default(16).describe('Messages of one session that are in hand at once.'),
  MQTT_PATIENCE_MS: whole(0, 86_400_000)
    .default(300_000)
    .describe(
      'How long a message that is refused for the moment, as by a limit, is tried again. While the database is away there is no end to it.',
    ),
  MQTT_IDENTITIES: identities
    .optional()
    .describe(
      'Who is meant where a message brings no token: `filter=subject:role` with commas between, such as `notifications/alerts/#=plc-gateway:internal`. The first that fits counts.',
    ),
  MQTT_RESPONSES: responses
    .optional()
    .describe(
      'Where messages without a response topic are answered if they have a message id: below this topic, as `<topic>/<message id>`.',
    ),
} as const;
