import type { ApiSettings } from '@belfry/shared/config/settings.js';
import { Refusal } from '@belfry/shared/domain/refusal.js';
import { type Limiter, UNLIMITED } from '@belfry/shared/queue/limiter.js';
import type { QueueEngine } from '@belfry/shared/queue/queue-engine.js';
import type { Events } from '@belfry/shared/service/events.js';
import type { RequestHandler } from 'express';
import { callerOf } from './authenticate.js';
import { keyOf } from './limiter-key.js';

/** The limits of the API. They go by the token, never by an address that a header claims. */
export interface Limits {
  /** For every call. */
  readonly calls: RequestHandler;
  /** The same for what is no ordinary call, such as a WebSocket and what is said on it. */
  call(caller: string): Promise<void>;
  /** For every notification: one caller to one person. */
  notification(caller: string, person: string): Promise<void>;
  /** For every call of an alert source. */
  inbound(source: string): Promise<void>;
}

export function createLimits(settings: ApiSettings, engine: QueueEngine, events: Events): Limits {
  const calls = settings.RATE_LIMIT === null ? UNLIMITED : engine.limiter('calls', settings.RATE_LIMIT);
  const sends =
    settings.RATE_LIMIT_SEND === null ? UNLIMITED : engine.limiter('sends', settings.RATE_LIMIT_SEND);
  const inbound =
    settings.RATE_LIMIT_INBOUND === null ? UNLIMITED : engine.limiter('inbound', settings.RATE_LIMIT_INBOUND);
  async function take(limit: keyof typeof SENTENCES, limiter: Limiter, key: string): Promise<void> {
    const waitMs = await limiter.take(key);
    if (waitMs === null) return;
    events.rateLimited({ limit });
    throw new Refusal('rate_limited', SENTENCES[limit], { retryAfterMs: waitMs });
  }
  const call = (caller: string) => take('calls', calls, keyOf(caller));
  return {
    calls: async (req, _res, next) => {
      await call(callerOf(req).sub);
      next();
    },
    call,
    notification: (caller, person) => take('notifications', sends, keyOf(caller, person)),
    inbound: (source) => take('inbound', inbound, keyOf(source)),
  };
}

const SENTENCES = {
  calls: 'Too Many Requests: you have called too often.',
  notifications: 'Too Many Requests: you have notified this person too often.',
  inbound: 'Too Many Requests: this alert source has called too often.',
} as const;
