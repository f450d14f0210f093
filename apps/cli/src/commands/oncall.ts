import type { Command } from 'commander';
import type { ListedOnCall, OnCall } from '../api/shapes.js';
import type { Shell } from '../shell.js';
import { tableLines } from '../text/table.js';
import { moment } from '../text/times.js';
import { visible } from '../text/visible.js';
import { type Page, pageQuery, withPage } from './options.js';
import { showList } from './show-list.js';

/** `belfry oncall`: who is told of alerts now, or at another moment. */
export function addOncall(program: Command, shell: Shell): void {
  withPage(program.command('oncall'), { times: false })
    .description('show who is on call, for every type of alert or with the turns of one')
    .argument('[type]', 'the type of alert')
    .option('--at <time>', 'at this moment instead of now, ISO 8601; for one type')
    .action((type: string | undefined, options: Page & { at?: string }) =>
      type === undefined ? list(shell, options) : show(shell, type, options.at),
    );
}

async function list(shell: Shell, options: Page): Promise<void> {
  const client = await shell.client();
  await showList(shell.terminal, client.pages<ListedOnCall>('/on-call', pageQuery(options)), options, {
    head: ['TYPE', 'ON CALL', 'UNTIL', 'LAYERS'],
    row: (one) => [
      visible(one.alert_type),
      people(one.user_ids),
      moment(one.until) || '-',
      visible(one.layers.join(', ') || '-'),
    ],
    spare: ['LAYERS'],
    none: 'Nobody has said who is on call.',
  });
}

async function show({ terminal, client }: Shell, type: string, at: string | undefined): Promise<void> {
  const query = at === undefined ? '' : `?at=${encodeURIComponent(at)}`;
  const path = `/on-call/${encodeURIComponent(type)}${query}`;
  const found = await (await client()).call<OnCall>('GET', path);
  terminal.answer(found);
  const until = found.until === null ? '' : `, until ${moment(found.until)}`;
  terminal.line(`${people(found.user_ids)}${until}`);
  if (found.layers.length === 0) return;
  terminal.line();
  const rows = found.layers.map(({ name, now, next }) => [
    visible(name),
    visible(now?.user_id ?? '-'),
    moment(now?.until) || '-',
    visible(next?.user_id ?? '-'),
  ]);
  for (const line of tableLines(['LAYER', 'NOW', 'UNTIL', 'NEXT'], rows, terminal.width)) terminal.line(line);
}

function people(ids: readonly string[]): string {
  return visible(ids.join(', ') || 'nobody');
}
