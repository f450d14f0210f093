import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fail, say } from './progress.mjs';

const LIMIT_MS = 20 * 60_000;

/** Runs `work` while no other process of this checkout does the same; waits for one that does, with a word. */
export async function alone(file, work) {
  mkdirSync(path.dirname(file), { recursive: true });
  const deadline = Date.now() + LIMIT_MS;
  let told = false;
  while (!take(file)) {
    const pid = holderOf(file);
    if (pid === undefined) continue;
    if (!told) say(`waiting for process ${pid}, which installs or builds here`);
    told = true;
    if (Date.now() > deadline)
      fail(
        `Process ${pid} has been installing or building for too long. If it hangs, end it and remove ${file}.`,
      );
    await delay(200);
  }
  const release = () => rmSync(file, { force: true });
  process.once('exit', release);
  try {
    return await work();
  } finally {
    process.removeListener('exit', release);
    release();
  }
}

// Written aside and linked, so that nobody ever reads half a lock.
function take(file) {
  const draft = `${file}.new-${process.pid}`;
  writeFileSync(draft, mine());
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function mine() {
  return `${process.pid} ${startOf(process.pid)}`;
}

/** The process that holds the lock; a lock whose process is gone is cleared away. */
function holderOf(file) {
  const text = read(file);
  if (text === undefined) return undefined;
  if (isHeld(text)) return text.split(' ')[0];
  clearAway(file);
  return undefined;
}

// Two may find the same dead one, and the slower must not remove the lock that the quicker has made since: only who
// holds the right to clear removes anything, and looks again first.
function clearAway(file) {
  const right = `${file}.clearing`;
  if (!take(right)) {
    if (!isHeld(read(right) ?? mine())) rmSync(right, { force: true });
    return;
  }
  const text = read(file);
  if (text !== undefined && !isHeld(text)) rmSync(file, { force: true });
  rmSync(right, { force: true });
}

function isHeld(text) {
  const [pid, startedAt] = text.split(' ');
  return isRunning(Number(pid)) && startOf(pid) === startedAt;
}

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

// Process ids are used again; on Linux the start time (proc(5), field 22) tells two owners of one id apart.
function startOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return '';
  }
}
