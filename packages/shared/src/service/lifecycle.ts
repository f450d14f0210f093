import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from './log.js';

/** Something that was started and can be stopped. Stopping twice is fine; it returns when it has stopped. */
export interface Running {
  stop(): Promise<void>;
}

/** A Ctrl-C comes twice, from the terminal and through npm: only a later signal counts as the second. */
const ECHO_MS = 700;

/** A process must be gone this long after it was asked to stop, whatever it still waits for. */
const STOP_DEADLINE_MS = 9_500;

/**
 * Runs an application as a process: it stops on SIGTERM and SIGINT, and when the process that started it over an IPC
 * channel is gone. An exception that nobody caught stops it too, with exit code 1: after one, nothing it holds is known
 * to be sound; so does `failed`, once it resolves with a reason. The second signal ends it at once.
 */
export function runUntilStopped(log: Logger, running: Running, failed?: Promise<string>): void {
  let askedAt: number | null = null;
  const stop = async (reason: string, exitCode: number) => {
    if (askedAt !== null) {
      const again = reason.startsWith('SIG') && performance.now() - askedAt > ECHO_MS;
      if (again) process.exit(1);
      return;
    }
    askedAt = performance.now();
    log.info({ reason }, 'stopping');
    const ended = await Promise.race([
      running.stop().then(
        () => true,
        (error: unknown) => {
          log.error({ err: error }, 'stopping failed');
          return true;
        },
      ),
      sleep(STOP_DEADLINE_MS, false, { ref: false }),
    ]);
    log.info({ complete: ended }, 'stopped');
    process.exit(exitCode);
  };
  process.on('SIGTERM', () => void stop('SIGTERM', 0));
  process.on('SIGINT', () => void stop('SIGINT', 0));
  process.on('disconnect', () => void stop('disconnect', 0));
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'uncaught exception');
    void stop('uncaughtException', 1);
  });
  void failed?.then((reason) => stop(reason, 1));
}

/** Tells whoever started this process over an IPC channel that it works now. */
export function announceReady(facts: Readonly<Record<string, unknown>>): void {
  process.send?.({ ready: true, ...facts });
}

/** Runs `task` every `intervalMs`, never twice at once; `stop` waits for the run that is under way. */
export function every(intervalMs: number, task: () => Promise<void>): Running {
  const ending = new AbortController();
  const loop = (async () => {
    while (!ending.signal.aborted) {
      await sleep(intervalMs, undefined, { signal: ending.signal }).catch(() => undefined);
      if (!ending.signal.aborted) await task();
    }
  })();
  return {
    async stop() {
      ending.abort();
      await loop;
    },
  };
}
