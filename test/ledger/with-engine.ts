import { newId } from '@belfry/shared/domain/ids.js';
import { openEngine } from '@belfry/shared/queue/engine.js';
import { createEnqueuer, type Enqueuer } from '@belfry/shared/queue/enqueuer.js';
import type { QueueEngine } from '@belfry/shared/queue/queue-engine.js';
import { createEvents, type Events } from '@belfry/shared/service/events.js';
import { createLog } from '@belfry/shared/service/log.js';

/** Events that nobody hears. */
export const SILENT: Events = createEvents(createLog('test', 'silent'));

/** A real engine: Redis when there is a URL for it, otherwise PostgreSQL. What goes wrong shows where it is used. */
export function openTestEngine(databaseUrl: string, redisUrl: string | undefined): QueueEngine {
  return openEngine({ redisUrl, databaseUrl, name: `test-${newId()}`, workers: 1, onError: () => undefined });
}

/** An enqueuer on it. */
export function enqueuerOn(engine: QueueEngine): Enqueuer {
  return createEnqueuer(engine, 3, SILENT);
}
