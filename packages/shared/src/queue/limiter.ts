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
}

/** Never limits: the setting is `off`. */
export const UNLIMITED: Limiter = { take: async () => null, giveBack: async () => undefined };

/**
 * On Redis. While Redis is away each process counts by itself, so that a limit never stands in a critical call's way.
 *
 * @param alone the limit of each process meanwhile.
 */
export function redisLimiter(client: Redis, name: string, limit: Limit, alone = limit): Limiter {
  return adapt(
    new RateLimiterRedis({
      storeClient: client,
      keyPrefix: `belfry-limit-${name}`,
      points: limit.points,
      duration: limit.seconds,
      insuranceLimiter: inMemory(alone),
      inMemoryBlockOnConsumed: limit.points + 1,
    }),
  );
}

/** In the ledger's database, in a table that is not logged. Rejects while that is away, unless there is a limit `alone`. */
export function postgresLimiter(pool: pg.Pool, name: string, limit: Limit, alone?: Limit): Limiter {
  return adapt(
    new RateLimiterPostgres({
      storeClient: pool,
      storeType: 'pool',
      schemaName: 'public',
      tableName: 'rate_limit',
      tableCreated: true,
      keyPrefix: name,
      points: limit.points,
      duration: limit.seconds,
      ...(alone === undefined ? {} : { insuranceLimiter: inMemory(alone) }),
      inMemoryBlockOnConsumed: limit.points + 1,
    }),
  );
}

function inMemory({ points, seconds }: Limit): RateLimiterMemory {
  return new RateLimiterMemory({ points, duration: seconds });
}

function adapt(limiter: RateLimiterAbstract): Limiter {
  return {
    async take(key, points = 1) {
      try {
        await limiter.consume(key, points);
        return null;
      } catch (refused) {
        if (refused instanceof RateLimiterRes) return Math.max(1, refused.msBeforeNext);
        throw refused;
      }
    },
    async giveBack(key) {
      await limiter.reward(key, 1);
    },
  };
}
