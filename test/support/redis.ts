import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from './ports.js';
import { endWithThisProcess } from './process.js';
import { waitFor } from './wait.js';

/** A real Redis server of a test's own. */
export type TestRedis = {
  readonly url: string;
  readonly port: number;
  /** The server's process; another one after `restart`. */
  readonly pid: number;
  /** Sends the signal (SIGKILL) and, unless it only pauses (SIGSTOP, SIGCONT), returns when the server is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again on the same port and data, after `kill` or in its place. */
  restart(): Promise<void>;
  flushAll(): Promise<void>;
  /** Sends one command, gives the raw reply. */
  command(...words: string[]): Promise<string>;
  /** Ends it and deletes its data. Twice is fine. */
  stop(): Promise<void>;
};

type Options = {
  /** true when absent */
  readonly appendonly?: boolean;
  /** noeviction when absent */
  readonly maxmemoryPolicy?: string;
  readonly port?: number;
  readonly dir?: string;
};

/** Starts a Redis server on a free port; ready for commands when this returns. */
export async function startRedis(options: Options = {}): Promise<TestRedis> {
  const port = options.port ?? (await freePort());
  const dir = options.dir ?? mkdtempSync(path.join(tmpdir(), 'belfry-redis-'));
  let server = await launch(port, dir, options);

  async function kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    server.kill(signal);
    if (signal !== 'SIGSTOP' && signal !== 'SIGCONT') await gone(server);
  }

  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    get pid() {
      return server.pid ?? 0;
    },
    kill,
    restart: async () => {
      await kill();
      server = await launch(port, dir, options);
    },
    flushAll: async () => {
      await command(port, 'FLUSHALL');
    },
    command: (...words) => command(port, ...words),
    stop: async () => {
      await kill();
      if (options.dir === undefined) rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function launch(port: number, dir: string, options: Options): Promise<ChildProcess> {
  const settings = {
    port,
    bind: '127.0.0.1',
    dir,
    save: '',
    appendonly: options.appendonly === false ? 'no' : 'yes',
    appendfsync: 'everysec',
    'maxmemory-policy': options.maxmemoryPolicy ?? 'noeviction',
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const output: string[] = [];
  const server = spawn(process.env.REDIS_SERVER_PATH ?? 'redis-server', args, {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [server.stdout, server.stderr]) stream.on('data', (text) => output.push(String(text)));
  server.once('error', (error) => output.push(error.message));
  endWithThisProcess(server);
  await waitFor(
    async () => {
      if (server.exitCode !== null || server.pid === undefined) throw new Error(output.join(''));
      // PONG, and not LOADING while it reads its log
      return (await command(port, 'PING')).startsWith('+PONG');
    },
    { timeoutMs: 15_000, what: `Redis on port ${port}` },
  );
  return server;
}

async function gone(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null || server.pid === undefined) return;
  await new Promise((resolve) => server.once('exit', resolve));
}

/** One command over a socket of its own (RESP, https://redis.io/docs/reference/protocol-spec). */
function command(port: number, ...words: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.setTimeout(5000, () => socket.destroy(new Error('no answer from Redis within 5 s')));
    socket.once('error', reject);
    socket.once('data', (reply) => {
      socket.destroy();
      resolve(reply.toString());
    });
    const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
    socket.write(`*${words.length}\r\n${parts.join('')}`);
  });
}
