import { loadEnvFile, readSettings } from '@belfry/shared/config/read.js';
import { fleetSettings } from '@belfry/shared/config/settings.js';
import { migrateLedger } from '@belfry/shared/ledger/migrate.js';
import { INTERRUPTED, orExit } from '@belfry/shared/service/or-exit.js';
import { openCommandEngine } from './command-engine.js';
import { asksForJson } from './json-answer.js';

/** `npm run migrate`: brings the schema up to this build. */
await orExit(async () => {
  loadEnvFile();
  const settings = readSettings(fleetSettings);
  const engine = openCommandEngine(settings);
  await migrateLedger(settings.DATABASE_URL, (client) => engine.migrate(client));
  await engine.close();
  console.log(asksForJson() ? JSON.stringify({ migrated: true }) : 'The schema is up to date.');
}, INTERRUPTED);
