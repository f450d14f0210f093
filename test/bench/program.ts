import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import path from 'node:path';
import { endWithThisProcess, ROOT } from '../support/process.js';

/** A process under measurement. Its output goes nowhere, so that nobody here pays for reading it. */
export interface Program {
  readonly child: ChildProcess;
  /** What it said of itself when it was ready. */
  readonly ready: Readonly<Record<string, unknown>>;
  /** Resident memory now, in megabytes. */
  memoryMb(): number;
  /** SIGTERM, and SIGKILL after ten seconds. */
  stop(): Promise<void>;
}

const READY_MS = 30_000;
const STOP_MS = 10_000;

/** Where every program started from now on leaves a CPU profile when it ends; nowhere when undefined. */
let profiles: string | undefined;

export function profileInto(folder: string): void {
  profiles = folder;
}

/** Starts a compiled file of the checkout and returns when it says over IPC that it is ready. It dies with this process. */
export async function startProgram(file: string, env: Readonly<Record<string, string>>): Promise<Program> {
  const profiling = profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiles}`];
  const child = spawn(process.execPath, [...profiling, path.resolve(ROOT, file)], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  endWithThisProcess(child);
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const ready = await firstMessage(child, file);
  return {
    child,
    ready,
    memoryMb: () => Number(execFileSync('ps', ['-o', 'rss=', '-p', String(child.pid)])) / 1024,
    async stop() {
      child.kill('SIGTERM');
      const force = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      await ended;
      clearTimeout(force);
    },
  };
}

function firstMessage(child: ChildProcess, file: string): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`${file} was not ready within ${READY_MS} ms`)), READY_MS);
    child.once('message', (message) => {
      clearTimeout(late);
      resolve({ ...Object(message) });
    });
    child.once('exit', (code) => {
      clearTimeout(late);
      reject(new Error(`${file} ended with code ${code} before it was ready`));
    });
  });
}
