import { createECDH } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { keepSecret } from './secret.js';

const CALL_MS = 20_000;

/** The sandbox as it has started, and where its keys are kept. */
export type SandboxOfPushes = {
  readonly url: string;
  /** Of its push service, as PEM. */
  readonly certificate: string;
  readonly dataDir: string;
  readonly env: NodeJS.ProcessEnv;
};

/**
 * The settings under which pushes go to the sandbox: VAPID keys that stay the same, its push service's certificate as one
 * more that Node trusts, and the service account of its FCM. Nothing is switched off.
 */
export async function pushSettings(sandbox: SandboxOfPushes): Promise<NodeJS.ProcessEnv> {
  const { url, certificate, dataDir, env } = sandbox;
  const credentials = await fetch(`${url}/fcm/credentials`, { signal: AbortSignal.timeout(CALL_MS) });
  return {
    VAPID_SUBJECT: env.VAPID_SUBJECT || 'mailto:belfry@example.org',
    ...vapidPair(dataDir),
    PUSH_ALLOW_ADDRESSES: [env.PUSH_ALLOW_ADDRESSES, '127.0.0.1'].filter(Boolean).join(' '),
    NODE_EXTRA_CA_CERTS: trusted(certificate, dataDir, env.NODE_EXTRA_CA_CERTS),
    FCM_CREDENTIALS: await credentials.text(),
    FCM_BASE_URL: url,
  };
}

/** The VAPID keys of this installation, made at its first start and kept (RFC 8292). */
export function vapidPair(dataDir: string): { VAPID_PUBLIC_KEY: string; VAPID_PRIVATE_KEY: string } {
  // 32 random bytes are a private key of P-256, but for one in 2^32.
  const privateKey = keepSecret(path.join(dataDir, 'vapid-key'));
  const pair = createECDH('prime256v1');
  pair.setPrivateKey(Buffer.from(privateKey, 'base64url'));
  return { VAPID_PUBLIC_KEY: pair.getPublicKey('base64url'), VAPID_PRIVATE_KEY: privateKey };
}

/** A file with the certificate, and with what is trusted already beside Node's own. */
function trusted(certificate: string, dataDir: string, others: string | undefined): string {
  const file = path.join(dataDir, 'trusted.pem');
  mkdirSync(dataDir, { recursive: true });
  const more = others && others !== file ? readFileSync(others, 'utf8') : '';
  writeFileSync(file, `${certificate.trim()}\n${more}`);
  return file;
}
