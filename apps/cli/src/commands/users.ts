import { createInterface } from 'node:readline/promises';
import { CHANNELS } from '@belfry/shared/domain/channel.js';
import { type Command, InvalidArgumentError } from 'commander';
import type { Person, Preferences } from '../api/shapes.js';
import { Failure, UsageError } from '../failure.js';
import type { Shell } from '../shell.js';
import { visible } from '../text/visible.js';
import { addImport } from './import.js';
import { type Page, pageQuery, several, withPage } from './options.js';
import { showList } from './show-list.js';

interface PeopleFilter {
  readonly search?: string;
  readonly group?: string;
  readonly role?: string;
  readonly active?: boolean;
}

interface PutOptions {
  readonly email?: string;
  readonly phone?: string;
  readonly locale?: string;
  readonly timezone?: string;
  readonly role?: readonly string[];
  readonly group?: readonly string[];
  readonly active?: boolean;
  readonly prefer?: Readonly<Record<string, boolean>>;
}

/** `belfry users list|get|put|erase|import`. */
export function addUsers(program: Command, shell: Shell): void {
  const { terminal } = shell;
  const users = program
    .command('users')
    .description('people: who can be told something, where, and what they wish');

  withPage(users.command('list'), { times: false })
    .description('list people by their ids')
    .option('--search <text>', 'with this in their id, address or number')
    .option('--group <group>', 'in this group')
    .option('--role <role>', 'in this role')
    .option('--active', 'who are told things')
    .option('--no-active', 'who are not')
    .action(async (options: Page & PeopleFilter) => {
      const { search, group, role, active } = options;
      const query = { search, group, role, active, ...pageQuery(options) };
      await showList(terminal, (await shell.client()).pages<Person>('/users', query), options, {
        head: ['ID', 'EMAIL', 'PHONE', 'LOCALE', 'ROLES', 'ACTIVE'],
        row: (one) => [
          visible(one.id),
          visible(one.email ?? '-'),
          visible(one.phone ?? '-'),
          visible(one.locale ?? '-'),
          visible(one.roles.join(',') || '-'),
          one.active ? 'yes' : 'no',
        ],
        none: 'There is nobody.',
      });
    });

  users
    .command('get')
    .description('show a person and what they wish')
    .argument('<id>', 'the person')
    .action((id: string) => show(shell, id));

  users
    .command('put')
    .description('add a person, or change what is given of one')
    .argument('<id>', 'the person')
    .option('--email <address>', 'where mail goes; "" removes it')
    .option('--phone <number>', 'where text messages go, as +251911000001; "" removes it')
    .option('--locale <tag>', 'the language, such as en, am or om')
    .option('--timezone <zone>', 'such as Africa/Addis_Ababa')
    .option('--role <roles>', 'all roles; several with commas', several)
    .option('--group <groups>', 'all groups; several with commas', several)
    .option('--active', 'is told things')
    .option('--no-active', 'is not told anything')
    .option('--prefer <channel=on|off>', 'what the person wishes, such as sms=on,email=off', wishes)
    .action((id: string, options: PutOptions) => put(shell, id, options));

  users
    .command('erase')
    .description("erase a person's data and call off what waits for them; it cannot be undone")
    .argument('<id>', 'the person')
    .option('-y, --yes', 'do not ask')
    .action((id: string, options: { yes?: boolean }) => erase(shell, id, options.yes === true));

  addImport(users, shell);
}

async function show(shell: Shell, id: string): Promise<void> {
  const { terminal } = shell;
  const client = await shell.client();
  const path = `/users/${encodeURIComponent(id)}`;
  const person = await client.call<Person>('GET', path);
  const preferences = await client.call<Preferences>('GET', `${path}/preferences`);
  const whole = { ...person, preferences };
  terminal.answer(whole);
  for (const [name, value] of Object.entries({ ...whole, ...shownWishes(preferences) }))
    terminal.line(`${terminal.paint('dim', visible(name).padEnd(12))} ${visible(spelled(value))}`);
}

/** Wishes as lines: what holds for the channels, what was said of single events, and the quiet hours. */
function shownWishes({ events, quiet_hours, ...channels }: Preferences) {
  const switched = (one: Readonly<Record<string, boolean>>) =>
    Object.entries(one).map(([channel, on]) => `${channel} ${on ? 'on' : 'off'}`);
  return {
    preferences: switched(channels),
    ...Object.fromEntries(Object.entries(events).map(([event, said]) => [`- ${event}`, switched(said)])),
    'quiet hours': quiet_hours === null ? null : `${quiet_hours.from} to ${quiet_hours.to}`,
  };
}

function spelled(value: unknown): string {
  if (Array.isArray(value)) return value.join(', ') || '-';
  return value === null || value === undefined ? '-' : String(value);
}

async function put(shell: Shell, id: string, options: PutOptions): Promise<void> {
  const { email, phone, locale, timezone, role, group, active, prefer } = options;
  const body = {
    ...(email === undefined ? {} : { email: email || null }),
    ...(phone === undefined ? {} : { phone: phone || null }),
    ...(locale === undefined ? {} : { locale }),
    ...(timezone === undefined ? {} : { timezone }),
    ...(role === undefined ? {} : { roles: role }),
    ...(group === undefined ? {} : { groups: group }),
    ...(active === undefined ? {} : { active }),
  };
  const client = await shell.client();
  const path = `/users/${encodeURIComponent(id)}`;
  // Wishes alone must not add somebody who is not there.
  if (Object.keys(body).length > 0 || prefer === undefined) await client.call('PUT', path, { body });
  if (prefer !== undefined) await client.call('PUT', `${path}/preferences`, { body: prefer });
  await show(shell, id);
}

async function erase(shell: Shell, id: string, sure: boolean): Promise<void> {
  const { terminal } = shell;
  if (!sure) await confirm(shell, `Erase everything about ${visible(id)}? Type the id to do it: `, id);
  const client = await shell.client();
  await client.call('DELETE', `/users/${encodeURIComponent(id)}`);
  terminal.answer({ erased: id });
  terminal.line(`${visible(id)} is erased.`);
}

async function confirm({ stdin, stderr, stopped }: Shell, question: string, expected: string): Promise<void> {
  if (!stdin.isTTY)
    throw new UsageError('Nobody is there to be asked.', 'Add --yes to do it without asking.');
  const asking = createInterface({ input: stdin, output: stderr });
  try {
    const answer = await asking.question(question, { signal: stopped });
    if (answer.trim() !== expected) throw new Failure('Nothing was erased.');
  } finally {
    asking.close();
  }
}

function wishes(value: string, earlier: Readonly<Record<string, boolean>> = {}): Record<string, boolean> {
  const wished = { ...earlier };
  for (const one of several(value)) {
    const [channel = '', switched = ''] = one.split('=');
    if (!CHANNELS.some((known) => known === channel) || !(switched in SWITCHES))
      throw new InvalidArgumentError(
        `"${one}" is not a channel=on or channel=off; channels: ${CHANNELS.join(', ')}.`,
      );
    wished[channel] = SWITCHES[switched as keyof typeof SWITCHES];
  }
  return wished;
}

const SWITCHES = { on: true, true: true, yes: true, off: false, false: false, no: false };
