import { setTimeout as sleep } from 'node:timers/promises';
import {
  type BackendFactory,
  createPostgresBackend,
  createPostgresRelayBackend,
  isPgPool,
  type PgPool,
  type PostgresConnectionOptions,
  type PostgresQueueBackend,
  Queue,
  Relay,
  runMigrations,
  Worker,
} from 'bullmq';
import type pg from 'pg';
import { connectionBounds, openPool } from '../ledger/database.js';
import { isOutage } from '../ledger/outage.js';
import { ledgerBackoff } from './backoff-strategy.js';
import { bounded } from './bounded.js';
import type { JobData } from './jobs.js';
import { postgresLimiter } from './limiter.js';
import { createListenLine } from './listen-line.js';
import { addingBackend, createSparing } from './postgres-adding.js';
import { createQueueBook } from './queue-book.js';
import {
  adapt,
  type EngineOptions,
  type QueueEngine,
  RELAY_BOUNDS,
  tracedBy,
  WORKER_BOUNDS,
} from './queue-engine.js';

/** The schema that BullMQ keeps its tables in, beside the ledger's own in the same database. */
const SCHEMA = 'bullmq';
/** Connections for queries, beside the one that all workers listen on, and the relay's. */
const QUERY_CONNECTIONS = 6;
/** The relay listens on one connection of its own. */
const RELAY_CONNECTIONS = 1;
/** How many questions about single jobs are on their way at once. */
const LOOKUPS = QUERY_CONNECTIONS;
/** A worker looks for itself at least this often, in seconds, whatever notifications a dead line may have swallowed. */
const LONGEST_SLEEP_S = 5;
const OUTAGE_PAUSE_MS = 500;

/** BullMQ's own PostgreSQL backend, in the ledger's database. All queues of a process share one pool. */
export function openPostgresEngine(options: EngineOptions): QueueEngine {
  const pool = asBackendPool(
    openPool(
      {
        ...connectionBounds(options.databaseUrl, options.name),
        // BullMQ reads 64-bit numbers as text, so it gets node-postgres' own parsers.
        types: undefined,
        options: `-c search_path=${SCHEMA}`,
        max: QUERY_CONNECTIONS + RELAY_CONNECTIONS + (options.workers > 0 ? 1 : 0),
      },
      options.onError,
    ),
  );
  // Every worker and queue adds its own listeners to the pool they share.
  pool.setMaxListeners(0);
  const line = createListenLine(pool, options.onError);
  const sparing = createSparing();
  const queues = createQueueBook((name) => {
    const opened: unknown = new Queue(name, { connection: pool }, addingBackend);
    // Its type names its backend; to everybody else a queue is a queue.
    if (!(opened instanceof Queue)) throw new Error('BullMQ made something that is not a queue.');
    return opened;
  }, options.onError);

  return {
    kind: 'postgres',
    queue: queues.get,
    async add(name, jobs) {
      await bounded(queues.get(name).addBulk(sparing(name, jobs)));
    },
    async alive(name, ids) {
      const found = new Set<string>();
      const unasked = [...ids];
      const ask = async () => {
        for (let id = unasked.pop(); id !== undefined; id = unasked.pop()) {
          if (await queues.isPending(name, id)) found.add(id);
        }
      };
      await Promise.all(Array.from({ length: LOOKUPS }, ask));
      return found;
    },
    pending: queues.pending,
    content: queues.content,
    pool,
    work(name, process, { concurrency }) {
      const worker = new Worker<
        JobData,
        void,
        string,
        PostgresQueueBackend,
        never,
        PostgresConnectionOptions
      >(
        name,
        adapt(process),
        {
          connection: pool,
          concurrency,
          ...WORKER_BOUNDS,
          settings: { backoffStrategy: ledgerBackoff },
          ...tracedBy(options),
        },
        (...request) => {
          const backend = watchfulBackend(...request);
          line.lendTo(backend.connection);
          return backend;
        },
      );
      worker.on('error', options.onError);
      return worker;
    },
    relay() {
      const relay = new Relay<PostgresConnectionOptions>({
        connection: pool,
        backend: createPostgresRelayBackend,
        name: options.name,
        ...RELAY_BOUNDS,
      });
      relay.on('error', options.onError);
      return relay;
    },
    limiter: (name, limit, options) => postgresLimiter(pool, name, limit, options),
    async ping() {
      await bounded(pool.query('SELECT 1'));
    },
    async inspect() {
      return [];
    },
    async migrate(client) {
      await runMigrations(client, SCHEMA);
    },
    async close() {
      await queues.close();
      line.close();
      await pool.end();
    },
  };
}

/** BullMQ describes the pool it takes in types of its own; this is its own check for it. */
function asBackendPool(pool: pg.Pool): pg.Pool & PgPool {
  if (!isPgPool(pool)) throw new Error('BullMQ does not recognise this version of node-postgres.');
  return pool;
}

/**
 * The backend, but never asleep for long: by itself it sleeps up to an hour when the next delayed job is far away, and
 * on a line that died silently no notification would wake it.
 */
const watchfulBackend: BackendFactory<PostgresQueueBackend, PostgresConnectionOptions> = (
  name,
  opts,
  factory,
) => {
  const backend = createPostgresBackend(name, opts, factory);
  Object.defineProperty(backend, 'maximumBlockTimeout', { value: LONGEST_SLEEP_S });
  const fetch = backend.moveToActive.bind(backend);
  backend.moveToActive = async (...request) => {
    try {
      return await fetch(...request);
    } catch (error) {
      // A worker that has work asks again at once; while the server restarts, that would be all it does.
      if (isOutage(error)) await sleep(OUTAGE_PAUSE_MS);
      throw error;
    }
  };
  return backend;
};
