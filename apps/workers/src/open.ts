import { type OpenProvider, openProviders, parseSettings } from '@belfry/channels/providers.js';
import { alertLimitsOf } from '@belfry/shared/config/alert-settings.js';
import { operatorMailOf } from '@belfry/shared/config/operator-settings.js';
import { loadEnvFile, readSettings } from '@belfry/shared/config/read.js';
import {
  tracingOf,
  type WorkerSettings,
  workerFields,
  workerSettings,
} from '@belfry/shared/config/settings.js';
import { newId } from '@belfry/shared/domain/ids.js';
import type { Message } from '@belfry/shared/domain/message.js';
import { type Database, openDatabase } from '@belfry/shared/ledger/database.js';
import { putInInboxes } from '@belfry/shared/ledger/inbox.js';
import { openEngine } from '@belfry/shared/queue/engine.js';
import { createEnqueuer } from '@belfry/shared/queue/enqueuer.js';
import { openRealtimeBus, type RealtimeBus } from '@belfry/shared/queue/realtime-bus.js';
import { isIdle, namesOf, selectQueues } from '@belfry/shared/queue/topology.js';
import { createBatcher } from '@belfry/shared/service/batcher.js';
import { countEvents } from '@belfry/shared/service/event-metrics.js';
import { createEvents } from '@belfry/shared/service/events.js';
import type { Running } from '@belfry/shared/service/lifecycle.js';
import { listen } from '@belfry/shared/service/listen.js';
import { createLog, type Logger } from '@belfry/shared/service/log.js';
import { createRegistry, showPools } from '@belfry/shared/service/metrics.js';
import { openTracing } from '@belfry/shared/service/open-tracing.js';
import { awaitEngine, awaitSchema } from '@belfry/shared/service/readiness.js';
import { within } from '@belfry/shared/service/within.js';
import { loadCatalogue } from '@belfry/shared/templates/catalogue.js';
import { startUpkeep, type UpkeepOptions } from '@belfry/shared/upkeep/upkeep.js';
import { startWorkers } from './app.js';
import { loadOf } from './concurrency.js';
import { watched } from './watched.js';

export interface WorkerProcess {
  readonly log: Logger;
  readonly running: Running;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Reads the settings, waits for the schema and the engine, and starts the workers that `WORKER_QUEUES` chooses. */
export async function openWorkerProcess(): Promise<WorkerProcess> {
  loadEnvFile();
  const { env } = process;
  const chosen = selectQueues(workerFields.WORKER_QUEUES.parse(env.WORKER_QUEUES || undefined));
  const parsed = parseSettings(env);
  const settings = readSettings(workerSettings, env, [
    ...(isIdle(chosen)
      ? [
          'WORKER_QUEUES matches no queue. Queues are named like email.critical; fanout, escalation and upkeep are three more.',
        ]
      : []),
    ...(parsed.ok ? [] : parsed.problems.map(({ setting, remedy }) => `${setting} ${remedy}`)),
  ]);

  const log = createLog('worker', settings.LOG_LEVEL);
  if (chosen.unknown.length > 0)
    log.warn({ patterns: chosen.unknown }, 'WORKER_QUEUES has patterns that match no queue');
  const registry = createRegistry();
  const events = countEvents(createEvents(log), registry);
  const tracing = await openTracing({
    ...tracingOf(settings, 'worker'),
    onError: (error) => events.connectionFailed({ part: 'trace collector', error }),
  });
  const catalogue = await loadCatalogue(settings.TEMPLATES_DIR);
  const database = openDatabase({
    url: settings.DATABASE_URL,
    name: 'belfry-worker',
    size: settings.DATABASE_POOL,
    onError: (error) => events.connectionFailed({ part: 'database', error }),
  });
  const engine = openEngine({
    redisUrl: settings.REDIS_URL,
    databaseUrl: settings.DATABASE_URL,
    name: 'belfry-worker',
    workers: namesOf(chosen).length,
    telemetry: tracing.telemetry,
    onError: (error) => events.connectionFailed({ part: 'queue', error }),
  });
  showPools(registry, { ledger: database.pool, engine: engine.pool });
  const schema = { ready: false };
  const listening = await listen(watched({ database, engine, registry, migrated: () => schema.ready }), {
    host: settings.WORKER_HOST,
    port: settings.WORKER_PORT,
    setting: 'WORKER_PORT',
    connections: MOST_CONNECTIONS,
  });
  await awaitSchema(database, log);
  schema.ready = true;
  const enqueuer = createEnqueuer(engine, settings.MAX_ATTEMPTS, events);
  // The ledger is kept whole also while the engine is away.
  const upkeep = startUpkeep({ database, engine, enqueuer, events }, upkeepOf(settings));
  await awaitEngine(engine, log);
  const bus = openRealtimeBus({
    engine,
    onError: (error) => events.connectionFailed({ part: 'realtime bus', error }),
  });
  const providers: readonly OpenProvider[] = await openProviders(
    parsed.ok ? parsed.providers : [],
    { putInInbox: inboxOf(database, bus) },
    loadOf(chosen.queues, settings),
  );
  const owner = newId();
  const workers = startWorkers({
    settings,
    owner,
    database,
    engine,
    enqueuer,
    upkeep,
    catalogue,
    providers,
    events,
    tracing,
    chosen,
  });
  return {
    log,
    facts: {
      worker: owner,
      engine: engine.kind,
      metrics: `${listening.url}/metrics`,
      queues: namesOf(chosen),
      providers: providers.map(({ account }) => account),
    },
    running: {
      async stop() {
        await workers.stop();
        await bus.stop();
        const closed = [engine.close(), database.close(), listening.stop(CUT_AFTER_MS), tracing.stop()];
        await within(1_000, Promise.all(closed));
      },
    },
  };
}

function upkeepOf(settings: WorkerSettings): UpkeepOptions {
  return {
    sweepIntervalMs: settings.SWEEP_INTERVAL_MS,
    retrySweepMs: settings.RETRY_SWEEP_MS,
    retentionDays: settings.RETENTION_DAYS,
    escalationStepMs: settings.ESCALATION_STEP_MS,
    operatorMail: operatorMailOf(settings),
    alertLimits: alertLimitsOf(settings),
  };
}

/** Scrapers and probes come one by one. */
const MOST_CONNECTIONS = 200;
/** When stopping: how long an answer that is under way may take. */
const CUT_AFTER_MS = 300;

/** Puts notes into inboxes, many at once, and lets those who stream them know once they are there. */
function inboxOf(database: Database, bus: RealtimeBus): (message: Message<'realtime'>) => Promise<void> {
  const batcher = createBatcher<Message<'realtime'>, true>({
    batch: 300,
    flights: 2,
    waiting: 20_000,
    run: async (messages) => {
      await putInInboxes(database, messages);
      bus.look(messages.map(({ to }) => to));
      return messages.map(() => true);
    },
  });
  return async (message) => {
    await batcher.add(message);
  };
}
