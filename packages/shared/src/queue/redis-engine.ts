import { Queue, Relay, Worker } from 'bullmq';
import { Redis, type RedisOptions } from 'ioredis';
import { ledgerBackoff } from './backoff-strategy.js';
import { bounded, ENGINE_TIMEOUT_MS } from './bounded.js';
import type { JobData } from './jobs.js';
import { redisLimiter } from './limiter.js';
import { createQueueBook } from './queue-book.js';
import {
  adapt,
  type EngineFinding,
  type EngineOptions,
  QueueDown,
  type QueueEngine,
  RELAY_BOUNDS,
  tracedBy,
  WORKER_BOUNDS,
} from './queue-engine.js';

/** Each queue has a slot of its own in a cluster, and no script crosses slots. */
const prefixOf = (queue: string) => `{belfry:${queue}}`;

/** BullMQ on Redis or Valkey. Producers share one connection that fails fast; each worker has its own that waits. */
export function openRedisEngine(options: EngineOptions, url: string): QueueEngine {
  const producer = new Redis(url, {
    ...LINE,
    connectionName: options.name,
    maxRetriesPerRequest: 1,
    enableOfflineQueue: false,
    commandTimeout: ENGINE_TIMEOUT_MS,
  });
  producer.on('error', options.onError);
  producer.setMaxListeners(0);
  const queues = createQueueBook(
    (name) =>
      new Queue(name, {
        connection: producer,
        prefix: prefixOf(name),
        skipVersionCheck: true,
        streams: { events: { maxLen: 1_000 } },
      }),
    options.onError,
  );

  /** Nothing is asked of a line that is down: BullMQ would wait for it. */
  function up(): void {
    if (producer.status !== 'ready') throw new QueueDown('Redis is not connected.');
  }

  return {
    kind: 'redis',
    queue: queues.get,
    async add(name, jobs) {
      up();
      await bounded(queues.get(name).addBulk([...jobs]));
    },
    async alive(name, ids) {
      up();
      const pending = await bounded(Promise.all(ids.map((id) => queues.isPending(name, id))));
      return new Set(ids.filter((_, index) => pending[index] === true));
    },
    async pending(name) {
      up();
      return bounded(queues.pending(name));
    },
    async content(name) {
      up();
      return bounded(queues.content(name));
    },
    pool: undefined,
    work(name, process, { concurrency }) {
      const worker = new Worker<JobData, void>(name, adapt(process), {
        connection: { ...LINE, url, connectionName: options.name, maxRetriesPerRequest: null },
        prefix: prefixOf(name),
        skipVersionCheck: true,
        concurrency,
        ...WORKER_BOUNDS,
        settings: { backoffStrategy: ledgerBackoff },
        ...tracedBy(options),
      });
      worker.on('error', options.onError);
      return worker;
    },
    relay() {
      const relay = new Relay({
        connection: { ...LINE, url, connectionName: options.name, maxRetriesPerRequest: null },
        prefix: 'belfry',
        name: options.name,
        skipVersionCheck: true,
        ...RELAY_BOUNDS,
      });
      relay.on('error', options.onError);
      return relay;
    },
    limiter: (name, limit, options) => redisLimiter(producer, name, limit, options),
    async ping() {
      up();
      await bounded(producer.ping());
    },
    inspect: async () => {
      up();
      return bounded(inspect(producer));
    },
    async migrate() {},
    async close() {
      await bounded(queues.close()).catch(options.onError);
      producer.disconnect();
    },
  };
}

/** A line to Redis comes back within half a second of Redis, and a silent one is noticed. */
const LINE = {
  retryStrategy: (times: number) => Math.min(50 * times, 500),
  reconnectOnError: (error: Error) => (error.message.startsWith('READONLY') ? 2 : false),
  connectTimeout: 3_000,
  keepAlive: 5_000,
  socketTimeout: 12_000,
} satisfies RedisOptions;

/** What this Redis would do to our jobs: evict them, or forget them when it stops. */
async function inspect(redis: Redis): Promise<EngineFinding[]> {
  const findings: EngineFinding[] = [];
  const policy = /maxmemory_policy:(\S+)/.exec(await redis.info('memory'))?.[1];
  if (policy !== undefined && policy !== 'noeviction') {
    findings.push({
      level: 'error',
      finding: `Redis may throw away jobs and locks: its maxmemory-policy is ${policy}.`,
      remedy:
        'Set "maxmemory-policy noeviction" in redis.conf, or run: redis-cli CONFIG SET maxmemory-policy noeviction',
    });
  }
  if (/aof_enabled:0/.test(await redis.info('persistence'))) {
    findings.push({
      level: 'warning',
      finding: 'Redis has no append-only file: after a restart every queue must be rebuilt from the ledger.',
      remedy: 'Set "appendonly yes" in redis.conf, or run: redis-cli CONFIG SET appendonly yes',
    });
  }
  return findings;
}
