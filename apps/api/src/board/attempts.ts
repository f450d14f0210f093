import { Refusal } from '@belfry/shared/domain/refusal.js';
import type { QueueEngine } from '@belfry/shared/queue/queue-engine.js';
import { keyOf } from '../middleware/limiter-key.js';

/** Wrong sign-ins from one address, and from all of them together, counted over all API processes. */
const FROM_ONE = { points: 10, seconds: 300 };
const FROM_ALL = { points: 100, seconds: 300 };
/** What each process allows by itself while nobody can count them together. */
const ALONE = { points: 3, seconds: 300 };
const EVERYBODY = 'everybody';

/** Limits how often a sign-in may be wrong. */
export interface Attempts {
  /** Counts an attempt before it is looked at, so that many at once cannot slip through. Throws `rate_limited`. */
  begin(address: string): Promise<void>;
  /** It was right after all, so it does not count. */
  succeeded(address: string): Promise<void>;
}

/**
 * Goes by the address at the other end of the connection, never by what a header claims. Behind a proxy that is the
 * proxy's, and everybody shares one limit: the safe side.
 */
export function createAttempts(engine: QueueEngine): Attempts {
  const one = engine.limiter('board-sign-in', FROM_ONE, { alone: ALONE });
  const all = engine.limiter('board-sign-ins', FROM_ALL, { alone: ALONE });
  return {
    async begin(address) {
      const waitMs = (await one.take(keyOf(address))) ?? (await all.take(EVERYBODY));
      if (waitMs !== null) throw new Refusal('rate_limited', TOO_OFTEN, { retryAfterMs: waitMs });
    },
    async succeeded(address) {
      await Promise.all([one.giveBack(keyOf(address)), all.giveBack(EVERYBODY)]);
    },
  };
}

const TOO_OFTEN = 'Too Many Requests: too many sign-ins were wrong. Try again later.';
