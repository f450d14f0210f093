import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@belfry/local/embedded-postgres.js';
import { Client, escapeIdentifier } from 'pg';

/** A database of a test's own. */
export type TestDatabase = {
  readonly url: string;
  /** Ends its connections and deletes it. Twice is fine. */
  drop(): Promise<void>;
};

let cluster: Promise<string> | undefined;
let ownCluster: EmbeddedPostgres | undefined;
// Here and not where it is started: a hook that is made within another one ends with it.
after(() => ownCluster?.stop());

/**
 * Makes an empty database in the cluster of TEST_DATABASE_URL (a superuser's). Without that variable an embedded
 * PostgreSQL is started for this test file and stopped at its end.
 */
export function freshDatabase(): Promise<TestDatabase> {
  return createDatabase('');
}

/**
 * The same with every table of the ledger and of the queues: a copy of TEST_TEMPLATE_DATABASE. Without that variable it is empty,
 * and whoever uses it migrates it.
 */
export function migratedDatabase(): Promise<TestDatabase> {
  const template = process.env.TEST_TEMPLATE_DATABASE;
  return createDatabase(template === undefined ? '' : ` TEMPLATE ${escapeIdentifier(template)}`);
}

async function createDatabase(like: string): Promise<TestDatabase> {
  cluster ??= process.env.TEST_DATABASE_URL ? Promise.resolve(process.env.TEST_DATABASE_URL) : startCluster();
  const clusterUrl = await cluster;
  const name = `t_${randomBytes(6).toString('hex')}`;
  await execute(clusterUrl, `CREATE DATABASE ${escapeIdentifier(name)}${like}`);
  const url = new URL(clusterUrl);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    // FORCE (PostgreSQL 13): a killed process's connections may still be there
    drop: () => execute(clusterUrl, `DROP DATABASE IF EXISTS ${escapeIdentifier(name)} WITH (FORCE)`),
  };
}

/**
 * A PostgreSQL of the test's own, for tests that stop or kill the server; `stop()` deletes its data too.
 * With `port` it comes back on the same address.
 */
export async function startPostgres(
  options: { port?: number; dataDir?: string } = {},
): Promise<EmbeddedPostgres & { readonly dataDir: string }> {
  const dataDir = options.dataDir ?? temporaryDir();
  const ephemeral = options.dataDir === undefined;
  const started = await startEmbeddedPostgres({ dataDir, port: options.port, ephemeral });
  if ('problem' in started) throw new Error(started.problem);
  const stop = async () => {
    await started.stop();
    if (ephemeral) rmSync(dataDir, { recursive: true, force: true });
  };
  return { ...started, dataDir, stop };
}

/** A directory that the unprivileged user of PostgreSQL may enter; the caller deletes it. */
export function temporaryDir(): string {
  const dir = mkdtempSync(path.join(tmpdir(), 'belfry-test-'));
  chmodSync(dir, 0o755);
  return dir;
}

async function startCluster(): Promise<string> {
  ownCluster = await startPostgres();
  return ownCluster.url;
}

/** Runs SQL on a connection of its own. */
export async function execute(url: string, sql: string): Promise<void> {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: 60_000,
    query_timeout: 60_000,
  });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
