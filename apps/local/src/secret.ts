import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/**
 * Reads the secret in `file`, or makes one of `bytes` random bytes (base64url) and keeps it there, readable by
 * its owner only. Two processes that ask at once get the same secret.
 */
export function keepSecret(file: string, bytes = 32): string {
  const kept = read(file);
  if (kept) return kept;
  mkdirSync(path.dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${randomBytes(bytes).toString('base64url')}\n`, { mode: 0o600 });
  try {
    linkSync(draft, file);
  } catch (error) {
    // The other process was first, or an empty file lay there from a full disk.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    if (!read(file)) writeFileSync(file, readFileSync(draft), { mode: 0o600 });
  } finally {
    rmSync(draft, { force: true });
  }
  return read(file) ?? '';
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}
