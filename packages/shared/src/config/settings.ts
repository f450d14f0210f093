import { z } from 'zod';
import type { Channel } from '../domain/channel.js';
import { DEFAULT_TEMPLATES_DIR } from '../templates/catalogue.js';
import { limit, passwordHash, url, whole } from './fields.js';

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
  DATABASE_POOL: whole(2, 200).default(10).describe('Connections to the ledger for each process.'),
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
} as const;

/** The settings of a worker; those of the providers are beside each provider. */
export const workerFields = {
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
  .object({ ...fleetFields, ...apiFields })
  .superRefine(keyOfTokens, withAlgorithm)
  .superRefine(keyOfSessions, withAlgorithm);
export const workerSettings = z.object({ ...fleetFields, ...workerFields }).transform((settings) => ({
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

export type FleetSettings = z.infer<typeof fleetSettings>;
export type ApiSettings = z.infer<typeof apiSettings>;
export type WorkerSettings = z.infer<typeof workerSettings>;
