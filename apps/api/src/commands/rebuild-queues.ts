import { loadEnvFile, readSettings } from '@belfry/shared/config/read.js';
import { fleetSettings } from '@belfry/shared/config/settings.js';
import { recordAudit } from '@belfry/shared/ledger/audit.js';
import { openDatabase } from '@belfry/shared/ledger/database.js';
import { createEnqueuer } from '@belfry/shared/queue/enqueuer.js';
import { createEvents } from '@belfry/shared/service/events.js';
import { createLog } from '@belfry/shared/service/log.js';
import { INTERRUPTED, orExit } from '@belfry/shared/service/or-exit.js';
import { awaitEngine } from '@belfry/shared/service/readiness.js';
import { reconcile } from '@belfry/shared/upkeep/reconcile.js';
import { openCommandEngine } from './command-engine.js';
import { asksForJson } from './json-answer.js';

/** `npm run rebuild-queues`: gives every due row without a job one, at once. Running it again makes nothing twice. */
await orExit(async () => {
  loadEnvFile();
  const settings = readSettings(fleetSettings);
  // With --json nothing but the answer may be on stdout.
  const log = createLog('rebuild-queues', asksForJson() ? 'silent' : settings.LOG_LEVEL);
  const database = openDatabase({ url: settings.DATABASE_URL, name: 'belfry-rebuild', size: 4 });
  const engine = openCommandEngine(settings);
  await awaitEngine(engine, log);
  const events = createEvents(log);
  const enqueuer = createEnqueuer(engine, settings.MAX_ATTEMPTS, events);
  const made = await reconcile({ database, engine, enqueuer, events }, { graceMs: 0, thorough: true });
  const actor = { sub: 'npm run rebuild-queues', role: 'system' };
  await recordAudit(database, {
    actor,
    action: 'queues.rebuild',
    target: null,
    details: { deliveries: made },
  });
  console.log(
    asksForJson()
      ? JSON.stringify({ requeued: made })
      : `${made} ${made === 1 ? 'delivery' : 'deliveries'} had no job and got one.`,
  );
  await Promise.all([engine.close(), database.close()]);
}, INTERRUPTED);
