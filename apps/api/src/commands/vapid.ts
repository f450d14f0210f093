import { createECDH } from 'node:crypto';
import { parseArgs } from 'node:util';
import { INTERRUPTED, orExit, StartRefused } from '@belfry/shared/service/or-exit.js';

const USAGE = 'Usage: npm run vapid [-- --json]';

/** `npm run vapid`: makes a pair of VAPID keys (RFC 8292) for Web Push, and prints them as settings. Nothing is kept. */
await orExit(async () => {
  const json = asJson();
  const pair = createECDH('prime256v1');
  pair.generateKeys();
  const keys = {
    VAPID_PUBLIC_KEY: pair.getPublicKey('base64url'),
    // A small number has fewer bytes, and all 32 are wanted.
    VAPID_PRIVATE_KEY: Buffer.from(pair.getPrivateKey('hex').padStart(64, '0'), 'hex').toString('base64url'),
  };
  if (json) console.log(JSON.stringify(keys));
  else for (const [name, value] of Object.entries(keys)) console.log(`${name}=${value}`);
}, INTERRUPTED);

function asJson(): boolean {
  try {
    return parseArgs({ options: { json: { type: 'boolean' } } }).values.json === true;
  } catch {
    throw new StartRefused(USAGE);
  }
}
