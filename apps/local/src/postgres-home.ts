import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { findPostgresBinaries } from './postgres-binaries.js';
import { findPostgresUser, type PostgresUser } from './postgres-user.js';

/** Where the embedded PostgreSQL lives and as whom it runs. */
export type PostgresHome = {
  /** `bin/`, `lib/` and `share/` of PostgreSQL. */
  readonly native: string;
  /** Owned by the user that PostgreSQL runs as; the cluster is `data` below it. */
  readonly root: string;
  readonly user: PostgresUser | undefined;
  /** One sentence for the operator when something had to be put elsewhere. */
  readonly note: string | undefined;
};

/** Where things go that the unprivileged user could not reach in a root's private directory. */
const SYSTEM_DIR = '/var/lib/belfry';

/**
 * Prepares the home below `dataDir`. When root started us inside a directory that the unprivileged user cannot
 * enter (`/root`, `mktemp -d`), the binaries and the cluster are placed in a system directory; the directories of
 * the user keep their modes. Which one belongs to `dataDir` is kept there, in `postgres-home`.
 */
export function preparePostgresHome(dataDir: string): PostgresHome | { readonly problem: string } {
  const binaries = findPostgresBinaries();
  if ('problem' in binaries) return binaries;
  const here = path.join(dataDir, 'postgres');
  const user = ownerOf(path.join(here, 'data')) ?? findPostgresUser();
  if (user && 'problem' in user) return user;
  if (!user) {
    mkdirSync(here, { recursive: true });
    return { native: binaries.native, root: here, user, note: undefined };
  }

  const native = canRun(binaries.native, user)
    ? binaries.native
    : copyBinaries(binaries.native, binaries.version);
  const root = chooseRoot(dataDir, here, user);
  chownSync(root, user.uid, user.gid);
  const moved = [native === binaries.native ? '' : native, root === here ? '' : root].filter(Boolean);
  const note = moved.length
    ? `user ${user.name} cannot enter ${path.dirname(here)}, so PostgreSQL uses ${moved.join(' and ')}`
    : undefined;
  return { native, root, user, note };
}

// A cluster that an ordinary user made is served as that user, also when root starts it the next time.
function ownerOf(data: string): PostgresUser | undefined {
  if (process.getuid?.() !== 0 || !existsSync(data)) return undefined;
  const { uid, gid } = statSync(data);
  return uid === 0 ? undefined : { uid, gid, name: `with id ${uid}` };
}

function canRun(native: string, user: PostgresUser): boolean {
  const probe = spawnSync(path.join(native, 'bin', 'postgres'), ['--version'], {
    uid: user.uid,
    gid: user.gid,
    cwd: '/',
    timeout: 10_000,
  });
  return probe.status === 0;
}

// Named by version: every checkout shares the copy, and an upgrade makes a new one. The rename makes it whole at once.
function copyBinaries(native: string, version: string): string {
  const target = path.join(SYSTEM_DIR, `postgres-${version}`);
  if (existsSync(target)) return target;
  const draft = `${target}.${process.pid}`;
  makeSystemDir();
  // verbatim: the links are relative, and must not point back into the directory that cannot be entered
  cpSync(native, draft, { recursive: true, verbatimSymlinks: true });
  openForAll(draft);
  try {
    renameSync(draft, target);
  } catch {
    rmSync(draft, { recursive: true, force: true }); // another process was first
  }
  return target;
}

function chooseRoot(dataDir: string, here: string, user: PostgresUser): string {
  const kept = path.join(dataDir, 'postgres-home');
  if (existsSync(kept)) {
    const root = readFileSync(kept, 'utf8').trim();
    mkdirSync(root, { recursive: true });
    return root;
  }
  mkdirSync(here, { recursive: true });
  chownSync(here, user.uid, user.gid);
  if (canEnter(here, user)) return here;
  // The random part: a checkout that is deleted and made again must not meet a cluster whose password is lost.
  const hash = createHash('sha256').update(realpathSync(dataDir)).digest('hex').slice(0, 12);
  const root = path.join(SYSTEM_DIR, `${hash}-${randomBytes(3).toString('hex')}`);
  makeSystemDir();
  mkdirSync(root, { recursive: true });
  rmdirSync(here);
  writeFileSync(kept, `${root}\n`);
  return root;
}

function canEnter(dir: string, user: PostgresUser): boolean {
  const probe = spawnSync('/bin/sh', ['-c', 'cd "$1" && test -w .', 'sh', dir], {
    uid: user.uid,
    gid: user.gid,
    cwd: '/',
    timeout: 10_000,
  });
  return probe.status === 0;
}

// Said with chmod as well, because the umask of a careful root takes the others' bits away.
function makeSystemDir(): void {
  if (existsSync(SYSTEM_DIR)) return;
  mkdirSync(SYSTEM_DIR, { recursive: true });
  chmodSync(SYSTEM_DIR, 0o755);
}

// npm under a strict umask installs files that only root can read; the copy must be readable.
function openForAll(dir: string): void {
  chmodSync(dir, 0o755);
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const file = path.join(dir, entry.name);
    if (entry.isDirectory()) openForAll(file);
    else if (entry.isFile()) chmodSync(file, lstatSync(file).mode & 0o100 ? 0o755 : 0o644);
  }
}
