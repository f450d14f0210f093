import { hkdfSync } from 'node:crypto';

const PREFIX = 'whsec_';
const FEWEST_BYTES = 24;
const MOST_BYTES = 64;
/** Nothing else is ever derived from these secrets under this name. */
const PURPOSE = 'belfry webhook v1';

/** True for a secret as Standard Webhooks writes it: `whsec_` and the base64 of 24 to 64 bytes. */
export function isWebhookSecret(text: string): boolean {
  if (!/^whsec_(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) return false;
  const { length } = bytesOf(text);
  return length >= FEWEST_BYTES && length <= MOST_BYTES;
}

/**
 * The secret that signs what goes to one person's receiver, made of one of the installation's by HKDF (RFC 5869, SHA-256).
 * So every receiver can check what it gets, and none can make what another one would believe; nothing has to be stored.
 */
export function webhookSecretOf(secret: string, personId: string): string {
  const derived = hkdfSync('sha256', bytesOf(secret), PURPOSE, personId, 32);
  return PREFIX + Buffer.from(derived).toString('base64');
}

function bytesOf(secret: string): Buffer {
  return Buffer.from(secret.slice(PREFIX.length), 'base64');
}
