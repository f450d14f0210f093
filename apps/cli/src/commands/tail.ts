import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import { Refused, Unanswered } from '../api/refused.js';
import type { Summary } from '../api/shapes.js';
import type { Shell } from '../shell.js';
import type { Terminal } from '../terminal.js';
import { inColour } from '../text/colours.js';
import { padded } from '../text/table.js';
import { moment, pastDate, seconds } from '../text/times.js';
import { visible } from '../text/visible.js';
import { type Filters, filterQuery, statusOption, withFilters } from './options.js';
import { createWatch } from './watch.js';

interface Options extends Filters {
  readonly status?: string;
  readonly since?: Date;
  readonly every: number;
}

/** `belfry tail`: a line for every new notification, and one more when it has ended. */
export function addTail(program: Command, shell: Shell): void {
  withFilters(program.command('tail'))
    .description('follow notifications as they come and as they end, until Ctrl-C')
    .addOption(statusOption())
    .option('--since <time>', 'begin earlier: a span such as 10m (ago), or ISO 8601', pastDate)
    .option('--every <seconds>', 'how often to look', seconds(0.1, 3_600), 1)
    .addHelpText(
      'after',
      `
A notification has a line when it is first seen and one when it has ended; with --json each line is an object.
An API that is away is waited for.`,
    )
    .action((options: Options) => tail(shell, options));
}

/** The longest pause after an API that does not answer, in milliseconds. */
const LONGEST_PAUSE_MS = 10_000;

async function tail(shell: Shell, options: Options): Promise<void> {
  const { terminal, stopped } = shell;
  const client = await shell.client();
  const watch = createWatch(client, filterQuery(options), options.since);
  let pauseMs = options.every * 1_000;
  let away = false;
  while (!stopped.aborted) {
    try {
      for (const one of await watch.look()) {
        if (options.status === undefined || one.status === options.status) show(terminal, one);
      }
      if (away) terminal.note(`${client.access.url} answers again.`);
      away = false;
      pauseMs = options.every * 1_000;
    } catch (error) {
      if (stopped.aborted) return;
      pauseMs = pauseAfter(error, pauseMs);
      if (!away) terminal.note(`${(error as Error).message} Trying on until Ctrl-C.`);
      away = true;
    }
    await delay(pauseMs, undefined, { signal: stopped }).catch(() => undefined);
  }
}

/** How long to leave an API alone that is busy or away; what will not pass by itself ends the command. */
function pauseAfter(error: unknown, lastMs: number): number {
  if (error instanceof Unanswered) return Math.min(lastMs * 2, LONGEST_PAUSE_MS);
  if (error instanceof Refused && (error.status === 429 || error.status >= 500))
    return Math.max(error.retryAfterMs ?? 0, Math.min(lastMs * 2, LONGEST_PAUSE_MS));
  throw error;
}

function show(terminal: Terminal, one: Summary): void {
  terminal.item(one);
  const ended = one.sent_at ?? one.created_at;
  const about = `${visible(one.event_type ?? 'message')} → ${visible(one.user_id ?? 'an address')}`;
  terminal.line(
    [
      terminal.paint('dim', moment(one.status === 'PENDING' ? one.created_at : ended)),
      inColour(terminal, one.status, one.status.padEnd(9)),
      one.priority.padEnd(8),
      padded(about, 40),
      terminal.paint('dim', `${one.channels.join(',') || 'no channel'}  ${one.id}`),
    ].join('  '),
  );
}
