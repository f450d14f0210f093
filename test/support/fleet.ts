import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before } from 'node:test';
import { startSandbox } from '@belfry/sandbox/app.js';
import { openEngine } from '@belfry/shared/queue/engine.js';
import type { QueueEngine } from '@belfry/shared/queue/queue-engine.js';
import { SignJWT } from 'jose';
import { Pool } from 'pg';
import type { EngineName } from './engines.js';
import { type ApiProcess, type Env, fleetProcesses, type WorkerOptions } from './fleet-processes.js';
import { type Answer, ask } from './http.js';
import { type LedgerDelivery, ledgerOf } from './ledger.js';
import { migratedDatabase, type TestDatabase } from './postgres.js';
import { type Exit, startProcess, type TestProcess } from './process.js';
import { pushEnv } from './push-env.js';
import { startRedis, type TestRedis } from './redis.js';
import { type SandboxClient, sandboxClient } from './sandbox-client.js';
import { waitFor } from './wait.js';

export type FleetOptions = {
  readonly engine: EngineName;
  /** One worker for everything when absent. */
  readonly workers?: readonly WorkerOptions[];
  /** How many API processes; one when absent. */
  readonly api?: number;
  /** For every process, over the settings below. */
  readonly env?: Env;
  /** True when the sandbox carries pushes too. */
  readonly push?: boolean;
  /** A database in the place of a fresh one, for tests that stop the server under it. */
  readonly database?: TestDatabase;
  /** A Redis in the place of one of the fleet's own; whoever gives it ends it. */
  readonly redis?: TestRedis;
};

export type CallOptions = {
  /** The role in the token (`admin`); null sends none. */
  readonly as?: 'admin' | 'internal' | 'user' | 'viewer' | null;
  /** The token's subject (`test`). */
  readonly sub?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Which API process is asked (0). */
  readonly api?: number;
};

/** What a person is made of: the body of `PUT /users/{id}`, and of `PUT /users/{id}/preferences`. */
export type PersonOptions = {
  readonly email?: string;
  readonly phone?: string;
  readonly locale?: string;
  readonly timezone?: string;
  readonly active?: boolean;
  readonly roles?: readonly string[];
  readonly groups?: readonly string[];
  readonly preferences?: Readonly<Record<string, boolean>>;
};

/** A whole fleet of real processes, with a ledger, queues and providers of its own. */
export type Fleet = {
  readonly engine: EngineName;
  readonly api: ApiProcess;
  readonly apis: readonly ApiProcess[];
  /** In the order in which they were started; one that has ended stays in its place. */
  readonly workers: readonly TestProcess[];
  readonly sandbox: SandboxClient;
  readonly sandboxUrl: string;
  /** For looking into the ledger. Its connections may break when a test stops the server. */
  readonly database: Pool;
  readonly databaseUrl: string;
  /** Only on Redis. */
  readonly redis: TestRedis | undefined;
  /** The queues, for looking into them. */
  readonly queues: QueueEngine;
  /** The settings that every process was started with. */
  readonly env: Env;
  token(role: string, sub?: string): Promise<string>;
  /** Calls the API; `path` is below `/api/v1`, as the contract lists it. */
  call(method: string, path: string, body?: unknown, options?: CallOptions): Promise<Answer>;
  /** Gets one of the pages beside the API: `/ready`, `/metrics`. */
  page(path: string, options?: CallOptions): Promise<Answer>;
  /** Adds or changes a person. */
  person(id: string, options?: PersonOptions): Promise<void>;
  /** Sends a notification, which has to be accepted, and returns its id. */
  send(body: Readonly<Record<string, unknown>>, options?: CallOptions): Promise<string>;
  addWorker(options?: WorkerOptions): Promise<TestProcess>;
  addApi(env?: Env): Promise<ApiProcess>;
  /** Runs one of the API's commands, such as `rebuild-queues`, to its end. */
  command(
    name: string,
  ): Promise<Exit & { readonly stdout: readonly string[]; readonly stderr: readonly string[] }>;
  /** The deliveries of a notification as the ledger has them, with their attempts. */
  deliveries(notificationId: string): Promise<LedgerDelivery[]>;
  untilStatus(notificationId: string, status: string, options?: { timeoutMs?: number }): Promise<void>;
  /** Waits until no delivery is open any more. */
  untilSettled(options?: { timeoutMs?: number }): Promise<void>;
  /** Every line that any process of the fleet has written so far. */
  logs(): string[];
  /** Ends everything. Fails when a process had ended by itself or badly, or left a connection behind. Twice is fine. */
  stop(): Promise<void>;
};

