import { PROVIDERS } from '@belfry/channels/providers.js';
import { cliFields } from '@belfry/shared/config/cli-settings.js';
import { apiFields, fleetFields, workerFields } from '@belfry/shared/config/settings.js';
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
    ...PROVIDERS.filter(({ settings }) => Object.keys(settings.shape).length > 0).map(
      ({ name, channel, settings }) => ({
        title: `Provider \`${name}\``,
        introduction: `Read by the workers. They switch on a provider of the ${channel} channel; none of them is needed without it.`,
        optional: true as const,
        settings: settingsOf(settings.shape),
      }),
    ),
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
      ],
    },
  ];
}

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
  if (value === undefined) return null;
  if (typeof value !== 'object' || value === null) return String(value);
  if ('points' in value && 'seconds' in value) return `${value.points}/${value.seconds}s`;
  if ('address' in value && 'name' in value) return `${value.name} <${value.address}>`;
  throw new Error(`It is not known how to write ${JSON.stringify(value)}.`);
}
