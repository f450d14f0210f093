import type { FleetSettings } from '@belfry/shared/config/settings.js';
import { openEngine } from '@belfry/shared/queue/engine.js';
import type { QueueEngine } from '@belfry/shared/queue/queue-engine.js';

/** The engine for a command that ends by itself: what goes wrong is thrown where it is used. */
export function openCommandEngine(settings: FleetSettings): QueueEngine {
  return openEngine({
    redisUrl: settings.REDIS_URL,
    databaseUrl: settings.DATABASE_URL,
    name: 'belfry-command',
    workers: 0,
    onError: () => undefined,
  });
}
