import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { isRunning, startOf } from './process-table.js';

/** A lock that is held until `release`, or until the process that took it is gone. */
export type Lock = { readonly release: () => void };

/** What holds a lock: a process, and the one that it works for. */
export type Holder = { readonly pid: number; readonly startedAt: string; readonly parent: number };

/**
 * Takes the lock file for this process. It never waits: a lock whose holder is gone is taken over, a lock
 * whose holder lives is answered with that holder.
 */
export function takeLock(file: string): Lock | { readonly heldBy: Holder } {
  mkdirSync(path.dirname(file), { recursive: true });
  const mine: Holder = { pid: process.pid, startedAt: startOf(process.pid), parent: process.ppid };
  // Each lap either takes the lock, finds a living holder, or clears one dead holder away.
  for (;;) {
    if (create(file, mine)) return { release: () => release(file, mine) };
    const holder = readHolder(file);
    if (holder && isHolderAlive(holder)) return { heldBy: holder };
    clearAway(file, mine);
  }
}

// Written aside and linked, so that nobody ever reads half a lock.
function create(file: string, mine: Holder): boolean {
  const draft = `${file}.new-${process.pid}`;
  writeFileSync(draft, JSON.stringify(mine), { mode: 0o600 });
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function readHolder(file: string): Holder | undefined {
  const text = read(file);
  return text === undefined ? undefined : parse(text);
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function parse(text: string): Holder | undefined {
  try {
    const holder = JSON.parse(text) as Partial<Holder>;
    return typeof holder.pid === 'number'
      ? { startedAt: '', parent: 0, ...holder, pid: holder.pid }
      : undefined;
  } catch {
    return undefined;
  }
}

function isHolderAlive(holder: Holder): boolean {
  return isRunning(holder.pid) && startOf(holder.pid) === holder.startedAt;
}

// Two processes may find the same dead holder, and the slower one must not remove the lock that the quicker one has
// made since. So only who holds the right to clear removes anything, and looks again first.
function clearAway(file: string, mine: Holder): void {
  const right = `${file}.clearing`;
  if (!create(right, mine)) {
    const other = readHolder(right);
    if (other && !isHolderAlive(other)) rmSync(right, { force: true });
    return;
  }
  try {
    const text = read(file);
    const holder = text === undefined ? undefined : parse(text);
    if (text !== undefined && !(holder && isHolderAlive(holder))) rmSync(file, { force: true });
  } finally {
    rmSync(right, { force: true });
  }
}

function release(file: string, mine: Holder): void {
  const holder = readHolder(file);
  if (holder?.pid === mine.pid && holder.startedAt === mine.startedAt) rmSync(file, { force: true });
}
