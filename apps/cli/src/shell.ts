import type { Readable } from 'node:stream';
import type { CliSettings } from '@belfry/shared/config/cli-settings.js';
import type { Client } from './api/client.js';
import type { Output, Terminal } from './terminal.js';

/** What every command has at hand. */
export interface Shell {
  readonly terminal: Terminal;
  /** Checked when they are first asked for: `--help` needs none. */
  settings(): CliSettings;
  /** The API. Fails with what to set when there is no token for it. */
  client(): Promise<Client>;
  /** Aborts on Ctrl-C. */
  readonly stopped: AbortSignal;
  /** A file that was named on the command line, from where the command was given. */
  path(file: string): string;
  /** Where somebody can be asked, and where the question is written. */
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stderr: Output;
}
