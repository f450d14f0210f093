import { parseSettings } from '@belfry/channels/providers.js';
import { checkEngine, checkProviders, checkSettings, checkTemplates, type Finding } from './checkup.js';
import { checkAlerting } from './checkup-alerting.js';
import { checkDatabase } from './checkup-database.js';
import { checkPort } from './checkup-port.js';

const CHECKS = [
  checkSettings,
  checkTemplates,
  checkDatabase,
  checkEngine,
  checkProviders(parseSettings),
  checkAlerting,
  checkPort,
];

/** Looks at everything that Belfry would need with these settings, one part after the other, and gives what it finds at once. */
export async function* examine(env: NodeJS.ProcessEnv): AsyncGenerator<Finding, void> {
  for (const check of CHECKS) yield* await check(env);
}
