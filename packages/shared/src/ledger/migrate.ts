import { setTimeout as sleep } from 'node:timers/promises';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate } from 'drizzle-orm/node-postgres/migrator';
import pg from 'pg';
import { shipped } from '../files/shipped.js';

const MIGRATIONS = shipped('packages/shared/migrations');
/** Any number of processes may start at once; one of them migrates while the others wait. */
const ADVISORY_LOCK = 0x62656c66;

const PATIENCE_MS = 60_000;
const PAUSE_MS = 250;

/** Another process holds the lock of the migrations and did not let go in time. */
export class MigrationBusy extends Error {
  override readonly name = 'MigrationBusy';
}

/**
 * Brings the schema up to this build, under an advisory lock; running it again changes nothing.
 * `after` runs on the same connection and under the same lock, for the queue engine's own tables.
 * Rejects with `MigrationBusy` when another process is still at it after `patienceMs`.
 */
export async function migrateLedger(
  url: string,
  after?: (client: pg.Client) => Promise<void>,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'belfry-migrate',
    connectionTimeoutMillis: 5_000,
    // No bound on a statement, since an index over a large table may take an hour; but on waiting for a lock, which
    // everybody who comes later would have to wait behind, and on a line that is dead.
    lock_timeout: 5_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5_000,
  });
  // A line that breaks between two statements would end the process; the next statement tells as well.
  client.on('error', () => undefined);
  await client.connect();
  try {
    await takeLock(client, patienceMs);
    await client.query("SET client_min_messages = 'warning'");
    await migrate(drizzle(client), { migrationsFolder: MIGRATIONS });
    await after?.(client);
  } finally {
    await client.end();
  }
}

/** Asks again and again rather than waiting in a statement, whose end nothing would bound. The lock ends with the line. */
async function takeLock(client: pg.Client, patienceMs: number): Promise<void> {
  const until = performance.now() + patienceMs;
  for (;;) {
    const { rows } = await client.query<{ taken: boolean }>('SELECT pg_try_advisory_lock($1) AS taken', [
      ADVISORY_LOCK,
    ]);
    if (rows[0]?.taken === true) return;
    if (performance.now() >= until) {
      throw new MigrationBusy(
        `Another process has been migrating this database for over ${Math.ceil(patienceMs / 1000)} s. Wait for it, or end it, and try again.`,
      );
    }
    await sleep(PAUSE_MS);
  }
}

/** Where the schema of a database stands, compared with the migrations of this build. */
export type SchemaState = 'absent' | 'older' | 'current' | 'newer';

export async function schemaState(client: Pick<pg.Pool, 'query'>): Promise<SchemaState> {
  const newest = readMigrationFiles({ migrationsFolder: MIGRATIONS }).at(-1)?.folderMillis ?? 0;
  const table = await client.query<{ there: boolean }>(
    `SELECT to_regclass('drizzle.__drizzle_migrations') IS NOT NULL AS there`,
  );
  if (table.rows[0]?.there !== true) return 'absent';
  const applied = await client.query<{ newest: string | null }>(
    'SELECT max(created_at)::text AS newest FROM drizzle.__drizzle_migrations',
  );
  const has = Number(applied.rows[0]?.newest ?? 0);
  if (has === newest) return 'current';
  return has < newest ? 'older' : 'newer';
}

/** True when the ledger has every migration that this build knows. False for an empty database. */
export async function isMigrated(client: Pick<pg.Pool, 'query'>): Promise<boolean> {
  const state = await schemaState(client);
  return state === 'current' || state === 'newer';
}
