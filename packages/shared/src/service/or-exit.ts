import { SettingsError } from '../config/read.js';

/** A process cannot start, and somebody has to do something about it. The message says what. */
export class StartRefused extends Error {
  override readonly name = 'StartRefused';
}

/** How a command ends that was interrupted before it was done. */
export const INTERRUPTED = 1;

/**
 * Opens a process, or ends it with exit code 1 and a sentence on stderr. Only the unexpected shows a stack.
 * While it is still opening, SIGTERM, SIGINT, and the end of whoever started it over an IPC channel end it at once, with
 * `whenTold` as its exit code: a process has done nothing yet, a command has not done what it was for.
 */
export async function orExit<Opened>(open: () => Promise<Opened>, whenTold = 0): Promise<Opened> {
  const leave = () => process.exit(whenTold);
  // As the first process of a container it has no default handlers, and would be deaf.
  for (const told of LEAVE_ON) process.once(told, leave);
  try {
    const opened = await open();
    for (const told of LEAVE_ON) process.off(told, leave);
    return opened;
  } catch (error) {
    const expected =
      error instanceof SettingsError ||
      error instanceof StartRefused ||
      isNamed(error, 'CatalogueError') ||
      isNamed(error, 'MigrationBusy');
    console.error(expected && error instanceof Error ? error.message : error);
    process.exit(1);
  }
}

const LEAVE_ON = ['SIGTERM', 'SIGINT', 'disconnect'];

function isNamed(error: unknown, name: string): boolean {
  return error instanceof Error && error.name === name;
}
