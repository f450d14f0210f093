import { z } from 'zod';
import type { Channel } from '../domain/channel.js';
import { DEFAULT_TEMPLATES_DIR } from '../templates/catalogue.js';
import { acknowledgeFields, wantsOfAnswers } from './acknowledge-settings.js';
import { alertLimitFields } from './alert-settings.js';
import { directoryUrl, limit, passwordHash, retention, url, webhookSecrets, whole } from './fields.js';
import { mqttFields } from './mqtt-settings.js';
import { operatorFields } from './operator-settings.js';
import { realtimeFields } from './realtime-settings.js';
import { selfWatchFields, wantsOfDeadMan } from './self-watch-settings.js';

/** A shorter JWT secret can be guessed. Below `ADVISED_SECRET`, what RFC 7518 §3.2 asks for with HS256, there is a warning. */
const SHORTEST_SECRET = 16;
export const ADVISED_SECRET = 32;

/** The settings of the ledger and the queues, which every process reads. */
export const fleetFields = {
  DATABASE_URL: url('postgres:', 'postgresql:').describe('PostgreSQL 14 or newer: the ledger.'),
  REDIS_URL: url('redis:', 'rediss:')
    .optional()
    .describe('Moves the queues to Redis or Valkey. Without it they are in PostgreSQL.'),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('What is logged.'),
  TEMPLATES_DIR: z.string().default(DEFAULT_TEMPLATES_DIR).describe('The folder with one folder per event.'),
  MAX_ATTEMPTS: whole(1, 100).default(3).describe('Tries in one round before a delivery counts as failed.'),
  RETRY_BASE_MS: whole(1, 3_600_000)
    .default(1_000)
    .describe('Upper bound of the first delay between tries; it doubles each time.'),
  SWEEP_INTERVAL_MS: whole(100, 3_600_000)
    .default(15_000)
    .describe('How often due rows without a job are looked for.'),
  RETRY_SWEEP_MS: whole(100, 86_400_000)
    .default(300_000)
    .describe(
      'How often failed deliveries get another round, and how long one waits for wrong settings to be mended.',
    ),
  ESCALATION_STEP_MS: whole(100, 86_400_000)
    .default(300_000)
    .describe('How far apart the steps are of the escalation policy that holds while none has been written.'),
  ...alertLimitFields,
  ...operatorFields,
  RETENTION_DAYS: retention
    .default(30)
    .describe(
      'How many days an ended notification is kept after the last thing that happened to it, or off.',
    ),
  DATABASE_POOL: whole(2, 200).default(10).describe('Connections to the ledger for each process.'),
  ...acknowledgeFields,
} as const;

/** Traces. The names are those of the OpenTelemetry specification, whose exporter reads them too. */
export const tracingFields = {
  OTEL_EXPORTER_OTLP_ENDPOINT: url('http:', 'https:')
    .optional()
    .describe(
      'Switches traces on: a collector that takes OTLP over HTTP, such as http://localhost:4318; /v1/traces is added.',
    ),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: url('http:', 'https:')
    .optional()
    .describe('The same for traces alone, taken as it is.'),
  OTEL_EXPORTER_OTLP_HEADERS: z
    .string()
    .optional()
    .describe('Headers for the collector, such as `authorization=Bearer%20…`, with commas between them.'),
  OTEL_SERVICE_NAME: z
    .string()
    .optional()
    .describe('How the process is called in a trace; `belfry-api` and `belfry-worker` without it.'),
  OTEL_RESOURCE_ATTRIBUTES: z
    .string()
    .optional()
    .describe('What else is said of the process in a trace, such as `deployment.environment.name=staging`.'),
  OTEL_TRACES_SAMPLER_ARG: z
    .string()
    .regex(/^(0(\.\d+)?|1(\.0+)?)$/, 'must be a number from 0 to 1')
    .default('1')
    .describe(
      'The share of calls that are traced, from 0 to 1. Whoever calls with a `traceparent` decides for its own.',
    ),
} as const;

