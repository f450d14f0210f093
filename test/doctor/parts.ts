import assert from 'node:assert/strict';
import { mkdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { startSandbox } from '@belfry/sandbox/app.js';
import { ownCertificate } from '@belfry/sandbox/certificate.js';
import { SMTPServer } from 'smtp-server';
import { startAedes } from '../support/aedes.js';
import { startMosquitto } from '../support/mosquitto.js';
import { freePort } from '../support/ports.js';
import { execute, freshDatabase, temporaryDir } from '../support/postgres.js';
import { startProcess } from '../support/process.js';
import { startRedis } from '../support/redis.js';
import { startScriptedBroker } from '../support/scripted-broker.js';

export type Env = Readonly<Record<string, string | undefined>>;

/** Real parts, some of them broken in one way each, and settings with which all is well. */
export type Parts = Awaited<ReturnType<typeof startParts>>;

/** One thing that is wrong, and what the doctor is to say of it. */
export type Case = readonly [
  what: string,
  env: (parts: Parts) => Env | Promise<Env>,
  level: 'warning' | 'error',
  finding: RegExp,
  remedy: RegExp,
];

export async function startParts() {
  const dir = temporaryDir();
  mkdirSync(path.join(dir, 'templates'));
  const [database, empty, older] = [await freshDatabase(), await freshDatabase(), await freshDatabase()];
  for (const { url } of [database, older]) await migrate(url);
  await execute(older.url, FORGET_LAST_MIGRATION);
  const poor = `doctor_poor_${process.pid}`;
  await execute(
    empty.url,
    `CREATE ROLE ${poor} LOGIN PASSWORD 'poor'; REVOKE CREATE ON SCHEMA public FROM PUBLIC`,
  );
  const sandbox = await startSandbox({ host: '127.0.0.1', httpPort: 0, smtpPort: 0 });
  const [evicting, forgetful, locked] = await Promise.all([
    startRedis({ maxmemoryPolicy: 'allkeys-lru' }),
    startRedis({ appendonly: false }),
    startRedis(),
  ]);
  const [open, unshared, closed, old] = await Promise.all([
    startScriptedBroker(),
    startScriptedBroker({ sharedSubscriptionAvailable: false }),
    startMosquitto('allow_anonymous false'),
    startAedes(),
  ]);
  await locked.command('CONFIG', 'SET', 'requirepass', 'the-right-one');
  const strict = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    logger: false,
    onAuth: (_auth, _session, done) => done(new Error('no')),
  });
  strict.on('error', () => undefined);
  const other = createServer((_req, res) => res.end('something else'));
  const { certificate: cert, key } = await ownCertificate(undefined);
  const secret = createTlsServer({ cert, key });
  await Promise.all([listening(strict), listening(other), listening(secret)]);
  const whole: Env = {
    DATABASE_URL: database.url,
    JWT_SECRET: 'canary-4711-canary-4711-canary-4711-canary',
    SMTP_URL: sandbox.smtpUrl,
    TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
    TWILIO_AUTH_TOKEN: 'canary-4711',
    TWILIO_FROM: '+15005550006',
    PORT: String(await freePort()),
    HOST: '127.0.0.1',
    PUBLIC_URL: 'https://belfry.test',
    OPERATOR_EMAIL: 'ops@belfry.test',
    SMS_ANSWERS: 'on',
  };

  async function stop(): Promise<void> {
    await Promise.all([evicting, forgetful, locked, open, unshared, closed, old].map((one) => one.stop()));
    await new Promise<void>((resolve) => strict.close(() => resolve()));
    other.close();
    secret.close();
    await sandbox.stop();
    await execute(database.url, `DROP ROLE IF EXISTS ${poor}`).catch(() => undefined);
    for (const one of [database, empty, older]) await one.drop();
    rmSync(dir, { recursive: true, force: true });
  }

  return {
    dir,
    whole,
    /** Migrated; without a schema; without the last migration. */
    ledgers: { whole: database.url, empty: empty.url, older: older.url },
    /** May not create tables in the empty one; the password is `poor`. */
    poor,
    redis: { evicting: evicting.url, forgetful: forgetful.url, locked: locked.url },
    /** That takes anybody; without shared subscriptions; that takes nobody; of 3.1.1; with a certificate of its own making. */
    brokers: {
      open: open.url,
      unshared: unshared.url,
      closed: closed.url,
      old: old.url,
      secret: `mqtts://127.0.0.1:${portOf(secret)}`,
    },
    sandbox,
    /** Refuses every login. */
    strictMailPort: portOf(strict.server),
    /** Some other program's. */
    takenPort: portOf(other),
    stop,
  };
}

const FORGET_LAST_MIGRATION =
  'DELETE FROM drizzle.__drizzle_migrations WHERE created_at = (SELECT max(created_at) FROM drizzle.__drizzle_migrations)';

/** A URL with some of its parts changed. */
export function at(
  url: string,
  parts: { port?: number; hostname?: string; username?: string; password?: string; pathname?: string },
): string {
  return Object.assign(
    new URL(url),
    Object.fromEntries(Object.entries(parts).map(([name, value]) => [name, String(value)])),
  ).href;
}

/** The port that a server of this test listens on. */
export function portOf(server: { address(): unknown }): number {
  return (server.address() as AddressInfo).port;
}

/** Resolves when it listens on a free port of 127.0.0.1. */
export function listening(server: {
  listen(port: number, host: string, done: () => void): unknown;
}): Promise<void> {
  return new Promise((resolve) => void server.listen(0, '127.0.0.1', resolve));
}

async function migrate(url: string): Promise<void> {
  const child = await startProcess(
    'apps/api/bundle/commands/migrate.js',
    { DATABASE_URL: url },
    { readyMessage: false },
  );
  assert.equal((await child.exited).code, 0, child.stderr.join('\n'));
}
