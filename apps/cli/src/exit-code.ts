import { CommanderError } from 'commander';
import { Failure, UsageError } from './failure.js';
import type { Shell } from './shell.js';

/** Ended by Ctrl-C before it was done, as shells have it: 128 and the number of SIGINT. */
const INTERRUPTED = 130;
const FAILED = 1;
const NOT_UNDERSTOOD = 2;

/** Says on stderr why a command failed, and gives its exit code. Only the unexpected shows a stack. */
export function exitCodeOf(
  error: unknown,
  { terminal, stopped }: Pick<Shell, 'terminal' | 'stopped'>,
): number {
  // Commander has said it already; --help and the like are no failure.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : NOT_UNDERSTOOD;
  if (stopped.aborted) return INTERRUPTED;
  if (error instanceof Failure) {
    terminal.note(`error: ${error.message}`);
    for (const remedy of error.remedies) terminal.note(`  ${remedy}`);
    return error instanceof UsageError ? NOT_UNDERSTOOD : FAILED;
  }
  const expected = error instanceof Error && ['SettingsError', 'CatalogueError'].includes(error.name);
  terminal.note(expected ? error.message : (error instanceof Error && error.stack) || String(error));
  return FAILED;
}
