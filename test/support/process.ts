import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** The checkout. */
export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');

/** How a process ended. */
export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

/** A real process of the fleet, as a test sees it. */
export type TestProcess = {
  readonly pid: number;
  /** What the process sent when it was ready. */
  readonly ready: Record<string, unknown>;
  /** Lines of stdout and of stderr so far, oldest first; the arrays grow. */
  readonly stdout: readonly string[];
  readonly stderr: readonly string[];
  readonly exited: Promise<Exit>;
  /** SIGTERM, and SIGKILL after `limitMs` (12 s); returns how it ended. Twice is fine. */
  stop(limitMs?: number): Promise<Exit>;
  /** Sends the signal (SIGKILL); returns at once. */
  kill(signal?: NodeJS.Signals): void;
};

type Options = {
  /** Wait for `{ready: true}` over IPC (the default), for a line of stdout, or for nothing. */
  readonly readyMessage?: boolean | RegExp;
  readonly args?: readonly string[];
  readonly timeoutMs?: number;
  /** Merged over this process's environment unless false. */
  readonly inheritEnv?: boolean;
  readonly cwd?: string;
};

/**
 * Starts a compiled file of the checkout (`apps/workers/bundle/main.js`) with settings in its environment, and returns
 * once it is ready. It never outlives the test process. Fails with its output when it ends before it is ready.
 */
export async function startProcess(
  file: string,
  env: Record<string, string | undefined>,
  { readyMessage = true, args = [], timeoutMs = 30_000, inheritEnv = true, cwd = ROOT }: Options = {},
): Promise<TestProcess> {
  const child = spawn(process.execPath, [path.resolve(ROOT, file), ...args], {
    cwd,
    env: withoutRunner({ ...(inheritEnv ? process.env : { PATH: process.env.PATH }), ...env }),
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  endWithThisProcess(child);
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  const exited = new Promise<Exit>((resolve) => {
    child.once('error', (error) => stderr.push(error.message));
    child.once('close', (code, signal) => {
      resolve({ code, signal });
    });
  });
  const ready = await untilReady(child, exited, stdout, readyMessage, timeoutMs).catch((error: Error) => {
    child.kill('SIGKILL');
    throw new Error(`${file} ${error.message}\n${[...stdout, ...stderr].slice(-40).join('\n')}`);
  });

  const kill = (signal: NodeJS.Signals = 'SIGKILL') => void child.kill(signal);
  const stop = async (limitMs = 12_000) => {
    kill('SIGTERM');
    const force = setTimeout(kill, limitMs, 'SIGKILL');
    const exit = await exited;
    clearTimeout(force);
    return exit;
  };
  return { pid: child.pid ?? 0, ready, stdout, stderr, exited, stop, kill };
}

/** Ends `child` by force when this process ends in any way, SIGKILL included. */
export function endWithThisProcess(child: ChildProcess): void {
  // A pipe closes when its writer dies: the shell waits for that, then ends the child.
  const watcher = spawn('/bin/sh', ['-c', 'read _; kill -9 "$1" 2>/dev/null', 'sh', String(child.pid ?? 0)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  watcher.unref();
  const { stdin } = watcher;
  if (stdin && 'unref' in stdin && typeof stdin.unref === 'function') stdin.unref();
  // Once the child is gone its id may belong to another program.
  child.once('exit', () => watcher.kill('SIGKILL'));
}

// The variables of the test runner and of npm would change how the child behaves.
function withoutRunner(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => name !== 'NODE_TEST_CONTEXT' && !name.startsWith('npm_lifecycle')),
  );
}

function collect(stream: NodeJS.ReadableStream | null): string[] {
  const lines: string[] = [];
  if (stream) createInterface({ input: stream }).on('line', (line) => lines.push(line));
  return lines;
}

function untilReady(
  child: ChildProcess,
  exited: Promise<Exit>,
  stdout: readonly string[],
  readyMessage: boolean | RegExp,
  timeoutMs: number,
): Promise<Record<string, unknown>> {
  if (readyMessage === false) return Promise.resolve({});
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`was not ready within ${timeoutMs} ms`)), timeoutMs);
    const settle = (message: Record<string, unknown>) => {
      clearTimeout(timer);
      resolve(message);
    };
    child.on('message', (message) => {
      if (typeof message === 'object' && message && 'ready' in message && message.ready === true)
        settle({ ...message });
    });
    if (readyMessage instanceof RegExp) {
      child.stdout?.on('data', () =>
        // after the lines of this chunk have been taken apart
        setImmediate(() => {
          const line = stdout.find((text) => readyMessage.test(text));
          if (line !== undefined) settle({ line });
        }),
      );
    }
    void exited.then(({ code, signal }) => {
      clearTimeout(timer);
      reject(new Error(`ended before it was ready (${signal ?? `exit code ${code}`})`));
    });
  });
}
