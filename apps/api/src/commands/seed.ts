import { loadEnvFile, readSettings } from '@belfry/shared/config/read.js';
import { fleetSettings } from '@belfry/shared/config/settings.js';
import { openDatabase } from '@belfry/shared/ledger/database.js';
import { findPerson, putPerson } from '@belfry/shared/ledger/people.js';
import type { PersonChange } from '@belfry/shared/ledger/write-people.js';
import { INTERRUPTED, orExit } from '@belfry/shared/service/or-exit.js';
import { asksForJson } from './json-answer.js';

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

/** `npm run seed`: adds the demo people; they stay as they are when they are there already. */
await orExit(async () => {
  loadEnvFile();
  const settings = readSettings(fleetSettings);
  const database = openDatabase({ url: settings.DATABASE_URL, name: 'belfry-seed', size: 2 });
  const answer = { added: [] as string[], known: [] as string[] };
  for (const { id, change, sms } of DEMO) {
    const known = (await findPerson(database, id)) !== null;
    if (!known) {
      await putPerson(database, id, { ...change, preferences: { sms } }, SEED);
    }
    answer[known ? 'known' : 'added'].push(id);
    if (!asksForJson()) console.log(`${known ? 'known' : 'added'} ${id}`);
  }
  if (asksForJson()) console.log(JSON.stringify(answer));
  await database.close();
}, INTERRUPTED);
