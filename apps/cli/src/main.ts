import path from 'node:path';
import { loadEnvFile } from '@belfry/shared/config/read.js';
import { runCommandLine } from './run.js';

/* `npm run belfry -- …`: everything that an operator does from a shell. */

const { argv, env, stdout, stderr, stdin } = process;
loadEnvFile();
const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort());
// Whoever reads the answer, `head` for one, may have seen enough: that is no failure, and there is nobody left to tell.
for (const stream of [stdout, stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

// npm runs its commands at the root of the checkout, wherever it was called.
const here = env.npm_lifecycle_event === 'belfry' ? (env.INIT_CWD ?? '.') : '.';
const code = await runCommandLine(argv.slice(2), {
  stdin,
  stdout,
  stderr,
  env,
  path: (file) => path.resolve(here, file),
  stopping: stopping.signal,
});
if (code !== undefined) process.exit(code);
