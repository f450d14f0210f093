import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from './ports.js';
import { endWithThisProcess } from './process.js';
import { waitFor } from './wait.js';

/** An MQTT broker of a test's own. */
export type TestBroker = {
  readonly url: string;
  /** Ends it at once; what it kept only in memory is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same port, after `kill`. */
  restart(): Promise<void>;
  stop(): Promise<void>;
};

/** Starts a mosquitto on a free port, with more lines of `configuration`; takes connections when this returns. */
export async function startMosquitto(...configuration: readonly string[]): Promise<TestBroker> {
  const port = await freePort();
  const dir = mkdtempSync(path.join(tmpdir(), 'belfry-mosquitto-'));
  chmodSync(dir, 0o755); // it gives up being root before it reads its files
  const file = path.join(dir, 'mosquitto.conf');
  const own = configuration.some((one) => /^allow_anonymous /.test(one)) ? [] : ['allow_anonymous true'];
  const lines = [`listener ${port} 127.0.0.1`, 'max_queued_messages 0', ...own, ...configuration];
  writeFileSync(file, `${lines.join('\n')}\n`);
  let server = await launch(file, port);
  const kill = () => ended(server);
  return {
    url: `mqtt://127.0.0.1:${port}`,
    kill,
    async restart() {
      server = await launch(file, port);
    },
    async stop() {
      await kill();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function launch(file: string, port: number): Promise<ChildProcess> {
  const output: string[] = [];
  const server = spawn(process.env.MOSQUITTO_PATH ?? 'mosquitto', ['-c', file], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [server.stdout, server.stderr]) stream.on('data', (text) => output.push(String(text)));
  server.once('error', (error) => output.push(error.message));
  endWithThisProcess(server);
  await waitFor(
    () => {
      if (server.exitCode !== null || server.pid === undefined) throw new Error(output.join(''));
      return takesConnections(port);
    },
    { timeoutMs: 15_000, what: `mosquitto on port ${port}` },
  );
  return server;
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

async function ended(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null || server.pid === undefined) return;
  const exited = new Promise((resolve) => server.once('exit', resolve));
  server.kill('SIGKILL');
  await exited;
}
