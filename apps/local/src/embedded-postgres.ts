import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, escapeIdentifier } from 'pg';
import type { KeeperMessage, KeeperOptions } from './keeper.js';
import { OWNER } from './postgres-cluster.js';
import { waitUntilGone } from './process-table.js';

/** A PostgreSQL of our own that runs as long as this process does, however this process ends. */
export type EmbeddedPostgres = {
  /** Connects as the superuser to the ledger's database. */
  readonly url: string;
  readonly port: number;
  /** The server, and the process that holds it. */
  readonly pid: number;
  readonly keeperPid: number;
  /** One sentence for the operator when the data had to be put elsewhere. */
  readonly note: string | undefined;
  /** Stops the server in order; returns when it has stopped, within 7 s. Twice is fine. */
  stop(): Promise<void>;
  /** Settles with a sentence when the server ends without being asked to; with nothing after `stop`. */
  readonly ended: Promise<string | undefined>;
};

/**
 * Starts PostgreSQL on 127.0.0.1 with its data below `dataDir`, made when there is none. Returns a sentence when it
 * cannot be: another living process uses the data, no binaries for the platform, no unprivileged user.
 */
export async function startEmbeddedPostgres(
  options: KeeperOptions & { readonly onStep?: (step: string) => void },
): Promise<EmbeddedPostgres | { readonly problem: string }> {
  const dataDir = path.resolve(options.dataDir);
  const { port: wanted, ephemeral, durable } = options;
  const keeper = spawnKeeper({ dataDir, port: wanted, ephemeral, durable });
  let stopped = false;
  let lastProblem: string | undefined;
  const ended = new Promise<string | undefined>((resolve) => {
    keeper.once('exit', (code, signal) => {
      resolve(stopped ? undefined : (lastProblem ?? `the keeper of PostgreSQL ended (${signal ?? code})`));
    });
  });

  const answer = await new Promise<Exclude<KeeperMessage, { step: string }>>((resolve) => {
    keeper.on('message', (message: KeeperMessage) => {
      if ('step' in message) return options.onStep?.(message.step);
      if ('problem' in message) lastProblem = message.problem;
      resolve(message);
    });
    keeper.once('error', (error) =>
      resolve({ problem: `PostgreSQL could not be started: ${error.message}` }),
    );
    void ended.then((problem) => resolve({ problem: problem ?? 'stopped' }));
  });
  if ('problem' in answer) {
    await ended;
    return answer;
  }

  const { port, pid, note } = answer.ready;
  const stop = async () => {
    stopped = true;
    await stopKeeper(keeper, pid);
  };
  const password = readFileSync(path.join(dataDir, 'postgres-password'), 'utf8').trim();
  const problem = await createDatabase(port, password);
  if (problem) {
    await stop();
    return { problem };
  }
  const url = urlOf(port, password, OWNER);
  return { url, port, pid, keeperPid: keeper.pid ?? 0, note, stop, ended };
}

function spawnKeeper(options: KeeperOptions): ChildProcess {
  return spawn(
    process.execPath,
    [fileURLToPath(new URL('./keeper.js', import.meta.url)), JSON.stringify(options)],
    // detached: a process group of its own. No secret of ours is handed on.
    {
      detached: true,
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      env: { PATH: process.env.PATH },
      cwd: '/',
    },
  );
}

async function stopKeeper(keeper: ChildProcess, serverPid: number): Promise<void> {
  if (keeper.connected) keeper.disconnect();
  if (keeper.exitCode !== null || keeper.signalCode !== null) return;
  const gone = await waitUntilGone(keeper.pid ?? 0, 6500);
  if (gone) return;
  keeper.kill('SIGKILL');
  try {
    process.kill(serverPid, 'SIGQUIT');
  } catch (error) {
    // The keeper had stopped it, and was slow to end itself.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

// Connecting proves more than a line in a log: the port, the password and the server are ours.
async function createDatabase(port: number, password: string): Promise<string | undefined> {
  const client = new Client({
    connectionString: urlOf(port, password, 'postgres'),
    connectionTimeoutMillis: 10_000,
    query_timeout: 20_000,
  });
  try {
    await client.connect();
    const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [OWNER]);
    if (found.rowCount === 0) await client.query(`CREATE DATABASE ${escapeIdentifier(OWNER)}`);
    return undefined;
  } catch (error) {
    return `the embedded PostgreSQL refused us: ${(error as Error).message}`;
  } finally {
    await client.end().catch(() => {});
  }
}

function urlOf(port: number, password: string, database: string): string {
  return `postgres://${OWNER}:${password}@127.0.0.1:${port}/${database}`;
}
