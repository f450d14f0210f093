import { spawn } from 'node:child_process';
import { chownSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { PostgresHome } from './postgres-home.js';
import { commandOf, isRunning, waitUntilGone } from './process-table.js';

/** The superuser of the embedded cluster and, by the same name, the database of the ledger. */
export const OWNER = 'belfry';

/** The directory of the cluster. */
function clusterDir(home: PostgresHome): string {
  return path.join(home.root, 'data');
}

/**
 * Makes the cluster when there is none: UTF-8, Unicode rules that do not depend on the system's locales,
 * password required. Returns a sentence when that fails, or when an older major version made the cluster.
 */
export async function initialiseCluster(home: PostgresHome, password: string): Promise<string | undefined> {
  const dir = clusterDir(home);
  if (existsSync(path.join(dir, 'PG_VERSION'))) return versionProblem(home);
  // Made beside and renamed, so an interrupted start leaves no half of a cluster.
  const draft = path.join(home.root, 'data.new');
  const passwordFile = path.join(home.root, 'password.new');
  rmSync(draft, { recursive: true, force: true });
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  if (home.user) chownSync(passwordFile, home.user.uid, home.user.gid);
  const output: string[] = [];
  const code = await new Promise<number | null>((resolve) => {
    const args = [
      '-D',
      draft,
      '-U',
      OWNER,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
    ];
    args.push('--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8');
    const initdb = spawn(path.join(home.native, 'bin', 'initdb'), args, { ...runAs(home), timeout: 60_000 });
    for (const stream of [initdb.stdout, initdb.stderr])
      stream?.on('data', (text) => output.push(String(text)));
    initdb.once('error', (error) => output.push(error.message));
    initdb.once('close', resolve);
  });
  rmSync(passwordFile, { force: true });
  if (code !== 0) return `initdb failed: ${output.join('').trim().split('\n').slice(-3).join(' / ')}`;
  renameSync(draft, dir);
  return undefined;
}

/** The program and the arguments that serve the cluster on 127.0.0.1 and `port`, without a Unix socket. */
export function serverCommand(
  home: PostgresHome,
  port: number,
  { durable = true }: { readonly durable?: boolean | undefined } = {},
): { file: string; args: string[] } {
  const settings = {
    ...(durable ? {} : { fsync: 'off', full_page_writes: 'off' }),
    listen_addresses: '127.0.0.1',
    port,
    // A socket's path may have about 100 bytes: a deep checkout would not start.
    unix_socket_directories: '',
    max_connections: 300,
    shared_buffers: '128MB',
    // Unless it is for tests, fsync and synchronous_commit stay on: an answer of 202 says that it is on disk.
    max_wal_size: '1GB',
    checkpoint_completion_target: 0.9,
    jit: 'off',
    TimeZone: 'UTC',
    log_timezone: 'UTC',
    cluster_name: OWNER,
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return { file: path.join(home.native, 'bin', 'postgres'), args: ['-D', clusterDir(home), ...flags] };
}

/** How to run a program of PostgreSQL: as its user, with none of our settings and secrets in its environment. */
export function runAs(home: PostgresHome) {
  const env = { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' };
  return { cwd: '/', env, ...(home.user ? { uid: home.user.uid, gid: home.user.gid } : {}) };
}

/** True once the server whose process is `pid` takes connections: the last line of its pid file says so. */
export function isReady(home: PostgresHome, pid: number): boolean {
  const lines = pidFile(home);
  return lines?.[0] === String(pid) && lines[7]?.trim() === 'ready';
}

/** Stops a server that an earlier keeper left behind on this cluster. Bounded: about 10 s. */
export async function stopOrphan(home: PostgresHome): Promise<void> {
  const pid = Number(pidFile(home)?.[0]);
  if (!Number.isInteger(pid) || pid <= 1 || !isRunning(pid)) return;
  if (!commandOf(pid).includes(clusterDir(home))) {
    // The id belongs to another program now; PostgreSQL itself cannot tell and would refuse to start.
    rmSync(path.join(clusterDir(home), 'postmaster.pid'), { force: true });
    return;
  }
  await stopServer(pid, 5000);
}

/** Stops a server: fast, after `fastMs` at once (its recovery then runs at the next start), at last by force. */
export async function stopServer(pid: number, fastMs: number): Promise<void> {
  for (const [signal, limitMs] of [
    ['SIGINT', fastMs],
    ['SIGQUIT', 1500],
    ['SIGKILL', 1000],
  ] as const) {
    try {
      process.kill(pid, signal);
    } catch {
      return;
    }
    if (await waitUntilGone(pid, limitMs)) return;
  }
}

function versionProblem(home: PostgresHome): string | undefined {
  const made = readFileSync(path.join(clusterDir(home), 'PG_VERSION'), 'utf8').trim();
  const sample = readFileSync(path.join(home.native, 'share', 'postgresql', 'postgres.bki'), 'utf8').slice(
    0,
    40,
  );
  const ours = /PostgreSQL (\d+)/.exec(sample)?.[1];
  if (!ours || ours === made) return undefined;
  return `${clusterDir(home)} was made by PostgreSQL ${made}, this is PostgreSQL ${ours}; move it away to start empty, or serve it with PostgreSQL ${made} and set DATABASE_URL`;
}

function pidFile(home: PostgresHome): string[] | undefined {
  try {
    return readFileSync(path.join(clusterDir(home), 'postmaster.pid'), 'utf8').split('\n');
  } catch {
    return undefined;
  }
}
