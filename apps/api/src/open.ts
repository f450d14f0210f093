import { setTimeout as sleep } from 'node:timers/promises';
import { loadEnvFile, readSettings } from '@belfry/shared/config/read.js';
import { watchOf } from '@belfry/shared/config/self-watch-settings.js';
import { ADVISED_SECRET, type ApiSettings, apiSettings, tracingOf } from '@belfry/shared/config/settings.js';
import { type Database, openDatabase } from '@belfry/shared/ledger/database.js';
import { isMigrated, migrateLedger } from '@belfry/shared/ledger/migrate.js';
import { createNotifier } from '@belfry/shared/notify/notifier.js';
import { openEngine } from '@belfry/shared/queue/engine.js';
import { createEnqueuer } from '@belfry/shared/queue/enqueuer.js';
import type { QueueEngine } from '@belfry/shared/queue/queue-engine.js';
import { startSelfWatch } from '@belfry/shared/selfwatch/self-watch.js';
import { countEvents } from '@belfry/shared/service/event-metrics.js';
import { createEvents } from '@belfry/shared/service/events.js';
import type { Running } from '@belfry/shared/service/lifecycle.js';
import { listen } from '@belfry/shared/service/listen.js';
import { createLog, type Logger } from '@belfry/shared/service/log.js';
import { createRegistry, showPools } from '@belfry/shared/service/metrics.js';
import { openTracing } from '@belfry/shared/service/open-tracing.js';
import { within } from '@belfry/shared/service/within.js';
import { loadCatalogue } from '@belfry/shared/templates/catalogue.js';
import { createApp } from './app.js';
import { openDirectory } from './directory.js';
import { inspectEngine } from './inspect-engine.js';
import { startListening } from './listening.js';
import { LONGEST_MS, limitArrival } from './middleware/arrival.js';
import { createAuthenticator } from './middleware/authenticate.js';
import { createLimits } from './middleware/limits.js';
import type { Door } from './mqtt/door.js';
import { createRealtime } from './realtime/realtime.js';

export interface ApiProcess {
  readonly log: Logger;
  readonly running: Running;
  readonly facts: Readonly<Record<string, unknown>>;
  /** Resolves when the process must not go on, with a word for why. */
  readonly failed: Promise<string>;
}

/**
 * Reads the settings and serves the API. It serves at once, whether or not its databases are there: `/health` answers,
 * `/ready` says what is missing, and calls get 503 until the schema is up to date. Resolves when they no longer do.
 */
export async function openApiProcess(): Promise<ApiProcess> {
  loadEnvFile();
  const settings = readSettings(apiSettings);
  const log = createLog('api', settings.LOG_LEVEL);
  if ((settings.JWT_SECRET?.length ?? ADVISED_SECRET) < ADVISED_SECRET) {
    log.warn(
      { remedy: `Set JWT_SECRET to at least ${ADVISED_SECRET} random characters.` },
      'JWT_SECRET is short',
    );
  }
  const registry = createRegistry();
  const events = countEvents(createEvents(log), registry);
  const tracing = await openTracing({
    ...tracingOf(settings, 'api'),
    onError: (error) => events.connectionFailed({ part: 'trace collector', error }),
  });
  const catalogue = await loadCatalogue(settings.TEMPLATES_DIR);
  const database = openDatabase({
    url: settings.DATABASE_URL,
    name: 'belfry-api',
    size: settings.DATABASE_POOL,
    onError: (error) => events.connectionFailed({ part: 'database', error }),
  });
  const engine = openEngine({
    redisUrl: settings.REDIS_URL,
    databaseUrl: settings.DATABASE_URL,
    name: 'belfry-api',
    workers: 0,
    onError: (error) => events.connectionFailed({ part: 'queue', error }),
  });
  showPools(registry, { ledger: database.pool, engine: engine.pool });
  const enqueuer = createEnqueuer(engine, settings.MAX_ATTEMPTS, events, tracing);
  const directory = openDirectory(settings, database, events);
  const notifier = createNotifier({ database, catalogue, enqueuer, events, directory, tracing });
  const schema = { ready: false };
  const migrated = () => schema.ready;
  const authenticator = createAuthenticator(settings);
  const limits = createLimits(settings, engine, events);
  const realtime = createRealtime({
    settings,
    database,
    engine,
    authenticator,
    limits,
    log,
    events,
    registry,
    migrated,
  });
  const ending = new AbortController();
  const doors: { mqtt?: Door } = {};
  const app = createApp({
    settings,
    database,
    engine,
    catalogue,
    enqueuer,
    notifier,
    log,
    events,
    registry,
    tracing,
    authenticator,
    limits,
    realtime,
    migrated,
    mqtt: () => settings.MQTT_URL === undefined || doors.mqtt?.isUp() === true,
    ending: ending.signal,
  });
  const listening = await listen(app, {
    host: settings.HOST,
    port: settings.PORT,
    setting: 'PORT',
    connections: MOST_CONNECTIONS,
    requestMs: LONGEST_MS,
    prepare: (server) => {
      limitArrival(server);
      realtime.acceptOn(server);
    },
  });
  log.info({ url: listening.url }, 'listening');
  await prepareSchema(settings, database, engine, log);
  schema.ready = true;
  realtime.start();
  if (settings.MQTT_URL !== undefined) {
    // Most have no broker, and need not load what speaks to one.
    const { openDoor } = await import('./mqtt/door.js');
    doors.mqtt = openDoor({ url: settings.MQTT_URL, settings, database, app, events });
  }
  const ears = startListening(database, events);
  const selfWatch = startSelfWatch({ database, enqueuer, events }, watchOf(settings));
  const inspection = await inspectEngine(engine, log);
  return {
    log,
    facts: { url: listening.url, engine: engine.kind },
    failed: inspection.refused,
    running: {
      async stop() {
        ending.abort();
        const inspected = inspection.stop();
        await Promise.all([realtime.stop(), ears.stop(), doors.mqtt?.stop(4_000), listening.stop(5_000)]);
        await within(500, Promise.all([inspected, selfWatch.stop()]));
        await within(2_000, notifier.idle());
        await within(1_500, Promise.all([engine.close(), database.close(), tracing.stop()]));
      },
    },
  };
}

const MOST_CONNECTIONS = 10_000;
const PAUSE_MS = 500;

/** Migrates, or waits until somebody else has; goes on trying while the database is away. */
async function prepareSchema(
  settings: ApiSettings,
  database: Database,
  engine: QueueEngine,
  log: Logger,
): Promise<void> {
  for (let told = false; ; ) {
    try {
      if (settings.MIGRATE === 'on')
        await migrateLedger(settings.DATABASE_URL, (client) => engine.migrate(client));
      if (await isMigrated(database.pool)) return;
    } catch (error) {
      if (!told) log.warn({ err: error }, 'waiting for the database');
      told = true;
    }
    await sleep(PAUSE_MS);
  }
}
