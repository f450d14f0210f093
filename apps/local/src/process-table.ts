import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** True while a process with this id runs, whoever owns it. One that ended and was not collected does not run. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  // Where process 1 collects nothing (many containers) an orphan stays as a zombie for ever.
  return statOf(pid)?.[0] !== 'Z';
}

/**
 * When the process started, as an opaque text: with the id it names one process, for ids are used again,
 * soonest of all in a container after a restart. Empty when there is no such process.
 */
export function startOf(pid: number): string {
  return statOf(pid)?.[19] ?? ps(pid, 'lstart=');
}

/** The process that started this one, as far as it can be known; 0 otherwise. */
export function parentOf(pid: number): number {
  return Number.parseInt(statOf(pid)?.[1] ?? ps(pid, 'ppid='), 10) || 0;
}

/** The command line of a process, words separated by spaces; empty when it cannot be read. */
export function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return ps(pid, 'command=');
  }
}

/** Waits until the process is gone, `limitMs` at most; true when it is. */
export async function waitUntilGone(pid: number, limitMs: number): Promise<boolean> {
  const deadline = Date.now() + limitMs;
  while (isRunning(pid)) {
    if (Date.now() > deadline) return false;
    await delay(25);
  }
  return true;
}

// proc(5): the name in parentheses may hold spaces; what follows it starts at field 3, the state.
function statOf(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

function ps(pid: number, column: string): string {
  if (process.platform === 'linux') return '';
  try {
    return execFileSync('ps', ['-o', column, '-p', String(pid)], { encoding: 'utf8', timeout: 2000 }).trim();
  } catch {
    return '';
  }
}
