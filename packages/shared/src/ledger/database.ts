import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import pg from 'pg';
import * as schema from './schema.js';

/** A connection pool to the ledger, with a bound on everything that could wait. */
export interface Database {
  readonly pool: pg.Pool;
  /** For ordinary queries; hot statements are SQL through `rows`. */
  readonly orm: NodePgDatabase<typeof schema>;
  /** Runs one statement and returns its rows. `Row` is the caller's promise about the columns it selects. */
  rows<Row extends pg.QueryResultRow>(statement: string, values?: readonly unknown[]): Promise<Row[]>;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  readonly url: string;
  /** Shown in `pg_stat_activity`. */
  readonly name: string;
  /** Connections at most. */
  readonly size: number;
  /** Called for connections that break while nobody uses them. */
  readonly onError?: (error: Error) => void;
}

/** How long a query may take before the process stops waiting for it. */
const QUERY_TIMEOUT_MS = 8_000;

/** Opens the pool. Nothing is connected until the first query, so an absent server is an error of that query. */
export function openDatabase(options: DatabaseOptions): Database {
  const pool = new pg.Pool({ ...connectionBounds(options.url, options.name), max: options.size });
  pool.on('error', (error) => options.onError?.(error));
  let closing: Promise<void> | undefined;
  return {
    pool,
    orm: drizzle(pool, { schema }),
    async rows<Row extends pg.QueryResultRow>(statement: string, values: readonly unknown[] = []) {
      const result = await pool.query<Row>(statement, [...values]);
      return result.rows;
    },
    close() {
      closing ??= pool.end();
      return closing;
    },
  };
}

/**
 * What every connection to PostgreSQL is opened with: a dead line is noticed by keepalive and by `query_timeout`, a lock
 * or a forgotten transaction cannot hold the fleet up, and 64-bit counts arrive as numbers.
 */
export function connectionBounds(url: string, name: string): pg.PoolConfig {
  return {
    connectionString: url,
    application_name: name,
    connectionTimeoutMillis: 3_000,
    query_timeout: QUERY_TIMEOUT_MS,
    statement_timeout: QUERY_TIMEOUT_MS - 500,
    lock_timeout: 5_000,
    idle_in_transaction_session_timeout: 10_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5_000,
    idleTimeoutMillis: 30_000,
    types: { getTypeParser: (oid, format) => (oid === INT8 ? Number : pg.types.getTypeParser(oid, format)) },
  };
}

const INT8 = 20;
