import { ALERT_LEVELS, ALERT_STATUSES } from '@belfry/shared/domain/alert.js';
import { type Command, Option } from 'commander';
import type { Alert, AlertEvent, ListedAlert } from '../api/shapes.js';
import type { Shell } from '../shell.js';
import type { Terminal } from '../terminal.js';
import { inColour } from '../text/colours.js';
import { brief, fromNow, moment, since } from '../text/times.js';
import { visible } from '../text/visible.js';
import { drawLine } from '../timeline.js';
import { type Page, pageQuery, withPage } from './options.js';
import { showList } from './show-list.js';

interface Filters {
  readonly status?: string;
  readonly level?: string;
  readonly type?: string;
}

/** `belfry alerts`: what must not go unnoticed, who has taken it, and taking it. */
export function addAlerts(program: Command, shell: Shell): void {
  const alerts = program.command('alerts').description('alerts: look at them, acknowledge and resolve them');
  withPage(alerts.command('list'), { times: false })
    .description('list alerts, the newest first')
    .addOption(new Option('-s, --status <status>', 'in this status').choices(ALERT_STATUSES))
    .addOption(new Option('-l, --level <level>', 'of this level').choices(ALERT_LEVELS))
    .option('-t, --type <type>', 'of this type')
    .action((options: Filters & Page) => list(shell, options));
  alerts
    .command('get')
    .description('show an alert, who was told of it, and who did what')
    .argument('<id>', 'its id')
    .action((id: string) => show(shell, id));
  for (const [verb, about] of Object.entries(MOVES))
    alerts
      .command(verb)
      .description(about)
      .argument('<id>', 'its id')
      .action((id: string) => move(shell, verb, id));
}

const MOVES = {
  acknowledge: 'take an alert, which ends its escalation',
  resolve: 'say that what an alert tells of is over',
} as const;

async function list(shell: Shell, options: Filters & Page): Promise<void> {
  const { status, level, type } = options;
  const query = { status, level, type, ...pageQuery(options) };
  await showList(shell.terminal, (await shell.client()).pages<ListedAlert>('/alerts', query), options, {
    head: ['OPENED', 'LEVEL', 'STATUS', 'TYPE', 'CODE', 'BY', 'MESSAGE', 'ID'],
    row: (one) => [
      brief(one.opened_at),
      visible(one.level),
      visible(one.status),
      visible(one.type),
      visible(one.code),
      visible(one.resolved_by ?? one.acknowledged_by ?? '-'),
      visible(one.count > 1 ? `${one.message} (${one.count} times)` : one.message),
      visible(one.id),
    ],
    state: (one) => visible(one.status),
    // What get, acknowledge and resolve take.
    whole: ['ID'],
    spare: ['MESSAGE', 'CODE'],
    none: 'There is no such alert.',
  });
}

async function show({ terminal, client }: Shell, id: string): Promise<void> {
  const alert = await (await client()).call<Alert>('GET', `/alerts/${encodeURIComponent(id)}`);
  terminal.answer(alert);
  for (const line of drawHead(terminal, alert)) terminal.line(line);
  terminal.line();
  const start = Date.parse(alert.opened_at);
  for (const [index, event] of alert.timeline.entries()) {
    const { what, how } = wordsOf(event);
    terminal.line(
      drawLine(terminal, since(Date.parse(event.at) - start), visible(event.kind).padEnd(12), what, how),
    );
    if (index === 0 && alert.timeline_left_out > 0) terminal.line(`… ${alert.timeline_left_out} more`);
  }
}

function drawHead(terminal: Terminal, alert: Alert): string[] {
  const { level, type, status, id, code, opened_at, message, escalation, count } = alert;
  const lines = [
    `${terminal.paint('bold', `${visible(level)} ${visible(type)}`)}  ${inColour(terminal, status)}  ${visible(code)}`,
    terminal.paint('dim', `${id}  ${moment(opened_at)}, ${fromNow(opened_at)}`),
    visible(count > 1 ? `${message} (${count} times)` : message),
  ];
  if (escalation !== null) {
    const { policy, steps_taken, steps, next_at } = escalation;
    const next = next_at === null ? '' : `, the next one ${fromNow(next_at)}`;
    lines.push(`escalation ${visible(policy)}: ${steps_taken} of ${steps} steps taken${next}`);
  }
  return lines;
}

function wordsOf({ actor, via, step, user_id, deliveries }: AlertEvent): { what: string; how: string } {
  const how = [
    step !== null && step > 0 && `step ${step}`,
    actor !== null && `by ${actor}`,
    via !== null && `(${via})`,
    deliveries?.map(({ channel, state }) => `${channel} ${state}`).join(', '),
  ];
  return { what: visible(user_id ?? ''), how: visible(how.filter(Boolean).join(' ')) };
}

async function move({ terminal, client }: Shell, verb: string, id: string): Promise<void> {
  const path = `/alerts/${encodeURIComponent(id)}/${verb}`;
  const alert = await (await client()).call<ListedAlert>('POST', path);
  terminal.answer(alert);
  const [by, at] =
    verb === 'resolve'
      ? [alert.resolved_by, alert.resolved_at]
      : [alert.acknowledged_by ?? alert.resolved_by, alert.acknowledged_at ?? alert.resolved_at];
  terminal.line(
    `${visible(alert.type)} is ${visible(alert.status)}, by ${visible(by ?? 'nobody')} at ${moment(at)}.`,
  );
}
