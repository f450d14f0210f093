import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { EscalationPolicy } from '../api/shapes.js';
import { Failure, UsageError } from '../failure.js';
import type { Shell } from '../shell.js';
import { visible } from '../text/visible.js';
import { type Page, pageQuery, withPage } from './options.js';
import { showList } from './show-list.js';

const PATH = '/escalation-policies';

/** `belfry escalation list|get|put|remove`: what happens while nobody acknowledges an alert. */
export function addEscalation(program: Command, shell: Shell): void {
  const { terminal } = shell;
  const escalation = program
    .command('escalation')
    .description('escalation policies: what happens while nobody acknowledges an alert');

  withPage(escalation.command('list'), { times: false })
    .description('list the policies that were written, by their names')
    .action(async (options: Page) => {
      const policies = (await shell.client()).pages<EscalationPolicy>(PATH, pageQuery(options));
      await showList(terminal, policies, options, {
        head: ['NAME', 'STEPS', 'REPEAT', 'UPDATED'],
        row: (one) => [
          visible(one.name),
          String(one.steps.length),
          String(one.repeat),
          visible(one.updated_at ?? '-'),
        ],
        none: 'Nobody has written one: "belfry escalation get default" shows what holds.',
      });
    });

  escalation
    .command('get')
    .description('show a policy; "default" is always there')
    .argument('<name>', 'the type of the alerts, or default')
    .action(async (name: string) => show(shell, await (await shell.client()).call('GET', pathOf(name))));

  escalation
    .command('put')
    .description('write a policy, or replace it')
    .argument('<name>', 'the type of the alerts, or default')
    .argument('<file>', 'JSON with steps and repeat, as the API takes it; - reads stdin')
    .action(async (name: string, file: string) => {
      const body = await jsonIn(shell, file);
      show(shell, await (await shell.client()).call('PUT', pathOf(name), { body }));
    });

  escalation
    .command('remove')
    .description('remove a policy; alerts that are open go on by their copy of it')
    .argument('<name>', 'the policy')
    .action(async (name: string) => {
      await (await shell.client()).call('DELETE', pathOf(name));
      terminal.answer({ removed: name });
      terminal.line(`${visible(name)} is removed.`);
    });
}

function pathOf(name: string): string {
  return `${PATH}/${encodeURIComponent(name)}`;
}

async function jsonIn({ stdin }: Shell, file: string): Promise<unknown> {
  const text = await (file === '-' ? textOf(stdin) : readFile(file, 'utf8')).catch((error: Error) => {
    throw new Failure(`${visible(file)} cannot be read: ${visible(error.message)}`);
  });
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError(`${file === '-' ? 'What came' : visible(file)} is not JSON.`, EXAMPLE);
  }
}

const EXAMPLE = 'Such as {"steps": [{"after_ms": 300000, "notify": {"admins": true}}], "repeat": 1}.';

async function textOf(stdin: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  for await (const chunk of stdin) text += String(chunk);
  return text;
}

function show({ terminal }: Shell, policy: EscalationPolicy): void {
  terminal.answer(policy);
  const { name, steps, repeat, built_in } = policy;
  terminal.line(`${visible(name)}${built_in ? ', which is built in' : ''}, repeated ${repeat} times`);
  for (const [index, step] of steps.entries()) {
    const { users = [], groups = [], on_call, admins } = step.notify;
    const who = [
      ...(on_call === true ? ['on call'] : []),
      ...(admins === true ? ['admins'] : []),
      ...groups.map((group) => `group ${group}`),
      ...users,
    ];
    const where = step.channels === undefined ? '' : ` by ${step.channels.join(', ')}`;
    terminal.line(
      visible(
        `${index + 1}. ${step.name ?? 'step'}, after ${step.after_ms / 1_000} s: ${who.join(', ')}${where}`,
      ),
    );
  }
}
