import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Client } from '../api/client.js';
import type { Accepted, Details } from '../api/shapes.js';
import { Failure } from '../failure.js';
import type { Shell } from '../shell.js';
import type { Terminal } from '../terminal.js';
import { ahead, seconds, since } from '../text/times.js';
import { visible } from '../text/visible.js';
import { drawLine, isOver, momentsOf } from '../timeline.js';
import { channelsOption, priorityOption } from './options.js';
import { bodyOf, type SendOptions } from './send-body.js';

interface Options extends SendOptions {
  readonly at?: string;
  readonly expires?: string;
  readonly idempotencyKey?: string;
  readonly wait?: true | number;
}

const PATIENCE_S = 30;
const POLL_MS = 150;

/** `belfry send`: one notification, and with `--wait` how it fares. */
export function addSend(program: Command, shell: Shell): void {
  program
    .command('send')
    .description('send a notification to a person: an event with its context, or a --message')
    .argument('<user>', 'who is told')
    .argument('[event]', 'an event that has templates, such as payment_success')
    .argument('[context...]', 'name=value, name:=JSON, or one JSON object')
    .option('-m, --message <text>', 'a free message, in the place of an event')
    .option('-t, --title <text>', 'the title of a free message')
    .option('--type <type>', 'what kind of message it is, for the application')
    .option('--context <json>', 'the context as one JSON object; words win over it')
    .option('--data <json>', 'a JSON object that is handed to the application')
    .addOption(priorityOption())
    .addOption(channelsOption())
    .option('--at <time>', 'when: a span such as 10m (from now), or ISO 8601', ahead)
    .option('--expires <time>', 'when it is of no use any more: the same', ahead)
    .option('-k, --idempotency-key <key>', 'the same key and call are done once; made up where none is given')
    .option(
      '-w, --wait [seconds]',
      `follow it until it has ended, ${PATIENCE_S} s at most`,
      seconds(1, 86_400),
    )
    .addHelpText('after', EXAMPLES)
    .action((user: string, event: string | undefined, words: string[], options: Options) =>
      send(shell, { ...bodyOf(user, event, words, options), ...times(options) }, options),
    );
}

const EXAMPLES = `
A value that is written like a number is sent as one; name:='"42"' makes it a text.

Examples:
  belfry send abebe payment_success property_title="Bole Garden" amount=12500 --wait
  belfry send sara -t "Water" -m "The water is back." --channel realtime,email
  belfry send abebe tenant_update property_title=Bole --at 2h --idempotency-key lease-17`;

function times({ at, expires }: Options) {
  return {
    ...(at === undefined ? {} : { send_at: at }),
    ...(expires === undefined ? {} : { expires_at: expires }),
  };
}

async function send(shell: Shell, body: unknown, options: Options): Promise<void> {
  const { terminal } = shell;
  const client = await shell.client();
  const key = options.idempotencyKey ?? randomUUID();
  const startedAt = performance.now();
  const accepted = await client.call<Accepted>('POST', '/notifications/send', {
    body,
    headers: { 'idempotency-key': key },
    inDoubt: `It is not known whether it was accepted. The same call with --idempotency-key ${key} is safe: it is done once.`,
  });
  const elapsed = () => since(performance.now() - startedAt);
  const id = visible(accepted.notification_id);
  terminal.line(drawLine(terminal, elapsed(), 'accepted', '', id));
  if (options.wait === undefined) {
    terminal.answer(accepted);
    for (const { channel, state, reason } of accepted.deliveries)
      terminal.line(
        drawLine(
          terminal,
          '',
          visible(channel),
          visible(state),
          reason === undefined ? '' : `(${visible(reason)})`,
        ),
      );
    return;
  }
  const patience = (options.wait === true ? PATIENCE_S : options.wait) * 1_000;
  const ended = await follow(shell, client, id, elapsed, startedAt + patience);
  terminal.answer(ended);
  if (!isOver(ended)) {
    throw new Failure(
      `It has not ended after ${patience / 1_000} s.`,
      `belfry get ${id} shows how it goes on.`,
    );
  }
  if (ended.status === 'FAILED') throw new Failure('It was not delivered on every channel.');
}

/** Tells each change as it is seen, until everything is over or time is up; returns the last that was seen. */
async function follow(
  { terminal, stopped }: Shell,
  client: Client,
  id: string,
  elapsed: () => string,
  until: number,
): Promise<Details> {
  const told = new Set(['accepted']);
  for (;;) {
    const details = await client.call<Details>('GET', `/notifications/${encodeURIComponent(id)}`);
    tellNews(terminal, details, told, elapsed());
    if (isOver(details) || performance.now() >= until) return details;
    await delay(POLL_MS, undefined, { signal: stopped });
  }
}

function tellNews(terminal: Terminal, details: Details, told: Set<string>, time: string): void {
  for (const { key, channel, what, how } of momentsOf(details)) {
    if (told.has(key)) continue;
    told.add(key);
    terminal.line(drawLine(terminal, time, channel, what, how));
  }
}
