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
}

/** Never limits: the setting is `off`. */
export const UNLIMITED: Limiter = { take: async () => null };

/** On Redis. While Redis is away each process counts by itself, so that a limit never stands in a critical call's way. */
export function redisLimiter(client: Redis, name: string, limit: Limit): Limiter {
  return adapt(
    new RateLimiterRedis({
      storeClient: client,
      keyPrefix: `belfry-limit-${name}`,
      points: limit.points,
      duration: limit.seconds,
      insuranceLimiter: new RateLimiterMemory({ points: limit.points, duration: limit.seconds }),
      inMemoryBlockOnConsumed: limit.points + 1,
    }),
  );
}

/** In the ledger's database, in a table that is not logged. */
export function postgresLimiter(pool: pg.Pool, name: string, limit: Limit): Limiter {
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
      inMemoryBlockOnConsumed: limit.points + 1,
    }),
  );
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
  };
}
