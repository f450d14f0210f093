import { commandOf, isRunning, parentOf } from './process-table.js';

const SHELLS = /^(\S*\/)?(ba|da|z|k|a)?sh(\s|$)/;

/**
 * Calls `onGone` once when the npm that started this process is no more. npm hands a Ctrl-C on, but when it is
 * killed by force nobody tells us. Does nothing when npm did not start this process.
 */
export function watchNpm(onGone: () => void): void {
  if (!process.env.npm_lifecycle_event) return;
  const parent = process.ppid;
  // Some shells stay between npm and us. Then it is the shell's parent that counts: the shell would live on.
  const npm = SHELLS.test(commandOf(parent)) ? parentOf(parent) : parent;
  const timer = setInterval(() => {
    if (process.ppid === parent && (npm <= 1 || isRunning(npm))) return;
    clearInterval(timer);
    onGone();
  }, 500);
  timer.unref();
}
