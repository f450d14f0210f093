import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import pg from 'pg';
import * as schema from './schema.js';

/** Where statements are run: the pool, each in a transaction of its own, or one transaction for several. */
export interface Statements {
  /** For ordinary queries; hot statements are SQL through `rows`. */
  readonly orm: NodePgDatabase<typeof schema>;
  /** Runs one statement and returns its rows. `Row` is the caller's promise about the columns it selects. */
  rows<Row extends pg.QueryResultRow>(statement: string, values?: readonly unknown[]): Promise<Row[]>;
}

/** A connection pool to the ledger, with a bound on everything that could wait. */
export interface Database extends Statements {
  readonly pool: pg.Pool;
  /** Runs several statements in one transaction, which is undone when `work` throws. Nothing in it may wait for a network. */
  transaction<Result>(work: (transaction: Statements) => Promise<Result>): Promise<Result>;
  /** Reads several times from one moment: what is committed meanwhile is not seen. */
  snapshot<Result>(read: (snapshot: Statements) => Promise<Result>): Promise<Result>;
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

/**
 * To price a merge join, the planner looks up the ends of the indexes, and where rows are changed all the time it walks through
 * dead ones there: that takes longer than the statements themselves, none of which is for a merge join.
 */
const PLANNER = '-c enable_mergejoin=off';

/** Opens the pool. Nothing is connected until the first query, so an absent server is an error of that query. */
export function openDatabase(options: DatabaseOptions): Database {
  const pool = openPool(
    { ...connectionBounds(options.url, options.name), options: PLANNER, max: options.size },
    (error) => options.onError?.(error),
  );
  let closing: Promise<void> | undefined;
  return {
    pool,
    ...statementsOn(pool),
    transaction: (work) => inTransaction(pool, 'BEGIN', work),
    snapshot: (read) => inTransaction(pool, 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', read),
    close() {
      closing ??= pool.end();
      return closing;
    },
  };
}

function statementsOn(client: pg.Pool | pg.PoolClient): Statements {
  return {
    orm: drizzle(client, { schema }),
    async rows<Row extends pg.QueryResultRow>(statement: string, values: readonly unknown[] = []) {
      const result = await client.query<Row>(statement, [...values]);
      return result.rows;
    },
  };
}

async function inTransaction<Result>(
  pool: pg.Pool,
  begin: string,
  work: (transaction: Statements) => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query(begin);
    const result = await work(statementsOn(client));
    await client.query('COMMIT');
    return result;
  } catch (error) {
    // A line on which not even this works is given up, and with it what was begun on it.
    await client.query('ROLLBACK').catch((failed: Error) => {
      broken = failed;
    });
    throw error;
  } finally {
    client.release(broken);
  }
}

/**
 * A pool that no broken line ends the process of. While nobody has a connection the pool listens to it; whoever has it is told by
 * the next statement, and until they ask nobody would listen: the server may let a client in and go away in the same breath.
 *
 * @param onError is called for connections that break while nobody uses them.
 */
export function openPool(config: pg.PoolConfig, onError: (error: Error) => void): pg.Pool {
  const pool = new pg.Pool(config);
  pool.on('error', onError);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
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
