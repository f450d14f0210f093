import assert from 'node:assert/strict';
import { after } from 'node:test';
import { newId } from '@belfry/shared/domain/ids.js';
import { migrateLedger } from '@belfry/shared/ledger/migrate.js';
import { openEngine } from '@belfry/shared/queue/engine.js';
import { createEnqueuer, type Enqueuer } from '@belfry/shared/queue/enqueuer.js';
import type { QueueEngine } from '@belfry/shared/queue/queue-engine.js';
import { createEvents, type Events } from '@belfry/shared/service/events.js';
import { createLog } from '@belfry/shared/service/log.js';
import type { EngineName } from '../support/engines.js';
import { startRedis, type TestRedis } from '../support/redis.js';
import { waitFor } from '../support/wait.js';
import { withLedger } from './with-ledger.js';

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

/** A ledger and an engine that answers, for a whole suite; what it gives is there once the suite runs. */
export function withEngine(engineName: EngineName) {
  let redis: TestRedis | undefined;
  let opened: { engine: QueueEngine; enqueuer: Enqueuer } | undefined;
  const ledger = withLedger(async (url) => {
    redis = engineName === 'redis' ? await startRedis({ appendonly: false }) : undefined;
    const engine = openTestEngine(url, redis?.url);
    opened = { engine, enqueuer: enqueuerOn(engine) };
    await migrateLedger(url, (client) => engine.migrate(client));
    await waitFor(() => engine.ping().then(() => true));
  });
  after(async () => {
    await opened?.engine.close();
    await redis?.stop();
  });
  const parts = () => opened ?? assert.fail('The engine is not open yet.');
  return {
    ledger,
    get engine() {
      return parts().engine;
    },
    get enqueuer() {
      return parts().enqueuer;
    },
    /** Undefined on PostgreSQL. */
    get redis() {
      return redis;
    },
  };
}
