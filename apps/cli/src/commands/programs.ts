import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { shipped } from '@belfry/shared/files/shipped.js';
import { ROLES } from '@belfry/shared/service/token.js';
import type { Command } from 'commander';
import { Failure } from '../failure.js';
import type { Shell } from '../shell.js';

/** Commands that are programs of their own: they need the database or the providers themselves, not the API. */
const PROGRAMS = {
  token: {
    file: 'apps/api/bundle/commands/token.js',
    about: "print a token for this installation's secret",
    usage: `--role <${ROLES.join('|')}> --sub <who> [--ttl 30m]`,
  },
  doctor: {
    file: 'apps/workers/bundle/commands/doctor.js',
    about: 'say what is wrong with this installation, and what to do',
    usage: '',
  },
  'rebuild-queues': {
    file: 'apps/api/bundle/commands/rebuild-queues.js',
    about: 'give every due delivery without a job one, at once',
    usage: '',
  },
  migrate: {
    file: 'apps/api/bundle/commands/migrate.js',
    about: 'bring the schema up to this build',
    usage: '',
  },
  seed: {
    file: 'apps/api/bundle/commands/seed.js',
    about: 'add the demo people',
    usage: '[--webhooks <url>]',
  },
} as const;

/** `belfry token`, `doctor`, `rebuild-queues`, `migrate` and `seed`: the programs as they are, with their own exit codes. */
export function addPrograms(program: Command, { terminal }: Shell): void {
  for (const [name, { file, about, usage }] of Object.entries(PROGRAMS)) {
    program
      .command(name)
      .description(about)
      .usage(`${usage} [--json]`.trim())
      .allowUnknownOption()
      .allowExcessArguments()
      .action((_options: unknown, command: Command) =>
        become(shipped(file), [...command.args, ...(terminal.json ? ['--json'] : [])]),
      );
  }
}

/** In this process, so that signals and the exit code are its own; it finds its arguments where it would by itself. */
async function become(file: string, args: readonly string[]): Promise<void> {
  if (!existsSync(file)) throw new Failure('This command has not been built.', 'Run npm run build.');
  process.argv = [process.execPath, file, ...args];
  await import(pathToFileURL(file).href);
}
