import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { openLog } from './log-file.js';
import { terminalLevel, terminalText } from './log-lines.js';
import { warn } from './report.js';

/** What to run. */
export type ChildSpec = {
  /** Names the log file and the lines on the terminal. */
  readonly name: string;
  readonly file: string;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly logDir: string;
};

/** What a process says when it works. */
export type Ready = { readonly ready: true; readonly [key: string]: unknown };

/** A process that is kept running: when it dies, it is started again, later each time. */
export type Child = {
  /** Its first readiness; a sentence when it ended before, or was not ready within 60 s. */
  readonly ready: Promise<Ready | { readonly problem: string }>;
  /** Asks it to stop and returns when it is gone, by force after `limitMs`. Twice is fine. */
  stop(limitMs: number): Promise<void>;
  /** Ends it at once. */
  kill(): void;
};

const READY_LIMIT_MS = 60_000;
const LONGEST_PAUSE_MS = 10_000;
const STEADY_MS = 30_000;

/** Starts the process and keeps it running until it is stopped. */
export function startChild(spec: ChildSpec): Child {
  const lastLines: string[] = [];
  const level = terminalLevel(spec.env.LOG_LEVEL);
  const log = openLog(path.join(spec.logDir, `${spec.name}.log`), (line) => tell(terminalText(line, level)));
  const stopping = new AbortController();
  let current: ChildProcess | undefined;
  let settle: (answer: Ready | { problem: string }) => void = () => {};
  const ready = new Promise<Ready | { problem: string }>((resolve) => {
    settle = resolve;
  });
  const timer = setTimeout(
    () => settle({ problem: `${spec.name} was not ready within ${READY_LIMIT_MS / 1000} s` }),
    READY_LIMIT_MS,
  );
  void ready.then(() => clearTimeout(timer));

  const over = keepRunning();

  async function keepRunning(): Promise<void> {
    let pauseMs = 500;
    let wasReady = false;
    for (;;) {
      const startedAt = performance.now();
      const child = spawnChild(spec, log.fd);
      current = child;
      if (child.stderr) {
        createInterface({ input: child.stderr }).on('line', (line) => {
          log.write(line);
          tell(line);
        });
      }
      child.on('message', (message) => {
        if (!isReady(message)) return;
        wasReady = true;
        settle(message);
      });
      const ending = await endOf(child);
      log.drain();
      if (stopping.signal.aborted) break;
      if (!wasReady) {
        settle({
          problem: `${spec.name} ended at once (${ending}): ${lastLines.join(' / ') || 'it wrote nothing'}`,
        });
        break;
      }
      if (performance.now() - startedAt > STEADY_MS) pauseMs = 500;
      warn(`${spec.name} ended (${ending}); it is started again in ${pauseMs / 1000} s`);
      await delay(pauseMs, undefined, { signal: stopping.signal }).catch(() => {});
      if (stopping.signal.aborted) break;
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    }
    settle({ problem: `${spec.name} was stopped` });
    log.close();
  }

  function tell(text: string | undefined): void {
    if (!text?.trim()) return;
    lastLines.push(text);
    if (lastLines.length > 5) lastLines.shift();
    warn(`${spec.name}: ${text}`);
  }

  async function stop(limitMs: number): Promise<void> {
    stopping.abort();
    current?.kill('SIGTERM');
    const force = setTimeout(kill, limitMs);
    await over;
    clearTimeout(force);
  }

  function kill(): void {
    stopping.abort();
    current?.kill('SIGKILL');
  }

  return { ready, stop, kill };
}

// detached: Ctrl-C in the terminal reaches the supervisor alone, which stops its children in order. When the
// supervisor dies in any way, the channel closes, and the children stop by themselves.
function spawnChild(spec: ChildSpec, stdout: number): ChildProcess {
  return spawn(process.execPath, [spec.file], {
    cwd: spec.cwd,
    env: spec.env,
    detached: true,
    stdio: ['ignore', stdout, 'pipe', 'ipc'],
  });
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    // close, not exit: the last lines that it wrote are still on their way at exit
    child.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
}

function isReady(message: unknown): message is Ready {
  return typeof message === 'object' && message !== null && 'ready' in message && message.ready === true;
}
