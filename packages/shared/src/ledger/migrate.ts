import { fileURLToPath } from 'node:url';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate } from 'drizzle-orm/node-postgres/migrator';
import pg from 'pg';

const MIGRATIONS = fileURLToPath(new URL('../../migrations', import.meta.url));
/** Any number of processes may start at once; one of them migrates while the others wait. */
const ADVISORY_LOCK = 0x62656c66;

/**
 * Brings the schema up to this build, under an advisory lock; running it again changes nothing.
 * `after` runs on the same connection and under the same lock, for the queue engine's own tables.
 */
export async function migrateLedger(
  url: string,
  after?: (client: pg.Client) => Promise<void>,
): Promise<void> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'belfry-migrate',
    connectionTimeoutMillis: 5_000,
  });
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [ADVISORY_LOCK]);
    await client.query("SET client_min_messages = 'warning'");
    await migrate(drizzle(client), { migrationsFolder: MIGRATIONS });
    await after?.(client);
  } finally {
    await client.end();
  }
}

/** True when the ledger has every migration that this build knows. False for an empty database. */
export async function isMigrated(client: Pick<pg.Pool, 'query'>): Promise<boolean> {
  const newest = readMigrationFiles({ migrationsFolder: MIGRATIONS }).at(-1)?.folderMillis ?? 0;
  const table = await client.query<{ there: boolean }>(
    `SELECT to_regclass('drizzle.__drizzle_migrations') IS NOT NULL AS there`,
  );
  if (table.rows[0]?.there !== true) return false;
  const applied = await client.query<{ newest: string | null }>(
    'SELECT max(created_at)::text AS newest FROM drizzle.__drizzle_migrations',
  );
  return Number(applied.rows[0]?.newest ?? 0) >= newest;
}
