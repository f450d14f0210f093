import type { Limit } from '@belfry/shared/config/fields.js';
import type { Channel } from '@belfry/shared/domain/channel.js';
import { inOrder, type ParsedAccount, readAccounts, type SettingProblem } from './accounts.js';
import { ses } from './email/ses.js';
import { smtp } from './email/smtp.js';
import type { Abilities, Env, Ports, Provider, ProviderDefinition } from './provider.js';
import { fcm } from './push/fcm.js';
import { webpush } from './push/webpush.js';
import { inbox } from './realtime/inbox.js';
import { twilio } from './sms/twilio.js';
import { webhook } from './webhook/webhook.js';

/** Every provider that Belfry has. Within a channel, the first that is configured is tried first. */
export const PROVIDERS: readonly ProviderDefinition[] = [inbox, smtp, ses, twilio, webpush, fcm, webhook];

/** An account of a provider that is ready to send, with what the sender must know about it. */
export interface OpenProvider {
  /** What the account is called: `smtp`, `smtp-2`. */
  readonly account: string;
  readonly provider: Provider;
  readonly abilities: Abilities;
  /** How fast the whole fleet may send through it; null without a limit. */
  readonly rate: Limit | null;
}

/** The providers that `env` switches on with their first account, in order of preference. */
export function configuredProviders(env: Env): readonly ProviderDefinition[] {
  return PROVIDERS.filter((definition) => definition.configured(env));
}

export type Parsed =
  | {
      readonly ok: true;
      readonly providers: readonly ParsedAccount[];
      /** Set up, but left out of the order. */
      readonly unused: readonly ParsedAccount[];
    }
  | { readonly ok: false; readonly problems: readonly SettingProblem[] };

/**
 * Checks the settings of all accounts that are switched on, and reports every problem at once. The accounts of a channel
 * are in order of preference.
 */
export function parseSettings(env: Env): Parsed {
  // `NAME=` in a .env file means that the setting is left out.
  const given = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ''),
  );
  const read = PROVIDERS.flatMap((definition) => readAccounts(definition, given));
  const problems = read.flatMap((one) => (one.ok ? [] : one.problems));
  const accounts = read.flatMap((one) => (one.ok ? [one.account] : []));
  const ordered = inOrder(accounts, given);
  // An account whose settings are wrong would be missed in the order too; that is no problem of its own.
  if (problems.length === 0) problems.push(...ordered.problems);
  if (problems.length > 0) return { ok: false, problems };
  const unused = accounts.filter((one) => !ordered.accounts.includes(one));
  return { ok: true, providers: ordered.accounts, unused };
}

/**
 * Loads the SDKs of the parsed accounts and makes them ready. Opens no connection. `concurrency` is how many messages of
 * a channel the process sends at once at most.
 */
export async function openProviders(
  parsed: readonly ParsedAccount[],
  ports: Ports,
  concurrency: Readonly<Partial<Record<Channel, number>>> = {},
): Promise<readonly OpenProvider[]> {
  return Promise.all(
    parsed.map(async ({ account, definition, settings, rate }) => {
      const most = concurrency[definition.channel];
      const load = most === undefined ? undefined : { concurrency: most };
      return {
        account,
        provider: await definition.create(settings, ports, load),
        abilities: definition.abilities,
        rate,
      };
    }),
  );
}
