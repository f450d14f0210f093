import { randomUUID } from 'node:crypto';
import { CHANNELS, PRIORITIES } from '@belfry/shared/domain/channel.js';
import { FAILURE_CLASSES } from '@belfry/shared/domain/failure.js';
import { type Command, Option } from 'commander';
import type { DeadLetter, Replayed } from '../api/shapes.js';
import { UsageError } from '../failure.js';
import type { Shell } from '../shell.js';
import { before, brief, count, fromNow } from '../text/times.js';
import { visible } from '../text/visible.js';
import { type Page, pageQuery, withPage } from './options.js';
import { showList } from './show-list.js';

interface Filters {
  readonly class?: string;
  readonly channel?: string;
  readonly priority?: string;
  readonly provider?: string;
  readonly event?: string;
  readonly user?: string;
  readonly search?: string;
}

type ReplayOptions = Filters & Omit<Page, 'limit'> & { readonly rate?: number };

/** `belfry dead list` and `belfry dead replay`. */
export function addDead(program: Command, shell: Shell): void {
  const dead = program
    .command('dead')
    .description('dead letters: what was given up, and sending it after all');

  withPage(withFilters(dead.command('list')))
    .description('list dead letters, the newest first')
    .action(async (options: Filters & Page) => {
      const query = { ...filterOf(options), ...pageQuery(options) };
      await showList(
        shell.terminal,
        (await shell.client()).pages<DeadLetter>('/dead-letters', query),
        options,
        {
          head: ['DIED', 'CLASS', 'CHANNEL', 'TO', 'EVENT', 'WHY', 'ID'],
          row: (one) => [
            brief(one.dead_at),
            visible(`${one.class}${one.retryable ? '' : ' (final)'}`),
            visible(one.channel),
            visible(one.user_id ?? one.to ?? '-'),
            visible(one.event_type ?? '-'),
            visible([one.provider, one.code, one.error ?? one.reason].filter(Boolean).join(' ')),
            one.id,
          ],
          whole: ['ID'],
          spare: ['EVENT', 'TO'],
          none: 'There is no such dead letter.',
        },
      );
    });

  withFilters(dead.command('replay'))
    .description('send dead letters after all: by id, or all that the options choose')
    .argument('[ids...]', 'ids of dead letters, as the list shows them')
    .option('--from <time>', 'died not before: a span such as 2h (ago), or ISO 8601', before)
    .option('--to <time>', 'died before: the same', before)
    .option('-a, --all', 'every dead letter, when no other option chooses')
    .option('-r, --rate <n>', 'how many a second (the API takes 50)', count(1, 1_000))
    .action((ids: string[], options: ReplayOptions) => replay(shell, ids, options));
}

function withFilters(command: Command): Command {
  return command
    .addOption(new Option('--class <class>', 'of this class of failure').choices(FAILURE_CLASSES))
    .addOption(new Option('-c, --channel <channel>', 'on this channel').choices(CHANNELS))
    .addOption(new Option('-p, --priority <priority>', 'of this priority').choices(PRIORITIES))
    .option('--provider <name>', 'that this provider gave up')
    .option('-e, --event <event>', 'of this event')
    .option('-u, --user <id>', 'to this person')
    .option('--search <text>', 'exactly this: an address, a person, an event, a reason or a code');
}

function filterOf(options: Filters) {
  const { channel, priority, provider, event, user, search } = options;
  return { class: options.class, channel, priority, provider, event_type: event, user_id: user, search };
}

async function replay(
  { terminal, client }: Shell,
  ids: readonly string[],
  options: ReplayOptions,
): Promise<void> {
  const chosen = { ...filterOf(options), from: options.from, to: options.to };
  const filter = Object.fromEntries(Object.entries(chosen).filter(([, value]) => value !== undefined));
  const filters = Object.keys(filter).length;
  if (ids.length > 0 && (filters > 0 || options.all === true))
    throw new UsageError('Give either ids or what chooses them.');
  if (ids.length === 0 && filters === 0 && options.all !== true)
    throw new UsageError('Give ids, something that chooses them such as --class or --channel, or --all.');
  const answer = await (await client()).call<Replayed>('POST', '/dead-letters/replay', {
    body: {
      ...(ids.length > 0 ? { ids } : { filter }),
      ...(options.rate === undefined ? {} : { rate: options.rate }),
    },
    headers: { 'idempotency-key': randomUUID() },
    inDoubt: 'It is not known whether they are replayed. Asking again replays nothing twice.',
  });
  terminal.answer(answer);
  terminal.line(
    `${answer.replayed} ${answer.replayed === 1 ? 'dead letter is' : 'dead letters are'} sent again.`,
  );
  if (answer.last_due_at !== null && answer.replayed > 1)
    terminal.line(`The last one is due ${fromNow(answer.last_due_at)}, at ${answer.rate} a second.`);
  for (const { id, reason, state } of answer.skipped)
    terminal.line(`left alone: ${visible(id)} (${visible(state === null ? reason : `${reason}: ${state}`)})`);
  if (answer.more) terminal.note('There are more: the same command goes on with them.');
}