/** Starts the fleet before the tests of this `describe` and stops it after them; gives a way to reach it. */
export function useFleet(options: FleetOptions): () => Fleet {
  let fleet: Fleet | undefined;
  before(async () => {
    fleet = await startFleet(options);
  });
  after(() => fleet?.stop());
  return () => {
    assert.ok(fleet, 'the fleet is there only while tests run');
    return fleet;
  };
}

/** Starts a fleet, runs `work` and stops the fleet, whatever came of it. */
export async function withFleet(options: FleetOptions, work: (fleet: Fleet) => Promise<void>): Promise<void> {
  const fleet = await startFleet(options);
  try {
    await work(fleet);
  } catch (error) {
    await fleet.stop().catch(() => undefined);
    throw error;
  }
  await fleet.stop();
}

/** Starts a fleet; everything in it is ready when this returns. */
export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const { engine } = options;
  const database = options.database ?? (await migratedDatabase());
  const redis = engine === 'redis' ? (options.redis ?? (await startRedis())) : undefined;
  const sandbox = await startSandbox({ host: '127.0.0.1', httpPort: 0, smtpPort: 0 });
  const pool = new Pool({
    connectionString: database.url,
    max: 3,
    application_name: 'test',
    query_timeout: 60_000,
    connectionTimeoutMillis: 30_000,
  });
  pool.on('error', () => undefined);
  const secret = randomBytes(32).toString('hex');
  const env: Env = {
    ...QUICK,
    DATABASE_URL: database.url,
    REDIS_URL: redis?.url,
    JWT_SECRET: secret,
    SMTP_URL: sandbox.smtpUrl,
    TWILIO_BASE_URL: sandbox.httpUrl,
    WEBHOOK_ALLOW_ADDRESSES: `127.0.0.1:${sandbox.httpPort}`,
    ...(options.push === true ? await pushEnv(sandbox.httpUrl) : {}),
    ...options.env,
  };
  const processes = fleetProcesses(env);
  const { apis, workers, addApi, addWorker } = processes;
  const ledger = ledgerOf(pool);
  const queues = openEngine({
    redisUrl: redis?.url,
    databaseUrl: database.url,
    name: 'test',
    workers: 0,
    onError: () => undefined,
  });
  let stopping: Promise<void> | undefined;

  async function token(role: string, sub = 'test'): Promise<string> {
    return new SignJWT({ role })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject(sub)
      .setExpirationTime('1h')
      .sign(new TextEncoder().encode(secret));
  }

  async function get(method: string, path: string, body: unknown, options: CallOptions): Promise<Answer> {
    const { as = 'admin', sub, headers = {}, api = 0 } = options;
    const target = apis[api];
    assert.ok(target, `there is no API process ${api}`);
    const authorization = as === null ? {} : { authorization: `Bearer ${await token(as, sub)}` };
    return ask(method, target.url + path, body, { ...authorization, ...headers });
  }

  const call: Fleet['call'] = (method, path, body, options = {}) =>
    get(method, `/api/v1${path}`, body, options);

  async function stop(): Promise<void> {
    const problems = await processes.stop();
    const left = await ledger.connectionsLeft().catch(() => []);
    if (left.length > 0) problems.push(`connections left behind: ${left.join(', ')}`);
    await Promise.all([queues.close(), pool.end()]);
    await sandbox.stop();
    if (options.redis === undefined) await redis?.stop();
    if (options.database === undefined) await database.drop();
    assert.deepEqual(problems, []);
  }

  const fleet: Fleet = {
    engine,
    get api() {
      const first = apis[0];
      assert.ok(first, 'there is no API process');
      return first;
    },
    apis,
    workers,
    sandbox: sandboxClient(sandbox.httpUrl),
    sandboxUrl: sandbox.httpUrl,
    database: pool,
    databaseUrl: database.url,
    redis,
    queues,
    env,
    token,
    call,
    page: (path, options = {}) => get('GET', path, undefined, options),
    async person(id, { preferences, ...person } = {}) {
      const put = await call('PUT', `/users/${id}`, person);
      assert.ok(put.status < 300, `PUT /users/${id} was answered with ${put.status}: ${put.text}`);
      if (preferences === undefined) return;
      const wished = await call('PUT', `/users/${id}/preferences`, preferences);
      assert.equal(wished.status, 200, wished.text);
    },
    async send(body, options) {
      const answer = await call('POST', '/notifications/send', body, options);
      assert.equal(answer.status, 202, answer.text);
      return String(answer.body.notification_id);
    },
    addWorker,
    addApi,
    async command(name) {
      const child = await startProcess(`apps/api/bundle/commands/${name}.js`, env, { readyMessage: false });
      return { ...(await child.exited), stdout: child.stdout, stderr: child.stderr };
    },
    deliveries: ledger.deliveries,
    untilStatus: async (id, status, { timeoutMs = 30_000 } = {}) => {
      const what = `notification ${id} to be ${status}`;
      const arrived = async () => assert.equal(await ledger.status(id), status) ?? true;
      await waitFor(arrived, { timeoutMs, what }).catch(async (error: Error) => {
        const rows = await ledger.deliveries(id).catch(() => []);
        assert.fail(`${error.message}; the ledger has ${JSON.stringify(rows, null, 1)}`);
      });
    },
    untilSettled: async ({ timeoutMs = 60_000 } = {}) => {
      const settled = async () => assert.deepEqual(await ledger.open(), {}) ?? true;
      await waitFor(settled, { timeoutMs, what: 'every delivery to have ended', everyMs: 50 });
    },
    logs: () => [...apis, ...workers].flatMap(({ stdout, stderr }) => [...stdout, ...stderr]),
    stop() {
      stopping ??= stop();
      return stopping;
    },
  };

  try {
    await processes.start(options.api ?? 1, options.workers ?? [{}]);
  } catch (error) {
    await fleet.stop().catch(() => undefined);
    throw error;
  }
  return fleet;
}

/** Settings under which nothing has to be waited for long. */
const QUICK: Env = {
  HOST: '127.0.0.1',
  PORT: '0',
  LOG_LEVEL: 'info',
  CANARY_INTERVAL_MS: 'off',
  RATE_LIMIT: 'off',
  RATE_LIMIT_SEND: 'off',
  RATE_LIMIT_INBOUND: 'off',
  ALERT_LIMIT_SMS: 'off',
  ALERT_LIMIT_EMAIL: 'off',
  ALERT_LIMIT_PUSH: 'off',
  DATABASE_POOL: '4',
  RETRY_BASE_MS: '50',
  SWEEP_INTERVAL_MS: '500',
  MAIL_FROM: 'Belfry <notifications@belfry.test>',
  TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
  TWILIO_AUTH_TOKEN: 'the-sandbox-takes-any',
  TWILIO_FROM: '+15005550006',
  WEBHOOK_SECRETS: `whsec_${randomBytes(32).toString('base64')}`,
  WEBHOOK_ALLOW_HTTP: 'listed',
};
