/** What is used of the library, which has no types of its own. */
declare module 'http_ece' {
  import type { ECDH } from 'node:crypto';
  export function decrypt(
    body: Uint8Array,
    options: { version: 'aes128gcm'; privateKey: ECDH; authSecret: Uint8Array },
  ): Buffer;
}
