import { parseArgs } from 'node:util';
import { webhookUrl } from '@belfry/shared/channels/fields.js';
import { loadEnvFile, readSettings } from '@belfry/shared/config/read.js';
import { fleetSettings } from '@belfry/shared/config/settings.js';
import { type Database, openDatabase } from '@belfry/shared/ledger/database.js';
import { listDevices, putDevice, removeDevices } from '@belfry/shared/ledger/devices.js';
import { findPerson, putPerson } from '@belfry/shared/ledger/people.js';
import type { PersonChange } from '@belfry/shared/ledger/write-people.js';
import { INTERRUPTED, orExit, StartRefused } from '@belfry/shared/service/or-exit.js';
import { z } from 'zod';

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

/** What a browser of the sandbox gets when it subscribes. */
const subscription = z.object({
  endpoint: z.string(),
  keys: z.object({ p256dh: z.string(), auth: z.string() }),
});

const USAGE = 'Usage: npm run seed -- [--webhooks <url>] [--devices <url>] [--json]';

/**
 * `npm run seed [-- --webhooks <url> --devices <url>]`: adds the demo people; they stay as they are when they are there already.
 * With an address for webhooks, each has one below it; with a sandbox for devices, each has a browser and a telephone there.
 */
await orExit(async () => {
  const { webhooks, devices, json } = argumentsGiven();
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
    if (devices !== undefined) await registerDevices(database, devices, id);
    answer[known ? 'known' : 'added'].push(id);
    if (!json) console.log(`${known ? 'known' : 'added'} ${id}`);
  }
  if (json) console.log(JSON.stringify(answer));
  await database.close();
}, INTERRUPTED);

/** A browser and a telephone at the sandbox. Its push service may have been at another port the last time. */
async function registerDevices(database: Database, sandbox: string, id: string): Promise<void> {
  const made = await fetch(`${sandbox}/push/subscriptions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: id }),
    signal: AbortSignal.timeout(10_000),
  });
  const { endpoint, keys } = subscription.parse(await made.json());
  const { pathname } = new URL(endpoint);
  for (const device of (await listDevices(database, id)) ?? []) {
    const former = device.address.startsWith('https://127.0.0.1:') && device.address.endsWith(pathname);
    if (former && device.address !== endpoint) await removeDevices(database, id, { id: device.id }, SEED);
  }
  await putDevice(database, id, { platform: 'web', address: endpoint, keys }, SEED);
  await putDevice(database, id, { platform: 'android', address: `telephone-of-${id}`, keys: null }, SEED);
}

interface Arguments {
  readonly webhooks: string | undefined;
  readonly devices: string | undefined;
  readonly json: boolean;
}

function argumentsGiven(): Arguments {
  try {
    const { values } = parseArgs({
      options: { webhooks: { type: 'string' }, devices: { type: 'string' }, json: { type: 'boolean' } },
    });
    const url = (given: string | undefined) => webhookUrl.optional().parse(given)?.replace(/\/$/, '');
    const { webhooks, devices, json = false } = values;
    return { webhooks: url(webhooks), devices: url(devices), json };
  } catch {
    throw new StartRefused(USAGE);
  }
}
