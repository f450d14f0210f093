import type { Redis } from 'ioredis';
import type pg from 'pg';
import {
  type RateLimiterAbstract,
  RateLimiterMemory,
  RateLimiterPostgres,
  RateLimiterRedis,
  RateLimiterRes,
} from 'rate-limiter-flexible';
import type { Limit } from '../config/fields.js';

/** Counts calls over all processes of the fleet. */
export interface Limiter {
  /** Takes points. Null when there were enough, otherwise how long to wait, in milliseconds. */
  take(key: string, points?: number): Promise<number | null>;
  /** Gives one point back that turned out not to count. */
  giveBack(key: string): Promise<void>;
  /** Lets nobody pass for so long, whatever is left, in milliseconds (rounded up to a second). */
  block(key: string, ms: number): Promise<void>;
  /** For how long nobody passes yet, in milliseconds; 0 when somebody does. Takes nothing. */
  blockedMs(key: string): Promise<number>;
}

export interface LimiterOptions {
  /**
   * For work that waits and comes back, rather than calls that are refused: whoever is told to wait is told a time of its
   * own, spread evenly over the coming windows, and while the store is away each process counts by itself.
   */
  readonly queueing?: boolean;
  /** What each process allows by itself while they cannot be counted together; on Redis the limit itself when not given. */
  readonly alone?: Limit;
}

/** Never limits: the setting is `off`. */
export const UNLIMITED: Limiter = {
  take: async () => null,
  giveBack: async () => undefined,
  block: async () => undefined,
  blockedMs: async () => 0,
};

/** On Redis. While Redis is away each process counts by itself, so that a limit never stands in a critical call's way. */
export function redisLimiter(
  client: Redis,
  name: string,
  limit: Limit,
  options: LimiterOptions = {},
): Limiter {
  const limiter = new RateLimiterRedis({
    storeClient: client,
    keyPrefix: `belfry-limit-${name}`,
    insuranceLimiter: byItself(options.alone ?? limit),
    ...boundsOf(limit, options),
  });
  return adapt(limiter, limit, options);
}

/**
 * In the ledger's database, in a table that is not logged. Rejects while that is away, unless it is for work that waits or
 * there is a limit `alone`.
 */
export function postgresLimiter(
  pool: pg.Pool,
  name: string,
  limit: Limit,
  options: LimiterOptions = {},
): Limiter {
  // A call needs the database anyway; what waits for a provider does not.
  const alone = options.alone ?? (options.queueing === true ? limit : undefined);
  const limiter = new RateLimiterPostgres({
    storeClient: pool,
    storeType: 'pool',
    schemaName: 'public',
    tableName: 'rate_limit',
    tableCreated: true,
    keyPrefix: name,
    ...(alone === undefined ? {} : { insuranceLimiter: byItself(alone) }),
    ...boundsOf(limit, options),
  });
  return adapt(limiter, limit, options);
}

/** In this process alone: for what has to be refused without asking anybody. */
export function memoryLimiter(limit: Limit): Limiter {
  return adapt(byItself(limit), limit, {});
}

function byItself(limit: Limit): RateLimiterMemory {
  return new RateLimiterMemory({ points: limit.points, duration: limit.seconds });
}

function boundsOf(limit: Limit, { queueing = false }: LimiterOptions) {
  return {
    points: limit.points,
    duration: limit.seconds,
    // A caller who was refused is refused from memory. It would not say how far beyond the limit everybody is by then.
    ...(queueing ? {} : { inMemoryBlockOnConsumed: limit.points + 1 }),
  };
}

function adapt(limiter: RateLimiterAbstract, limit: Limit, { queueing = false }: LimiterOptions): Limiter {
  return {
    async take(key, points = 1) {
      try {
        await limiter.consume(key, points);
        return null;
      } catch (refused) {
        if (!(refused instanceof RateLimiterRes)) throw refused;
        return Math.max(1, queueing ? turnAfter(refused, limit) : refused.msBeforeNext);
      }
    },
    async giveBack(key) {
      await limiter.reward(key, 1);
    },
    async block(key, ms) {
      // Redis is told whole seconds, and takes none for "for ever".
      await limiter.block(key, Math.max(1, Math.ceil(ms / 1_000)));
    },
    async blockedMs(key) {
      const left = await limiter.get(key);
      return left !== null && left.consumedPoints > limit.points ? Math.max(0, left.msBeforeNext) : 0;
    },
  };
}

/**
 * When it is the turn of somebody who came too late for this window: those beyond the limit are dealt out to the next
 * windows, as many to each as it has room for, and within it evenly, so that they do not all come at its first moment.
 */
export function turnAfter(
  { consumedPoints, msBeforeNext }: Pick<RateLimiterRes, 'consumedPoints' | 'msBeforeNext'>,
  { points, seconds }: Limit,
): number {
  const windowMs = seconds * 1_000;
  const beyond = Math.max(1, consumedPoints - points) - 1;
  return Math.ceil(Math.max(0, msBeforeNext) + (beyond / points) * windowMs);
}
