import { openPostgresEngine } from './postgres-engine.js';
import type { EngineOptions, QueueEngine } from './queue-engine.js';
import { openRedisEngine } from './redis-engine.js';

/**
 * Opens the engine that the settings ask for; nothing has to be reachable yet. This file is the only one that knows that
 * there are two: everything else asks a `QueueEngine` for queues and workers.
 */
export function openEngine(options: EngineOptions): QueueEngine {
  return options.redisUrl === undefined
    ? openPostgresEngine(options)
    : openRedisEngine(options, options.redisUrl);
}
