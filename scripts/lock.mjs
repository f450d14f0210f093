import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

function take(file) {
  try {
    writeFileSync(file, `${process.pid} ${startOf(process.pid)}`, { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

// A lock whose process is gone is removed here; an empty one is being written at this moment.
function holderOf(file) {
  let pid, startedAt;
  try {
    const text = readFileSync(file, 'utf8');
    if (text === '') return undefined;
    [pid, startedAt] = text.split(' ');
  } catch {
    return undefined;
  }
  if (isRunning(Number(pid)) && startOf(pid) === startedAt) return pid;
  rmSync(file, { force: true });
  return undefined;
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
