import { randomBytes } from 'node:crypto';
import { SignJWT } from 'jose';
import { Pool } from 'pg';
import { startRedis, type TestRedis } from '../support/redis.js';
import { type Ledgers, openLedgers } from './ledgers.js';
import type { Target } from './load.js';
import { type Program, startProgram } from './program.js';

export type Engine = 'redis' | 'postgres';

/** One engine with an empty ledger and an empty queue, on which Belfry and its yardstick can be started. */
export interface Rig {
  readonly engine: Engine;
  readonly database: Pool;
  api(): Promise<Program>;
  /** One worker process with all queues; `concurrency` is `WORKER_CONCURRENCY`, as shipped when absent. */
  worker(concurrency?: string): Promise<Program>;
  bareApi(): Promise<Program>;
  bareWorker(): Promise<Program>;
  /** Calls that tell one of a hundred people of a payment on these channels. */
  target(api: Program, ...channels: readonly string[]): Target;
  stop(): Promise<void>;
}

/** What every rig of a run shares: one PostgreSQL, one Redis, one sandbox. */
export interface Site {
  open(engine: Engine): Promise<Rig>;
  stop(): Promise<void>;
}

const PEOPLE = 100;

/** Starts the databases and the sandbox, each as a process of its own. */
export async function openSite(): Promise<Site> {
  const ledgers = await openLedgers();
  const redis = await startRedis();
  const sandbox = await startProgram('apps/sandbox/bundle/main.js', {
    SANDBOX_HTTP_PORT: '0',
    SANDBOX_SMTP_PORT: '0',
  });
  return {
    open: (engine) => openRig(engine, ledgers, redis, String(sandbox.ready.smtpUrl)),
    async stop() {
      await sandbox.stop();
      await redis.stop();
      await ledgers.stop();
    },
  };
}

async function openRig(engine: Engine, ledgers: Ledgers, redis: TestRedis, smtpUrl: string): Promise<Rig> {
  await redis.flushAll();
  const ledger = await ledgers.empty();
  const secret = randomBytes(48).toString('base64');
  const token = await tokenFor(secret);
  const queues = engine === 'redis' ? { REDIS_URL: redis.url } : {};
  const env = {
    DATABASE_URL: ledger,
    ...queues,
    JWT_SECRET: secret,
    HOST: '127.0.0.1',
    PORT: '0',
    RATE_LIMIT: 'off',
    RATE_LIMIT_SEND: 'off',
    SMTP_URL: smtpUrl,
    MAIL_FROM: 'Belfry <belfry@example.org>',
  };
  const bareEnv = { DATABASE_URL: await ledgers.empty(), ...queues };
  const database = new Pool({ connectionString: ledger, max: 2 });
  database.on('error', () => undefined);
  const programs: Program[] = [];
  const start = async (file: string, settings: Readonly<Record<string, string>>) => {
    const program = await startProgram(file, settings);
    programs.push(program);
    return program;
  };
  return {
    engine,
    database,
    async api() {
      const program = await start('apps/api/bundle/main.js', env);
      await addPeople(database);
      return program;
    },
    worker: (concurrency) =>
      start(
        'apps/workers/bundle/main.js',
        concurrency === undefined ? env : { ...env, WORKER_CONCURRENCY: concurrency },
      ),
    bareApi: () => start('test/dist/bench/bare-api.js', bareEnv),
    bareWorker: () => start('test/dist/bench/bare-worker.js', bareEnv),
    target: (api, ...channels) => ({
      url: `${String(api.ready.url)}/api/v1/notifications/send`,
      token,
      bodies: bodiesFor(channels),
    }),
    async stop() {
      await Promise.all(programs.map((program) => program.stop()));
      await database.end();
    },
  };
}

/** The same bodies go to both sides. */
function bodiesFor(channels: readonly string[]): string[] {
  return Array.from({ length: PEOPLE }, (_, index) =>
    JSON.stringify({
      user_id: `person-${index}`,
      event_type: 'payment_success',
      context: { property_title: 'Bole Garden Apartment', location: 'Addis Ababa', amount: 12_500 + index },
      channels,
    }),
  );
}

async function addPeople(database: Pool): Promise<void> {
  await database.query(
    `INSERT INTO person (id, email) SELECT 'person-' || n, 'person-' || n || '@example.org'
     FROM generate_series(0, $1 - 1) AS n ON CONFLICT DO NOTHING`,
    [PEOPLE],
  );
}

function tokenFor(secret: string): Promise<string> {
  return new SignJWT({ role: 'Internal' })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject('bench')
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(secret));
}
