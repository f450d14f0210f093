import type { Command } from 'commander';
import type { Details, Explained, Summary } from '../api/shapes.js';
import type { Shell } from '../shell.js';
import { inColour } from '../text/colours.js';
import { tableLines } from '../text/table.js';
import { brief } from '../text/times.js';
import { visible } from '../text/visible.js';
import { drawHead, drawMoment, momentsOf } from '../timeline.js';
import {
  channelsOption,
  type Filters,
  filterQuery,
  type Page,
  pageQuery,
  priorityOption,
  statusOption,
  withFilters,
  withPage,
} from './options.js';
import { bodyOf, type SendOptions } from './send-body.js';
import { showList } from './show-list.js';

/** `belfry get`, `list`, `explain`, `cancel` and `retry`. */
export function addNotifications(program: Command, shell: Shell): void {
  const { terminal } = shell;

  program
    .command('get')
    .description('show a notification: what became of it on each channel, and every attempt')
    .argument('<id>', 'its id')
    .action(async (id: string) => {
      const details = await (await shell.client()).call<Details>(
        'GET',
        `/notifications/${encodeURIComponent(id)}`,
      );
      terminal.answer(details);
      for (const line of drawHead(terminal, details)) terminal.line(line);
      terminal.line();
      const startMs = new Date(details.created_at).getTime();
      for (const one of momentsOf(details)) terminal.line(drawMoment(terminal, one, startMs));
    });

  withPage(withFilters(program.command('list')))
    .description('list notifications, the newest first')
    .addOption(statusOption())
    .action(async (options: Filters & Page & { status?: string }) => {
      const query = { ...filterQuery(options), status: options.status, ...pageQuery(options) };
      const found = (await shell.client()).pages<Summary>('/notifications', query);
      await showList(terminal, found, options, {
        head: ['CREATED', 'STATUS', 'PRIORITY', 'TO', 'EVENT', 'CHANNELS', 'ID'],
        row: (one) => [
          brief(one.created_at),
          one.status,
          one.priority,
          visible(one.user_id ?? '-'),
          visible(one.event_type ?? '-'),
          one.channels.join(','),
          one.id,
        ],
        state: (one) => one.status,
        whole: ['ID'],
        spare: ['PRIORITY', 'CHANNELS'],
        none: 'There is no such notification.',
      });
    });

  program
    .command('explain')
    .description('say which channels a notification would use and why, and send nothing')
    .argument('<user>', 'who would be told')
    .argument('[event]', 'the event')
    .argument('[context...]', 'as for send')
    .option('-m, --message <text>', 'a free message, in the place of an event')
    .option('--context <json>', 'the context as one JSON object')
    .addOption(priorityOption())
    .addOption(channelsOption())
    .action(async (user: string, event: string | undefined, words: string[], options: SendOptions) => {
      const body = bodyOf(user, event, words, options);
      const explained = await (await shell.client()).call<Explained>('POST', '/notifications/explain', {
        body,
      });
      terminal.answer(explained);
      const rows = explained.decisions.map(({ channel, used, reason, rule }) => [
        visible(channel),
        used ? 'used' : 'not used',
        visible(reason),
        visible(rule),
      ]);
      const [head = '', ...lines] = tableLines(['CHANNEL', '', 'REASON', 'RULE'], rows, terminal.width);
      terminal.line(terminal.paint('bold', head));
      for (const line of lines) terminal.line(line);
    });

  program
    .command('cancel')
    .description('call off what has not been sent of a notification')
    .argument('<id>', 'its id')
    .action(async (id: string) => {
      const path = `/notifications/${encodeURIComponent(id)}/cancel`;
      const answer = await (await shell.client()).call<{ cancelled: number }>('POST', path);
      terminal.answer(answer);
      terminal.line(
        `${inColour(terminal, 'cancelled')}: ${counted(answer.cancelled, 'delivery', 'deliveries')}`,
      );
    });

  program
    .command('retry')
    .description('try again, now, what failed and may still work; never what was refused for good')
    .action(async () => {
      const answer = await (await shell.client()).call<{ retried: number }>('POST', '/notifications/retry');
      terminal.answer(answer);
      terminal.line(`${counted(answer.retried, 'delivery is', 'deliveries are')} tried again.`);
    });
}

/** `1 delivery`, `2 deliveries`. */
function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}
