import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
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
    clearAway(file, holder);
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
  try {
    const holder = JSON.parse(readFileSync(file, 'utf8')) as Partial<Holder>;
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

// Two processes may find the same dead holder. Renaming is atomic, so what was moved away is looked at again:
// if it turns out to be a newcomer's fresh lock, it is put back.
function clearAway(file: string, dead: Holder | undefined): void {
  const aside = `${file}.old-${process.pid}`;
  try {
    renameSync(file, aside);
  } catch {
    return;
  }
  const moved = readHolder(aside);
  if (moved && moved.pid !== dead?.pid && isHolderAlive(moved)) renameSync(aside, file);
  else rmSync(aside, { force: true });
}

function release(file: string, mine: Holder): void {
  const holder = readHolder(file);
  if (holder?.pid === mine.pid && holder.startedAt === mine.startedAt) rmSync(file, { force: true });
}
