import path from 'node:path';
import { cliSettings } from '@belfry/shared/config/cli-settings.js';
import { loadEnvFile, readSettings } from '@belfry/shared/config/read.js';
import { findAccess } from './api/access.js';
import { createClient } from './api/client.js';
import { exitCodeOf } from './exit-code.js';
import { createProgram } from './program.js';
import { Terminal } from './terminal.js';

/* `npm run belfry -- …`: everything that an operator does from a shell. */

const { env, stdout, stderr, stdin } = process;
loadEnvFile();
const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort());
// Whoever reads the answer, `head` for one, may have seen enough: that is no failure, and there is nobody left to tell.
for (const stream of [stdout, stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

// npm runs its commands at the root of the checkout, wherever it was called.
const here = env.npm_lifecycle_event === 'belfry' ? (env.INIT_CWD ?? '.') : '.';
const settings = () => readSettings(cliSettings, env);
const shell = {
  terminal: new Terminal({ stdout, stderr, env }),
  settings,
  client: async () => createClient(await findAccess(settings()), stopping.signal),
  stopped: stopping.signal,
  path: (file: string) => path.resolve(here, file),
  stdin,
  stderr,
};
const code = await createProgram(shell)
  .parseAsync()
  .then(
    () => undefined,
    (error: unknown) => exitCodeOf(error, shell),
  );
// A command that became another program, such as the doctor, ends itself.
if (code !== undefined) process.exit(code);
