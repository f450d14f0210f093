import { cliSettings } from '@belfry/shared/config/cli-settings.js';
import { readSettings } from '@belfry/shared/config/read.js';
import { findAccess } from './api/access.js';
import { createClient } from './api/client.js';
import { exitCodeOf } from './exit-code.js';
import { createProgram } from './program.js';
import type { Shell } from './shell.js';
import { type Output, Terminal } from './terminal.js';

/** What a command line is run in. */
export interface Surroundings extends Pick<Shell, 'stdin' | 'stderr' | 'path'> {
  readonly stdout: Output;
  readonly env: NodeJS.ProcessEnv;
  /** Aborts on Ctrl-C. */
  readonly stopping: AbortSignal;
}

/**
 * Runs one command line, given without the name of the program. Resolves with an exit code when there is one to be said, and
 * with undefined when the command is done, or became another program in this process, such as the doctor, which ends itself.
 */
export async function runCommandLine(
  args: readonly string[],
  { stdin, stdout, stderr, env, path, stopping }: Surroundings,
): Promise<number | undefined> {
  const settings = () => readSettings(cliSettings, env);
  const shell: Shell = {
    terminal: new Terminal({ stdout, stderr, env }),
    settings,
    client: async () => createClient(await findAccess(settings()), stopping),
    stopped: stopping,
    path,
    stdin,
    stderr,
  };
  try {
    await createProgram(shell).parseAsync(args, { from: 'user' });
    return undefined;
  } catch (error) {
    return exitCodeOf(error, shell);
  }
}
