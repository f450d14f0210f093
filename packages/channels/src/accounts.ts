import { type Limit, limit } from '@belfry/shared/config/fields.js';
import { CHANNELS, type Channel } from '@belfry/shared/domain/channel.js';
import { z } from 'zod';
import type { Env, ProviderDefinition } from './provider.js';

/*
 * A provider may be used through several accounts. The first has the settings as they are, the others the same names with
 * a number behind them: `SMTP_URL_2`, `TWILIO_ACCOUNT_SID_3`. No provider knows of it.
 */

/** The highest number that an account may have. */
const MOST_ACCOUNTS = 9;

/** One account of a provider, with its settings checked. */
export interface ParsedAccount {
  /** The provider's name, from the second account on with its number: `smtp`, `smtp-2`. */
  readonly account: string;
  readonly definition: ProviderDefinition;
  readonly settings: z.output<z.ZodObject>;
  /** How fast the whole fleet may send through it; null without a limit. */
  readonly rate: Limit | null;
}

/** One setting that stands in the way, and what to do about it. Never holds the value that was found. */
export interface SettingProblem {
  /** The account; null when it is the order of accounts that is wrong. */
  readonly provider: string | null;
  readonly setting: string;
  readonly remedy: string;
}

export type ReadAccount =
  | { readonly ok: true; readonly account: ParsedAccount }
  | { readonly ok: false; readonly name: string; readonly problems: readonly SettingProblem[] };

/**
 * Every setting of a provider: its own, and how fast it may be used. The inbox has no limit, nor has what goes to servers of the
 * recipients' own.
 */
export function settingsOf(definition: ProviderDefinition): Readonly<Record<string, z.ZodType>> {
  const own = definition.settings.shape;
  const unlimited = Object.keys(own).length === 0 || definition.abilities.perReceiver === true;
  return unlimited ? own : { ...own, [rateName(definition)]: RATE };
}

/** Reads every account of a provider that `env` switches on, by number. `env` has no empty values. */
export function readAccounts(definition: ProviderDefinition, env: Env): ReadAccount[] {
  const names = Object.keys(settingsOf(definition));
  const read: ReadAccount[] = definition.configured(env)
    ? [readAccount(definition, definition.name, env, '')]
    : [];
  for (let number = 2; number <= MOST_ACCOUNTS; number += 1) {
    const suffix = `_${number}`;
    const own = pick(names, (name) => env[name + suffix]);
    if (Object.keys(own).length === 0 || !definition.configured(own)) continue;
    const shared = pick(shareable(definition), (name) => env[name]);
    read.push(readAccount(definition, `${definition.name}-${number}`, { ...shared, ...own }, suffix));
  }
  return read;
}

function readAccount(definition: ProviderDefinition, name: string, env: Env, suffix: string): ReadAccount {
  const settings = definition.settings.safeParse(env);
  const limited = Object.hasOwn(settingsOf(definition), rateName(definition));
  const rate = RATE.safeParse(limited ? env[rateName(definition)] : undefined);
  if (settings.success && rate.success) {
    return { ok: true, account: { account: name, definition, settings: settings.data, rate: rate.data } };
  }
  const problem = (setting: string, remedy: string) => ({
    provider: name,
    setting: setting + suffix,
    remedy,
  });
  const problems = (settings.error?.issues ?? []).map((issue) =>
    problem(String(issue.path[0] ?? ''), issue.message),
  );
  if (!rate.success) problems.push(problem(rateName(definition), RATE_REMEDY));
  return { ok: false, name, problems };
}

/** What is said about a provider's settings, with their names as they are for one of its accounts. */
export function saidOf({ account, definition }: ParsedAccount, sentence: string): string {
  const suffix = account.slice(definition.name.length).replace('-', '_');
  const names = Object.keys(settingsOf(definition)).join('|');
  return sentence.replace(new RegExp(`\\b(${names})\\b`, 'g'), `$1${suffix}`);
}

/**
 * The settings that an account takes from the first one when it leaves them out. What makes an account is never mixed:
 * neither what is secret, nor what by itself would switch the provider on.
 */
function shareable(definition: ProviderDefinition): string[] {
  return Object.entries(settingsOf(definition)).flatMap(([name, field]) => {
    const needed = !field.safeParse(undefined).success || field.meta()?.secret === true;
    return needed || definition.configured({ [name]: 'given' }) ? [] : [name];
  });
}

function pick(names: readonly string[], value: (name: string) => string | undefined): Env {
  return Object.fromEntries(
    names.flatMap((name) => {
      const found = value(name);
      return found === undefined ? [] : [[name, found]];
    }),
  );
}

const RATE_REMEDY = 'set it to so many in so many seconds, such as 50/1s, or to off';

const RATE = limit
  .default(null)
  .describe(
    'How many messages the whole fleet hands to this account at most, as 50/1s, or off. What is beyond it waits and costs no attempt.',
  );

function rateName({ name }: ProviderDefinition): string {
  return `${name.toUpperCase().replaceAll('-', '_')}_RATE`;
}

/** The setting that holds the order of a channel's accounts. */
export const orderName = (channel: Channel) => `${channel.toUpperCase()}_PROVIDERS`;

/** Which accounts of a channel are used, and in which order. The inbox is the only one of its channel. */
export const orderFields: Readonly<Record<string, z.ZodType<string | undefined>>> = Object.fromEntries(
  CHANNELS.filter((channel) => channel !== 'realtime').map((channel) => [
    orderName(channel),
    z
      .string()
      .optional()
      .describe(
        `The accounts that carry ${channel}, the preferred one first, as names with commas between them. Without it all that are set up.`,
      ),
  ]),
);

/**
 * Puts the accounts into the order that `env` wishes for, channel by channel; one that is not named is not used. Without a
 * wish they stay as they are: by the list of providers, and by number.
 */
export function inOrder(
  accounts: readonly ParsedAccount[],
  env: Env,
): { readonly accounts: readonly ParsedAccount[]; readonly problems: readonly SettingProblem[] } {
  const problems: SettingProblem[] = [];
  const ordered = CHANNELS.flatMap((channel) => {
    const there = accounts.filter(({ definition }) => definition.channel === channel);
    const setting = orderName(channel);
    const wish = Object.hasOwn(orderFields, setting) ? env[setting] : undefined;
    if (wish === undefined) return there;
    const names = [...new Set(wish.split(',').map((name) => name.trim()))].filter((name) => name !== '');
    const known = there.map(({ account }) => account);
    const unknown = names.filter((name) => !known.includes(name));
    if (unknown.length > 0 || names.length === 0) {
      const choice =
        known.length === 0
          ? `take it away, or set up an account for ${channel} first`
          : `set it to some of: ${known.join(', ')}; any other account needs its own settings first`;
      problems.push({ provider: null, setting, remedy: choice });
    }
    return names.flatMap((name) => there.filter(({ account }) => account === name));
  });
  return { accounts: ordered, problems };
}
