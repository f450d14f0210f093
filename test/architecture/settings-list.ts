import { orderFields, settingsOf as settingsOfProvider } from '@belfry/channels/accounts.js';
import { PROVIDERS } from '@belfry/channels/providers.js';
import { cliFields } from '@belfry/shared/config/cli-settings.js';
import { apiFields, fleetFields, tracingFields, workerFields } from '@belfry/shared/config/settings.js';
import type { z } from 'zod';

/** One setting, as a reader sees it. */
export interface Setting {
  readonly name: string;
  /** As it would be written in the environment; null where there is none. */
  readonly standard: string | null;
  readonly required: boolean;
  readonly description: string;
}

/** Settings that are read together. */
export interface Group {
  readonly title: string;
  /** Who reads them. */
  readonly introduction: string;
  /** What a reader of the example has to know besides. */
  readonly note?: string;
  /** Nobody has to use this part; what is required is so only for those who do. */
  readonly optional?: true;
  readonly settings: readonly Setting[];
}

type Fields = Readonly<Record<string, z.ZodType>>;

/** Every setting there is, from the schemas that read them. */
export function settingGroups(): Group[] {
  return [
    {
      title: 'Every process',
      introduction: 'Read by the API, the workers and the commands.',
      settings: settingsOf(fleetFields),
    },
    {
      title: 'API',
      introduction: 'Read by `npm run api` and, for tokens, `npm run token`.',
      settings: settingsOf(apiFields),
    },
    { title: 'Workers', introduction: 'Read by `npm run worker`.', settings: settingsOf(workerFields) },
    {
      title: 'Traces',
      introduction:
        'Read by the API and the workers. Without a collector nothing is traced, and neither the SDK nor its exporter is loaded.',
      settings: settingsOf(tracingFields),
    },
    {
      title: 'Accounts of providers',
      introduction: `Read by the workers. ${ACCOUNTS}`,
      note: ACCOUNTS,
      settings: settingsOf(orderFields),
    },
    ...providerGroups(Object.keys(apiFields)),
    {
      title: 'Command line',
      introduction:
        'Read by `npm run belfry`, which also reads `PORT`, `TEMPLATES_DIR` and what it needs to make a token.',
      settings: settingsOf(cliFields),
    },
    {
      title: '`npm start`',
      introduction: 'Read by `npm start` and the commands beside it.',
      settings: [
        {
          name: 'DATA_DIR',
          standard: '.belfry',
          required: false,
          description: 'Where the embedded PostgreSQL, the secret for tokens and the logs are kept.',
        },
      ],
    },
    {
      title: 'Sandbox',
      introduction: 'Read by `npm run sandbox`, which stands in for providers in development and in tests.',
      settings: [
        {
          name: 'SANDBOX_HOST',
          standard: '127.0.0.1',
          required: false,
          description: 'The address it listens on.',
        },
        {
          name: 'SANDBOX_HTTP_PORT',
          standard: '3001',
          required: false,
          description: 'Its page and its HTTP API; 0 takes a free port.',
        },
        {
          name: 'SANDBOX_SMTP_PORT',
          standard: '3025',
          required: false,
          description: 'Its mail server; 0 takes a free port.',
        },
        {
          name: 'SANDBOX_PUSH_PORT',
          standard: '3026',
          required: false,
          description: 'Its push service, with TLS; 0 takes a free port.',
        },
        {
          name: 'SANDBOX_DATA_DIR',
          standard: null,
          required: false,
          description:
            'Where the certificate, the keys and the subscriptions of its push services are kept over a restart.',
        },
        {
          name: 'SANDBOX_SMS_WEBHOOK',
          standard: null,
          required: false,
          description:
            'Where answers to text messages are handed over, such as `http://127.0.0.1:3000/api/v1/inbound/twilio/sms`; `npm start` sets it.',
        },
        {
          name: 'SANDBOX_TWILIO_TOKEN',
          standard: null,
          required: false,
          description: 'What they are signed with: the `TWILIO_AUTH_TOKEN` of the API. Without it, 32 zeros.',
        },
      ],
    },
  ];
}

/** A group for each provider that has settings. What another group has already is only named in the introduction. */
function providerGroups(elsewhere: readonly string[]): Group[] {
  const told = new Set(elsewhere);
  return PROVIDERS.filter(({ settings }) => Object.keys(settings.shape).length > 0).map((definition) => {
    const { name, channel } = definition;
    const fields = settingsOfProvider(definition);
    const shared = Object.keys(fields).filter((key) => told.has(key));
    const own = settingsOf(fields).filter((one) => !told.has(one.name));
    for (const one of own) told.add(one.name);
    const also =
      shared.length === 0 ? '' : ` ${shared.map((key) => `\`${key}\``).join(', ')}, above, is read too.`;
    return {
      title: `Provider \`${name}\``,
      introduction: `Read by the workers. They switch on a provider of the ${channel} channel; none of them is needed without it.${also}`,
      optional: true as const,
      settings: own,
    };
  });
}

/** How there can be more settings than are listed. */
const ACCOUNTS = [
  'A provider can be used through up to nine accounts: every setting of a provider below may be given again with `_2` to `_9` behind its name.',
  'So `SMTP_URL_2` sets up the account `smtp-2`. What an account may leave out it takes from the first, except secrets and what would switch a provider on by itself.',
  'The accounts of a channel are tried as the providers are listed below, and by number, unless a setting here says otherwise.',
].join(' ');

/** What needs more than its default to be written down. */
const STANDARDS: Readonly<Record<string, string>> = { TEMPLATES_DIR: 'templates' };

function settingsOf(fields: Fields): Setting[] {
  return Object.entries(fields).map(([name, field]) => {
    const unset = field.safeParse(undefined);
    return {
      name,
      standard: STANDARDS[name] ?? (unset.success ? written(unset.data) : null),
      required: !unset.success,
      description: field.description ?? field.meta()?.description ?? '',
    };
  });
}

/** A value as it is written in the environment. */
function written(value: unknown): string | null {
  // A limit that is off by itself.
  if (value === null) return 'off';
  if (value === undefined) return null;
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return value.map(written).join(',');
  if ('points' in value && 'seconds' in value) return `${value.points}/${value.seconds}s`;
  if ('address' in value && 'name' in value) return `${value.name} <${value.address}>`;
  throw new Error(`It is not known how to write ${JSON.stringify(value)}.`);
}
