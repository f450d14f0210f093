import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from './free-port.js';
import { type Lock, takeLock } from './lock.js';
import { rotate } from './log-file.js';
import {
  initialiseCluster,
  isReady,
  runAs,
  serverCommand,
  stopOrphan,
  stopServer,
} from './postgres-cluster.js';
import { type PostgresHome, preparePostgresHome } from './postgres-home.js';
import { isRunning, waitUntilGone } from './process-table.js';
import { keepSecret } from './secret.js';

/** What the keeper is told, as JSON in its first argument. */
export type KeeperOptions = {
  readonly dataDir: string;
  /** Any free port when absent. */
  readonly port?: number | undefined;
  /** The cluster is deleted when it stops. */
  readonly ephemeral?: boolean | undefined;
  /** False for a server of tests, whose data need not outlive the machine; true when absent. */
  readonly durable?: boolean | undefined;
};

/** What the keeper tells, in this order: any number of steps, then either of the others once. */
export type KeeperMessage =
  | { readonly step: string }
  | { readonly ready: { readonly port: number; readonly pid: number; readonly note: string | undefined } }
  | { readonly problem: string };

// This process holds PostgreSQL. It has a session of its own, so Ctrl-C does not reach it, and it ends
// PostgreSQL when its parent goes away by any means: the channel to the parent closes even on SIGKILL.
const options = JSON.parse(process.argv[2] ?? '{}') as KeeperOptions;
const logFile = path.join(options.dataDir, 'logs', 'postgres.log');
let lock: Lock | undefined;
let home: PostgresHome | undefined;
let server: ChildProcess | undefined;
let stopping = false;

process.on('SIGINT', () => {});
process.on('SIGHUP', () => {});
process.on('SIGTERM', stop);
process.on('disconnect', stop);
// Nobody reads this process's output. What it could not do (a full disk, files of another user) it tells its parent.
process.on('uncaughtException', (error) =>
  fail(`the embedded PostgreSQL cannot be kept in ${options.dataDir}: ${error.message}`),
);
await start();

async function start(): Promise<void> {
  const taken = await takeClusterLock();
  if (typeof taken === 'string') return fail(taken);
  lock = taken;
  const prepared = preparePostgresHome(options.dataDir);
  if ('problem' in prepared) return fail(prepared.problem);
  home = prepared;
  tell({ step: 'preparing the data directory' });
  await stopOrphan(home);
  const problem = await initialiseCluster(home, keepSecret(path.join(options.dataDir, 'postgres-password')));
  if (problem) return fail(problem);
  await serve(home);
}

// A keeper whose parent is gone is about to end: it is waited for. One that serves a living parent is not.
async function takeClusterLock(): Promise<Lock | string> {
  const file = path.join(options.dataDir, 'postgres.lock');
  for (let lap = 0; lap < 10; lap++) {
    const taken = takeLock(file);
    if (!('heldBy' in taken)) return taken;
    const { pid, parent } = taken.heldBy;
    if (parent > 1 && isRunning(parent)) {
      return `the data in ${options.dataDir} is in use by process ${parent}; stop that one first (kill ${parent}), or set another DATA_DIR and PORT`;
    }
    await waitUntilGone(pid, 2000);
  }
  return `the data in ${options.dataDir} is held by a process that does not end; see ${file}`;
}

async function serve(at: PostgresHome): Promise<void> {
  const deadline = Date.now() + 60_000;
  mkdirSync(path.dirname(logFile), { recursive: true });
  rotate(logFile);
  const log = openSync(logFile, 'a', 0o600);
  for (let lap = 1; !stopping; lap++) {
    const port = options.port ?? (await freePort());
    const { file, args } = serverCommand(at, port, options);
    const started = spawn(file, args, { ...runAs(at), stdio: ['ignore', log, log] });
    server = started;
    started.once('error', (error) => fail(`PostgreSQL did not start: ${error.message}`));
    const pid = started.pid ?? 0;
    while (started.exitCode === null && started.signalCode === null && !isReady(at, pid)) {
      if (Date.now() > deadline) return fail(`PostgreSQL was not ready within 60 s (see ${logFile})`);
      await delay(20);
    }
    if (started.exitCode === null && started.signalCode === null) {
      started.once('exit', (code, signal) => {
        if (!stopping) fail(`PostgreSQL ended (${signal ?? `exit code ${code}`})`);
      });
      return tell({ ready: { port, pid, note: at.note } });
    }
    // Somebody was quicker to the port, or the processes of a killed server are still letting go of its memory.
    if (lap >= 5) return fail(`PostgreSQL did not start: ${lastWords()}`);
    await delay(200 * lap);
  }
}

function lastWords(): string {
  try {
    const lines = readFileSync(logFile, 'utf8').trim().split('\n');
    return lines
      .filter((line) => /FATAL|ERROR|HINT|error/.test(line))
      .slice(-2)
      .join(' ');
  } catch {
    return 'it wrote nothing';
  }
}

function tell(message: KeeperMessage): void {
  if (process.connected) process.send?.(message, () => {});
}

function fail(problem: string): void {
  if (process.connected) process.send?.({ problem } satisfies KeeperMessage, () => void stop());
  else void stop();
}

async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  if (server?.pid && server.exitCode === null && server.signalCode === null)
    await stopServer(server.pid, 3000);
  if (options.ephemeral && home) rmSync(home.root, { recursive: true, force: true });
  lock?.release();
  process.exit(0);
}
