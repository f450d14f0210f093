import { orderName } from '@belfry/channels/accounts.js';
import type { Env } from '@belfry/channels/provider.js';
import type { Parsed } from '@belfry/channels/providers.js';
import { readSettings, SettingsError } from '@belfry/shared/config/read.js';
import {
  ADVISED_SECRET,
  apiSettings,
  fleetSettings,
  workerSettings,
} from '@belfry/shared/config/settings.js';
import { openDatabase } from '@belfry/shared/ledger/database.js';
import { isMigrated } from '@belfry/shared/ledger/migrate.js';
import { openEngine } from '@belfry/shared/queue/engine.js';
import { within } from '@belfry/shared/service/within.js';
import { loadCatalogue } from '@belfry/shared/templates/catalogue.js';

/** One thing that was looked at. Everything but `ok` comes with what to do. */
export interface Finding {
  readonly level: 'ok' | 'warning' | 'error';
  readonly finding: string;
  readonly remedy?: string;
}

export type Check = (env: NodeJS.ProcessEnv) => Promise<Finding[]>;

/** Below this, PostgreSQL lacks what the ledger and the queues use. */
const OLDEST_POSTGRES = 14;
const PATIENCE_MS = 5_000;

/** The settings of the API and of the workers. */
export const checkSettings: Check = async (env) => {
  const problems = [apiSettings, workerSettings].flatMap((shape) => {
    try {
      readSettings(shape, env);
      return [];
    } catch (error) {
      if (error instanceof SettingsError) return error.problems;
      throw error;
    }
  });
  if (problems.length === 0)
    return [{ level: 'ok', finding: 'The settings are complete.' }, ...weakSecret(env)];
  return [...new Set(problems)].map((problem) => ({
    level: 'error',
    finding: problem,
    remedy: 'Set it in the environment or in .env; .env.example describes every setting.',
  }));
};

function weakSecret(env: NodeJS.ProcessEnv): Finding[] {
  if ((env.JWT_SECRET?.length ?? ADVISED_SECRET) >= ADVISED_SECRET) return [];
  const remedy = `Set it to at least ${ADVISED_SECRET} random characters, for example the output of: openssl rand -base64 48`;
  return [{ level: 'warning', finding: 'JWT_SECRET is short enough to be guessed.', remedy }];
}

/** Every template. */
export const checkTemplates: Check = async (env) => {
  const settings = fleetSettings.shape.TEMPLATES_DIR.parse(env.TEMPLATES_DIR || undefined);
  try {
    const catalogue = await loadCatalogue(settings);
    return [{ level: 'ok', finding: `${catalogue.events().length} events have their templates.` }];
  } catch (error) {
    return [
      {
        level: 'error',
        finding: said(error),
        remedy: 'Mend the files it names, or set TEMPLATES_DIR to another folder.',
      },
    ];
  }
};

/** Whether the ledger can be reached, is new enough, and has this build's schema. */
export const checkDatabase: Check = async (env) => {
  if (!env.DATABASE_URL) return [];
  const database = openDatabase({ url: env.DATABASE_URL, name: 'belfry-doctor', size: 1 });
  try {
    const [server] = await database.rows<{ version: number; connections: number }>(
      `SELECT current_setting('server_version_num')::int / 10000 AS version, current_setting('max_connections')::int AS connections`,
    );
    const version = server?.version ?? 0;
    if (version < OLDEST_POSTGRES) {
      return [
        {
          level: 'error',
          finding: `PostgreSQL is version ${version}.`,
          remedy: `Upgrade it to ${OLDEST_POSTGRES} or newer.`,
        },
      ];
    }
    const findings: Finding[] = [{ level: 'ok', finding: `PostgreSQL ${version} answers.` }];
    if (!(await isMigrated(database.pool))) {
      findings.push({
        level: 'warning',
        finding: 'The schema is not up to date.',
        remedy: 'Run npm run migrate, or start the API, which does it.',
      });
    }
    if ((server?.connections ?? 0) < 100) {
      findings.push({
        level: 'warning',
        finding: `PostgreSQL allows only ${server?.connections} connections.`,
        remedy: 'Set max_connections to 200, or DATABASE_POOL lower.',
      });
    }
    return findings;
  } catch (error) {
    return [
      {
        level: 'error',
        finding: `PostgreSQL cannot be used: ${said(error)}`,
        remedy: 'Check that it runs, and the host, port, user, password and database name in DATABASE_URL.',
      },
    ];
  } finally {
    await within(PATIENCE_MS, database.close());
  }
};

/** Whether the queues can be reached and would keep what they are given. */
export const checkEngine: Check = async (env) => {
  if (!env.REDIS_URL)
    return env.DATABASE_URL ? [{ level: 'ok', finding: 'The queues are in PostgreSQL.' }] : [];
  if (!URL.canParse(env.REDIS_URL)) return [];
  let reason = 'it did not answer in time';
  const engine = openEngine({
    redisUrl: env.REDIS_URL,
    databaseUrl: '',
    name: 'belfry-doctor',
    workers: 0,
    onError: (error) => {
      reason = said(error);
    },
  });
  try {
    const up = await answersWithin(() => engine.ping());
    if (!up) {
      return [
        {
          level: 'error',
          finding: `Redis cannot be used: ${reason}`,
          remedy: 'Check that it runs, and the host, port and password in REDIS_URL.',
        },
      ];
    }
    return [{ level: 'ok', finding: 'Redis answers.' }, ...(await engine.inspect())];
  } finally {
    await engine.close();
  }
};

/** Whether somebody carries each channel. */
export function checkProviders(parse: (env: Env) => Parsed): Check {
  return async (env) => {
    const parsed = parse(env);
    if (!parsed.ok) {
      return parsed.problems.map(({ provider, setting, remedy }) => ({
        level: 'error',
        finding:
          provider === null
            ? `The order of the providers cannot be used: ${setting} names what is not there.`
            : `The provider ${provider} cannot be used: ${setting} is wrong or missing.`,
        remedy,
      }));
    }
    const carried = new Set(parsed.providers.map(({ definition }) => definition.channel));
    const names = parsed.providers.map(({ account, rate }) =>
      rate === null ? account : `${account} (${rate.points}/${rate.seconds}s)`,
    );
    const missing = (['email', 'sms'] as const).filter((channel) => !carried.has(channel));
    return [
      { level: 'ok', finding: `Providers, the preferred one of a channel first: ${names.join(', ')}.` },
      ...parsed.unused.map(
        ({ account, definition }): Finding => ({
          level: 'warning',
          finding: `The provider ${account} is set up, and ${orderName(definition.channel)} does not name it: it is not used.`,
          remedy: `Add ${account} to ${orderName(definition.channel)}, or take its settings away.`,
        }),
      ),
      ...missing.map(
        (channel): Finding => ({
          level: 'warning',
          finding: `Nobody carries ${channel}: its deliveries are held until a provider is set up.`,
          remedy: `Set ${channel === 'email' ? 'SMTP_URL' : 'TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and TWILIO_FROM'}.`,
        }),
      ),
    ];
  };
}

/** Asks again and again, since a connection takes a moment to open. */
async function answersWithin(ask: () => Promise<void>): Promise<boolean> {
  const until = performance.now() + PATIENCE_MS;
  while (performance.now() < until) {
    try {
      await ask();
      return true;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  return false;
}

/** An error's own words, without the credentials that a URL in them may hold. */
function said(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(said).join('; ');
  return error instanceof Error ? error.message.replace(/\/\/[^@\s/]+@/g, '//***@') : 'unknown';
}
