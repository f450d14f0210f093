import type { Limit } from '@belfry/shared/config/fields.js';
import { PACED } from '@belfry/shared/domain/outcome.js';
import { type Limiter, type LimiterOptions, UNLIMITED } from '@belfry/shared/queue/limiter.js';

/** How fast one account may be used, over the whole fleet: by our own limit, and by the provider's wishes. */
export interface Pace {
  /** Asks for a place. Undefined when there is one now. Never fails, and waits for nothing but its store, which is bounded. */
  refusal(): Promise<Slower | undefined>;
  /** The provider asked everybody to leave it alone for so long, in milliseconds. */
  pause(ms: number): void;
}

/** There is no place now, and when to come back, in milliseconds. */
export interface Slower {
  /** `paced`: by our own limit. `paused`: the provider asked for it. */
  readonly refused: typeof PACED | 'paused';
  readonly afterMs: number;
}

/** Makes limits that count over all processes: `QueueEngine.limiter`. */
export type MakeLimiter = (name: string, limit: Limit, options?: LimiterOptions) => Limiter;

/** A store is asked for the pauses of others this often, in milliseconds: an ordinary send asks nobody. */
const REFRESH_MS = 1_000;
/** What waited for the end of a pause comes back over so long, in milliseconds, and not at once. */
const SPREAD_MS = 5_000;
/** A pause is one point too many for so long. */
const PAUSE: Limit = { points: 1, seconds: 1 };

/** For an account whose recipients have servers of their own: each asks to go slower for itself. */
export const UNPACED: Pace = { refusal: async () => undefined, pause: () => undefined };

/** Without `makeLimiter` only this process's own pauses count. */
export function createPace(
  account: string,
  rate: Limit | null,
  makeLimiter: MakeLimiter = () => UNLIMITED,
): Pace {
  const limiter = rate === null ? UNLIMITED : makeLimiter('pace', rate, { queueing: true });
  const pauses = makeLimiter('pause', PAUSE, { queueing: true });
  // By the process's monotonic clock.
  let pausedUntil = 0;
  let refreshedAt = Number.NEGATIVE_INFINITY;

  let refreshing: Promise<void> | undefined;

  /** One asks for all who come meanwhile: nobody slips through on what was known before. */
  async function known(): Promise<void> {
    if (performance.now() - refreshedAt < REFRESH_MS) return;
    refreshing ??= refresh();
    await refreshing;
  }

  async function refresh(): Promise<void> {
    // While the store is away, each process keeps to what it was told itself.
    const ms = await pauses.blockedMs(account).catch(() => 0);
    const now = performance.now();
    pausedUntil = Math.max(pausedUntil, now + ms);
    refreshedAt = now;
    refreshing = undefined;
  }

  return {
    async refusal() {
      await known();
      const left = pausedUntil - performance.now();
      if (left > 0) {
        return { refused: 'paused', afterMs: Math.ceil(left + Math.random() * Math.min(left, SPREAD_MS)) };
      }
      const afterMs = await limiter.take(account).catch(() => null);
      return afterMs === null ? undefined : { refused: PACED, afterMs };
    },
    pause(ms) {
      if (ms <= 0) return;
      pausedUntil = Math.max(pausedUntil, performance.now() + ms);
      void pauses.block(account, ms).catch(() => undefined);
    },
  };
}