/** The settings of the API. */
export const apiFields = {
  PORT: whole(0, 65_535).default(3000).describe('Where the API listens; 0 takes a free port.'),
  HOST: z.string().default('0.0.0.0').describe('The address the API listens on; npm start uses 127.0.0.1.'),
  MIGRATE: z
    .enum(['on', 'off'])
    .default('on')
    .describe('Whether the API brings the schema up to date when it starts.'),
  JWT_SECRET: z
    .string()
    .min(SHORTEST_SECRET, `must have at least ${SHORTEST_SECRET} characters`)
    .optional()
    .describe('Signs and checks tokens.'),
  ALGORITHM: z
    .enum(['HS256', 'HS384', 'HS512', 'RS256', 'RS384', 'RS512', 'PS256', 'ES256', 'ES384', 'EdDSA'])
    .default('HS256')
    .describe('The one algorithm that tokens may be signed with.'),
  JWKS_URL: url('https:', 'http:')
    .optional()
    .describe('Where the public keys of an identity provider are; for asymmetric algorithms.'),
  JWT_ISSUER: z.string().optional().describe('When set, tokens must have this `iss`.'),
  JWT_AUDIENCE: z.string().optional().describe('When set, tokens must have this `aud`.'),
  ACCESS_TOKEN_EXPIRE_MINUTES: whole(1, 525_600)
    .default(30)
    .describe('How long a token of `npm run token` is good for.'),
  SESSION_SECRET: z
    .string()
    .min(ADVISED_SECRET, `must have at least ${ADVISED_SECRET} characters`)
    .optional()
    .describe(
      'Signs sign-ins to the queue board. Needed for them with an asymmetric ALGORITHM; without it JWT_SECRET serves.',
    ),
  ADMIN_PASSWORD_HASH: passwordHash
    .optional()
    .describe('Lets a password open the queue board; `npm run password-hash` prints it.'),
  VIEWER_PASSWORD_HASH: passwordHash
    .optional()
    .describe('The same for a password that shows the queue board and changes nothing.'),
  RATE_LIMIT: limit
    .default({ points: 1000, seconds: 60 })
    .describe('Requests per caller, as 1000/60s, or off.'),
  RATE_LIMIT_SEND: limit
    .default({ points: 10, seconds: 60 })
    .describe('Notifications per caller and person, as 10/60s, or off.'),
  RATE_LIMIT_INBOUND: limit
    .default({ points: 1000, seconds: 60 })
    .describe('Calls per alert source, as 1000/60s, or off.'),
  USER_DIRECTORY_URL: directoryUrl
    .optional()
    .describe(
      'Where people who are not here are asked for, as https://users.internal/api/v1/users/{id}. Without it only people who were added here are known.',
    ),
  USER_DIRECTORY_TOKEN: z
    .string()
    .regex(/^[\x21-\x7e]+$/, 'must be printable ASCII without spaces')
    .optional()
    .describe('Sent to the user directory as a bearer token.'),
  USER_DIRECTORY_TIMEOUT_MS: whole(50, 30_000)
    .default(2_000)
    .describe('How long the user directory may take for one answer.'),
  USER_DIRECTORY_TTL_MS: whole(0, 604_800_000)
    .default(300_000)
    .describe('How long what the user directory said of a person is good for.'),
  TWILIO_AUTH_TOKEN: z
    .string()
    .regex(/^[\x21-\x7e]+$/, 'must be the Auth Token from the Twilio console')
    .optional()
    .describe(
      'The Auth Token from the Twilio console: the workers need it to send, and the API checks with it that answers come from Twilio.',
    ),
  WEBHOOK_SECRETS: webhookSecrets.optional().describe(webhookSecrets.description ?? ''),
  ...realtimeFields,
  ...mqttFields,
  ...selfWatchFields,
} as const;

/** The settings of a worker; those of the providers are beside each provider. */
export const workerFields = {
  WORKER_PORT: whole(0, 65_535)
    .default(0)
    .describe(
      'Where a worker serves /metrics, /health and /ready; 0 takes a free port, which its log names. Workers on one machine need a port each.',
    ),
  WORKER_HOST: z.string().default('127.0.0.1').describe('The address that a worker serves them on.'),
  WORKER_QUEUES: z
    .string()
    .default('*')
    .describe('Which queues this worker serves, such as `email.*,*.critical,upkeep`.'),
  WORKER_CONCURRENCY: whole(1, 1_000)
    .default(60)
    .describe('Deliveries of one channel in hand at once, shared out 8:4:2:1 among the priorities.'),
  WORKER_CONCURRENCY_REALTIME: ofChannel('realtime'),
  WORKER_CONCURRENCY_EMAIL: ofChannel('email'),
  WORKER_CONCURRENCY_SMS: ofChannel('sms'),
  WORKER_CONCURRENCY_PUSH: ofChannel('push'),
  WORKER_CONCURRENCY_WEBHOOK: ofChannel('webhook'),
  BROADCAST_CHUNK: whole(1, 2_000)
    .default(500)
    .describe(
      'People of a broadcast that are told in one transaction. While four times as many deliveries wait in one of its queues, nobody is added.',
    ),
  POISON_AFTER: whole(3, 1_000)
    .default(10)
    .describe('A delivery that was in the hands of this many workers when they died is given up as poison.'),
} as const;

