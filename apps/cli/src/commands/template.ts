import { writeFile } from 'node:fs/promises';
import { CHANNELS, type Channel } from '@belfry/shared/domain/channel.js';
import { loadCatalogue } from '@belfry/shared/templates/catalogue.js';
import { CatalogueError } from '@belfry/shared/templates/problem.js';
import { createRenderer } from '@belfry/shared/templates/render.js';
import { type Command, Option } from 'commander';
import { Failure } from '../failure.js';
import type { Shell } from '../shell.js';
import { visible, visibleLines } from '../text/visible.js';
import { contextOf } from './send-body.js';

interface PreviewOptions {
  readonly locale: string;
  readonly timezone: string;
  readonly channel?: Channel;
  readonly context?: string;
  readonly out?: string;
}

/** `belfry template preview|check`: what the templates folder holds, without a server. */
export function addTemplate(program: Command, shell: Shell): void {
  const template = program.command('template').description('the texts in TEMPLATES_DIR; needs no server');

  template
    .command('preview')
    .description('show what an event would say to somebody')
    .argument('<event>', 'the event')
    .argument('[context...]', 'as for send: name=value, name:=JSON, or one JSON object')
    .option('-l, --locale <tag>', "the reader's language", 'en')
    .option('--timezone <zone>', "the reader's time zone", 'Africa/Addis_Ababa')
    .addOption(new Option('-c, --channel <channel>', 'only on this channel').choices(CHANNELS))
    .option('--context <json>', 'the context as one JSON object')
    .option('-o, --out <file>', 'write the HTML of the mail there')
    .action((event: string, words: string[], options: PreviewOptions) =>
      preview(shell, event, words, options),
    );

  template
    .command('check')
    .description('check all templates; the exit code is 1 when something is wrong')
    .action(() => check(shell));
}

/** Push and webhook say what realtime says. */
const SHOWN: readonly Channel[] = ['email', 'sms', 'realtime'];

async function preview(
  shell: Shell,
  event: string,
  words: readonly string[],
  options: PreviewOptions,
): Promise<void> {
  const { terminal } = shell;
  const { locale, timezone, out } = options;
  const catalogue = await loadCatalogue(shell.settings().TEMPLATES_DIR);
  const checked = catalogue.check(event, contextOf(words, options.context));
  if (!checked.ok) {
    throw new Failure(
      `This cannot be rendered as ${visible(event)}.`,
      ...checked.problems.map(({ path, message }) => visible(`${path}: ${message}`)),
    );
  }
  const renderer = createRenderer(catalogue);
  const answer: Record<string, unknown> = {};
  let html: string | undefined;
  for (const channel of options.channel === undefined ? SHOWN : [options.channel]) {
    const request = { event, context: checked.known, data: {}, locale, timezone, at: new Date() };
    const rendered = await renderer.render({ ...request, channel });
    if (!rendered.ok) throw new Failure(`${channel} cannot be rendered: ${visible(rendered.reason)}`);
    answer[channel] = { ...rendered.content, template: rendered.template };
    if ('html' in rendered.content) html = rendered.content.html;
    terminal.line(terminal.paint('bold', `── ${channel}`) + terminal.paint('dim', `  ${rendered.template}`));
    for (const [name, value] of Object.entries(rendered.content)) {
      if (name === 'subject' || name === 'title')
        terminal.line(terminal.paint('bold', visible(String(value))));
      if (name === 'text' || name === 'body') terminal.line(visibleLines(String(value)).trimEnd());
    }
    terminal.line();
  }
  if (out !== undefined) await writeHtml(shell, html, out);
  terminal.answer(answer);
}

async function writeHtml({ terminal, path }: Shell, html: string | undefined, out: string): Promise<void> {
  if (html === undefined)
    throw new Failure('There is no HTML here: only mail has it, where the event has email.html.liquid.');
  await writeFile(path(out), html).catch((error: Error) => {
    throw new Failure(`${visible(out)} cannot be written: ${visible(error.message)}`);
  });
  terminal.note(`The HTML is in ${visible(out)}.`);
}

async function check({ terminal, settings }: Shell): Promise<void> {
  const dir = settings().TEMPLATES_DIR;
  try {
    const events = (await loadCatalogue(dir)).events();
    terminal.answer({
      ok: true,
      events: events.map(({ name, version, locales }) => ({ name, version, locales })),
      problems: [],
    });
    for (const { name, version, locales } of events)
      terminal.line(`${terminal.paint('green', 'ok')}  ${name}@${version}  ${locales.join(', ')}`);
  } catch (error) {
    if (!(error instanceof CatalogueError)) throw error;
    const problems = error.problems.map(({ file, message }) => ({ file, line: lineIn(message), message }));
    terminal.answer({ ok: false, events: [], problems });
    for (const { file, line, message } of problems)
      terminal.line(visible(`${file}${line === null ? '' : `:${line}`}: ${message}`));
    throw new Failure(
      `${problems.length} ${problems.length === 1 ? 'problem' : 'problems'} in ${visible(dir)}.`,
    );
  }
}

/** liquidjs ends what it says of a template with where: `, line:3, col:5`. */
function lineIn(message: string): number | null {
  const line = /\bline:(\d+)/.exec(message)?.[1];
  return line === undefined ? null : Number(line);
}
