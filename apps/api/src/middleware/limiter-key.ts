import { createHash } from 'node:crypto';

/** What a limiter counts somebody or something by: a digest, so that it keeps no address, number or name (law 8). */
export function keyOf(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}
