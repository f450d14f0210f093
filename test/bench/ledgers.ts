import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startEmbeddedPostgres } from '@belfry/local/embedded-postgres.js';
import { Client, escapeIdentifier } from 'pg';

/** A PostgreSQL of this run, and empty databases in it. Not the tests' own: that one belongs to the test runner. */
export interface Ledgers {
  /** Makes an empty database and returns its URL. */
  empty(): Promise<string>;
  /** Stops the server and deletes everything. */
  stop(): Promise<void>;
}

export async function openLedgers(): Promise<Ledgers> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'belfry-bench-'));
  chmodSync(dataDir, 0o755); // when root measures, PostgreSQL's own user must get in
  const postgres = await startEmbeddedPostgres({ dataDir, ephemeral: true });
  if ('problem' in postgres) throw new Error(postgres.problem);
  return {
    async empty() {
      const name = `bench_${randomBytes(6).toString('hex')}`;
      const client = new Client({ connectionString: postgres.url, connectionTimeoutMillis: 5_000 });
      await client.connect();
      await client.query(`CREATE DATABASE ${escapeIdentifier(name)}`);
      await client.end();
      return Object.assign(new URL(postgres.url), { pathname: `/${name}` }).href;
    },
    async stop() {
      await postgres.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
