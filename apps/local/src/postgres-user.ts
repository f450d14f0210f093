import { spawnSync } from 'node:child_process';

/** An operating system user, by numbers. Absent where this process may run PostgreSQL as itself. */
export type PostgresUser = { readonly uid: number; readonly gid: number; readonly name: string };

/** Names of users that may run PostgreSQL for root, the first that exists is taken, the last is made. */
const CANDIDATES = ['postgres', 'belfry'];

/**
 * The user that PostgreSQL runs as. PostgreSQL refuses to run as root; so for root it is an existing `postgres`
 * or `belfry` user, or a system user `belfry` that is made now. For everybody else: nothing, they run it themselves.
 */
export function findPostgresUser(): PostgresUser | undefined | { readonly problem: string } {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of CANDIDATES) {
    const user = lookUp(name);
    if (user) return user;
  }
  run('useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', 'belfry']);
  return (
    lookUp('belfry') ?? {
      problem:
        'PostgreSQL does not run as root, and no system user could be made for it; make one with `useradd --system belfry`, start Belfry as an ordinary user, or set DATABASE_URL',
    }
  );
}

function lookUp(name: string): PostgresUser | undefined {
  const uid = Number.parseInt(run('id', ['-u', name]), 10);
  const gid = Number.parseInt(run('id', ['-g', name]), 10);
  return uid > 0 && gid > 0 ? { uid, gid, name } : undefined;
}

function run(command: string, args: string[]): string {
  return spawnSync(command, args, { encoding: 'utf8', timeout: 10_000 }).stdout ?? '';
}
