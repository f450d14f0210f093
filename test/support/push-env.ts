import { createECDH } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Env } from './fleet-processes.js';
import { ask } from './http.js';

/** What a sandbox answers to a browser that subscribes: as `PushManager.subscribe` does, with its name. */
export interface SandboxSubscription {
  readonly name: string;
  readonly endpoint: string;
  readonly keys: { readonly p256dh: string; readonly auth: string };
}

/** A subscription at the sandbox's push service. */
export async function subscribe(sandboxUrl: string, name?: string): Promise<SandboxSubscription> {
  const made = await ask('POST', `${sandboxUrl}/push/subscriptions`, { name });
  return JSON.parse(made.text);
}

/** The settings under which browsers and telephones of the sandbox are pushed to. */
export async function pushEnv(sandboxUrl: string): Promise<Env> {
  const vapid = createECDH('prime256v1');
  vapid.generateKeys();
  const { text: certificate } = await ask('GET', `${sandboxUrl}/push/certificate`);
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'belfry-push-')), 'certificate.pem');
  writeFileSync(file, certificate);
  const { text: credentials } = await ask('GET', `${sandboxUrl}/fcm/credentials`);
  return {
    VAPID_SUBJECT: 'mailto:ops@belfry.test',
    VAPID_PUBLIC_KEY: vapid.getPublicKey('base64url'),
    VAPID_PRIVATE_KEY: Buffer.from(vapid.getPrivateKey('hex').padStart(64, '0'), 'hex').toString('base64url'),
    PUSH_ALLOW_ADDRESSES: '127.0.0.1',
    NODE_EXTRA_CA_CERTS: file,
    FCM_CREDENTIALS: credentials,
    FCM_BASE_URL: sandboxUrl,
  };
}
