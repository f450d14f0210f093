import { parseArgs } from 'node:util';
import { webhookUrl } from '@belfry/shared/channels/fields.js';
import { loadEnvFile, readSettings } from '@belfry/shared/config/read.js';
import { fleetSettings } from '@belfry/shared/config/settings.js';
import { openDatabase } from '@belfry/shared/ledger/database.js';
import { findPerson, putPerson } from '@belfry/shared/ledger/people.js';
import type { PersonChange } from '@belfry/shared/ledger/write-people.js';
import { INTERRUPTED, orExit, StartRefused } from '@belfry/shared/service/or-exit.js';

const ADDIS = 'Africa/Addis_Ababa';

/** Three people for a look around: each reads another language, two of them want text messages. */
const DEMO: readonly { id: string; change: PersonChange; sms: boolean }[] = [
  {
    id: 'abebe',
    change: {
      email: 'abebe@example.com',
      phone: '+251911000001',
      locale: 'am',
      timezone: ADDIS,
      groups: ['tenants'],
    },
    sms: true,
  },
  {
    id: 'chaltu',
    change: {
      email: 'chaltu@example.com',
      phone: '+251911000002',
      locale: 'om',
      timezone: ADDIS,
      groups: ['tenants'],
    },
    sms: true,
  },
  {
    id: 'sara',
    change: {
      email: 'sara@example.com',
      phone: '+251911000003',
      locale: 'en',
      timezone: ADDIS,
      roles: ['admin'],
    },
    sms: false,
  },
];

const SEED = { sub: 'seed', role: 'system' };

const USAGE = 'Usage: npm run seed -- [--webhooks <url>] [--json]';

/**
 * `npm run seed [-- --webhooks <url>]`: adds the demo people; they stay as they are when they are there already. With an
 * address, each has a webhook below it.
 */
await orExit(async () => {
  const { webhooks, json } = argumentsGiven();
  loadEnvFile();
  const settings = readSettings(fleetSettings);
  const database = openDatabase({ url: settings.DATABASE_URL, name: 'belfry-seed', size: 2 });
  const answer = { added: [] as string[], known: [] as string[] };
  for (const { id, change, sms } of DEMO) {
    const known = (await findPerson(database, id)) !== null;
    if (!known) {
      const hook = webhooks === undefined ? {} : { webhookUrl: `${webhooks}/${id}` };
      await putPerson(database, id, { ...change, ...hook, preferences: { sms } }, SEED);
    }
    answer[known ? 'known' : 'added'].push(id);
    if (!json) console.log(`${known ? 'known' : 'added'} ${id}`);
  }
  if (json) console.log(JSON.stringify(answer));
  await database.close();
}, INTERRUPTED);

function argumentsGiven(): { readonly webhooks: string | undefined; readonly json: boolean } {
  try {
    const { webhooks, json = false } = parseArgs({
      options: { webhooks: { type: 'string' }, json: { type: 'boolean' } },
    }).values;
    return { webhooks: webhookUrl.optional().parse(webhooks)?.replace(/\/$/, ''), json };
  } catch {
    throw new StartRefused(USAGE);
  }
}
