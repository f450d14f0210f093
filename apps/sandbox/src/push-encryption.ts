import type { ECDH } from 'node:crypto';
import { decrypt } from 'http_ece';

/** What a browser keeps of its subscription: the private key and the secret (RFC 8291 §2). */
export interface PushReader {
  readonly privateKey: ECDH;
  readonly auth: Uint8Array;
}

/** Reads the body of a push (RFC 8291, `aes128gcm`) as its browser would; undefined when it was not meant for it or was changed. */
export function readPush(body: Uint8Array, { privateKey, auth }: PushReader): Buffer | undefined {
  try {
    return decrypt(body, { version: 'aes128gcm', privateKey, authSecret: auth });
  } catch {
    return undefined;
  }
}
