import { SettingsError } from '../config/read.js';

/** A process cannot start, and somebody has to do something about it. The message says what. */
export class StartRefused extends Error {
  override readonly name = 'StartRefused';
}

/**
 * Opens a process, or ends it with exit code 1 and a sentence on stderr. Only the unexpected shows a stack. Whoever
 * started it over an IPC channel may go away while it is still opening; then it goes too.
 */
export async function orExit<Opened>(open: () => Promise<Opened>): Promise<Opened> {
  const leave = () => process.exit(0);
  process.once('disconnect', leave);
  try {
    const opened = await open();
    process.off('disconnect', leave);
    return opened;
  } catch (error) {
    const expected =
      error instanceof SettingsError || error instanceof StartRefused || isNamed(error, 'CatalogueError');
    console.error(expected && error instanceof Error ? error.message : error);
    process.exit(1);
  }
}

function isNamed(error: unknown, name: string): boolean {
  return error instanceof Error && error.name === name;
}