function ofChannel(channel: Channel) {
  return whole(1, 1_000).optional().describe(`WORKER_CONCURRENCY for ${channel} alone.`);
}

export const fleetSettings = z.object(fleetFields);
/** What `npm run token` needs: no database. */
export const tokenSettings = z.object({
  JWT_SECRET: apiFields.JWT_SECRET.unwrap(),
  ALGORITHM: apiFields.ALGORITHM,
  JWT_ISSUER: apiFields.JWT_ISSUER,
  JWT_AUDIENCE: apiFields.JWT_AUDIENCE,
  ACCESS_TOKEN_EXPIRE_MINUTES: apiFields.ACCESS_TOKEN_EXPIRE_MINUTES,
});
// By itself zod would not look at a rule while any other setting is wrong, and so not tell all problems at once.
const withAlgorithm = {
  when: ({ issues }: z.core.ParsePayload) => !issues.some(({ path }) => path?.[0] === 'ALGORITHM'),
};
export const apiSettings = z
  .object({ ...fleetFields, ...tracingFields, ...apiFields })
  .superRefine(keyOfTokens, withAlgorithm)
  .superRefine(keyOfSessions, withAlgorithm)
  .superRefine(wantsOfAnswers, { when: () => true })
  .superRefine(wantsOfDeadMan, { when: () => true });
export const workerSettings = z
  // Read where links are signed with it.
  .object({ ...fleetFields, ...tracingFields, ...workerFields, JWT_SECRET: apiFields.JWT_SECRET })
  .transform((settings) => ({
    ...settings,
    /** The concurrency of each channel. */
    concurrency: {
      realtime: settings.WORKER_CONCURRENCY_REALTIME ?? settings.WORKER_CONCURRENCY,
      email: settings.WORKER_CONCURRENCY_EMAIL ?? settings.WORKER_CONCURRENCY,
      sms: settings.WORKER_CONCURRENCY_SMS ?? settings.WORKER_CONCURRENCY,
      push: settings.WORKER_CONCURRENCY_PUSH ?? settings.WORKER_CONCURRENCY,
      webhook: settings.WORKER_CONCURRENCY_WEBHOOK ?? settings.WORKER_CONCURRENCY,
    } satisfies Record<Channel, number>,
  }));

/** What the settings say about tracing, for `openTracing`. */
export function tracingOf(settings: TracingSettings, process: 'api' | 'worker') {
  return {
    on: (settings.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? settings.OTEL_EXPORTER_OTLP_ENDPOINT) !== undefined,
    service: settings.OTEL_SERVICE_NAME ?? `belfry-${process}`,
    share: Number(settings.OTEL_TRACES_SAMPLER_ARG),
  };
}

/** What tokens are checked with depends on their algorithm. */
function keyOfTokens(
  settings: { ALGORITHM: string; JWT_SECRET?: string | undefined; JWKS_URL?: string | undefined },
  context: z.RefinementCtx,
): void {
  const symmetric = settings.ALGORITHM.startsWith('HS');
  if (symmetric && settings.JWT_SECRET === undefined) {
    context.addIssue({
      code: 'custom',
      path: ['JWT_SECRET'],
      message:
        'is required: set it to 32 or more random characters, for example the output of: openssl rand -base64 48',
    });
  }
  if (!symmetric && settings.JWKS_URL === undefined) {
    context.addIssue({
      code: 'custom',
      path: ['JWKS_URL'],
      message: `is required with ALGORITHM=${settings.ALGORITHM}`,
    });
  }
}

/** What a sign-in with a password is signed with: nothing else could be done with that password. */
function keyOfSessions(
  settings: {
    ALGORITHM: string;
    SESSION_SECRET?: string | undefined;
    ADMIN_PASSWORD_HASH?: string | undefined;
    VIEWER_PASSWORD_HASH?: string | undefined;
  },
  context: z.RefinementCtx,
): void {
  const passwords = settings.ADMIN_PASSWORD_HASH ?? settings.VIEWER_PASSWORD_HASH;
  if (settings.ALGORITHM.startsWith('HS') || settings.SESSION_SECRET !== undefined || passwords === undefined)
    return;
  context.addIssue({
    code: 'custom',
    path: ['SESSION_SECRET'],
    message: `is required for sign-ins with a password and ALGORITHM=${settings.ALGORITHM}: set it to the output of: openssl rand -base64 48`,
  });
}

const tracingSettings = z.object(tracingFields);
type TracingSettings = z.infer<typeof tracingSettings>;
export type FleetSettings = z.infer<typeof fleetSettings>;
export type ApiSettings = z.infer<typeof apiSettings>;
export type WorkerSettings = z.infer<typeof workerSettings>;
