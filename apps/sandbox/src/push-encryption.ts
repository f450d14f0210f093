import type { ECDH } from 'node:crypto';
// @ts-expect-error The library has no types.
import { decrypt } from 'http_ece';

/** What a browser keeps of its subscription: the private key and the secret (RFC 8291 §2). */
export interface PushReader {
  readonly privateKey: ECDH;
  readonly auth: Uint8Array;
}

type Decrypt = (
  body: Uint8Array,
  options: { version: 'aes128gcm'; privateKey: ECDH; authSecret: Uint8Array },
) => Buffer;

/** Reads the body of a push (RFC 8291, `aes128gcm`) as its browser would; undefined when it was not meant for it or was changed. */
export function readPush(body: Uint8Array, { privateKey, auth }: PushReader): Buffer | undefined {
  try {
    return (decrypt as Decrypt)(body, { version: 'aes128gcm', privateKey, authSecret: auth });
  } catch {
    return undefined;
  }
}
