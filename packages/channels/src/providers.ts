import type { Channel } from '@belfry/shared/domain/channel.js';
import type { z } from 'zod';
import { ses } from './email/ses.js';
import { smtp } from './email/smtp.js';
import type { Abilities, Env, Ports, Provider, ProviderDefinition } from './provider.js';
import { inbox } from './realtime/inbox.js';
import { twilio } from './sms/twilio.js';
import { webhook } from './webhook/webhook.js';

/** Every provider that Belfry has. Within a channel, the first that is configured is tried first. */
export const PROVIDERS: readonly ProviderDefinition[] = [inbox, smtp, ses, twilio, webhook];

/** A provider that is ready to send, with what the sender must know about it. */
export interface OpenProvider {
  readonly provider: Provider;
  readonly abilities: Abilities;
}

/** One setting that stands in the way, and what to do about it. Never holds the value that was found. */
export interface SettingProblem {
  readonly provider: string;
  readonly setting: string;
  readonly remedy: string;
}

/** A provider with its settings checked. */
export interface ParsedProvider {
  readonly definition: ProviderDefinition;
  readonly settings: z.output<z.ZodObject>;
}

export type Parsed =
  | { readonly ok: true; readonly providers: readonly ParsedProvider[] }
  | { readonly ok: false; readonly problems: readonly SettingProblem[] };

/** The providers that `env` switches on, in order of preference. */
export function configuredProviders(env: Env): readonly ProviderDefinition[] {
  return PROVIDERS.filter((definition) => definition.configured(env));
}

/** Checks the settings of all providers that are switched on, and reports every problem at once. */
export function parseSettings(env: Env): Parsed {
  // `NAME=` in a .env file means that the setting is left out.
  const given = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ''),
  );
  const providers: ParsedProvider[] = [];
  const problems: SettingProblem[] = [];
  for (const definition of configuredProviders(given)) {
    const parsed = definition.settings.safeParse(given);
    if (parsed.success) providers.push({ definition, settings: parsed.data });
    else problems.push(...problemsOf(definition, parsed.error));
  }
  return problems.length === 0 ? { ok: true, providers } : { ok: false, problems };
}

/**
 * Loads the SDKs of the parsed providers and makes them ready. Opens no connection. `concurrency` is how many messages of
 * a channel the process sends at once at most.
 */
export async function openProviders(
  parsed: readonly ParsedProvider[],
  ports: Ports,
  concurrency: Readonly<Partial<Record<Channel, number>>> = {},
): Promise<readonly OpenProvider[]> {
  return Promise.all(
    parsed.map(async ({ definition, settings }) => {
      const most = concurrency[definition.channel];
      const load = most === undefined ? undefined : { concurrency: most };
      return {
        provider: await definition.create(settings, ports, load),
        abilities: definition.abilities,
      };
    }),
  );
}

function problemsOf(definition: ProviderDefinition, error: z.ZodError): SettingProblem[] {
  return error.issues.map((issue) => ({
    provider: definition.name,
    setting: String(issue.path[0] ?? ''),
    remedy: issue.message,
  }));
}
