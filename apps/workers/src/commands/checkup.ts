import { orderName, type ParsedAccount, saidOf } from '@belfry/channels/accounts.js';
import type { Env } from '@belfry/channels/provider.js';
import type { Parsed } from '@belfry/channels/providers.js';
import { readSettings, SettingsError } from '@belfry/shared/config/read.js';
import {
  ADVISED_SECRET,
  apiSettings,
  fleetSettings,
  workerSettings,
} from '@belfry/shared/config/settings.js';
import { openEngine } from '@belfry/shared/queue/engine.js';
import { isIdle, selectQueues } from '@belfry/shared/queue/topology.js';
import { loadCatalogue } from '@belfry/shared/templates/catalogue.js';

/** One thing that was looked at. Everything but `ok` comes with what to do. */
export interface Finding {
  readonly level: 'ok' | 'warning' | 'error';
  readonly finding: string;
  readonly remedy?: string;
}

export type Check = (env: NodeJS.ProcessEnv) => Promise<Finding[]>;

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
    return [{ level: 'ok', finding: 'The settings are complete.' }, ...weakSecret(env), ...idleQueues(env)];
  const errors = [...new Set(problems)].map((problem): Finding => {
    const [name = ''] = problem.split(' ', 1);
    return { level: 'error', finding: problem, remedy: REMEDIES[name] ?? REMEDY };
  });
  return [...errors, ...idleQueues(env)];
};

const REMEDY = 'Set it in the environment or in .env; .env.example describes every setting.';
/** Where something better can be said. */
const REMEDIES: Readonly<Record<string, string>> = {
  DATABASE_URL:
    'Set it to postgres://user:password@host:5432/name, in the environment or in .env; npm start needs none, and brings its own PostgreSQL.',
  JWT_SECRET:
    'Set it to the output of: openssl rand -base64 48, the same for every process, in the environment or in .env.',
  TWILIO_AUTH_TOKEN: 'Set it to the Auth Token from the Twilio console for the API, or SMS_ANSWERS to off.',
  PUBLIC_URL: 'Set it to where people reach the API, such as https://belfry.example.com.',
  REDIS_URL:
    'Set it to redis://:password@host:6379 or rediss://…, or leave it out: then the queues are in PostgreSQL.',
};

function weakSecret(env: NodeJS.ProcessEnv): Finding[] {
  if (!env.JWT_SECRET || env.JWT_SECRET.length >= ADVISED_SECRET) return [];
  const remedy = `Set it to at least ${ADVISED_SECRET} random characters, for example the output of: openssl rand -base64 48`;
  return [{ level: 'warning', finding: 'JWT_SECRET is short enough to be guessed.', remedy }];
}

function idleQueues(env: NodeJS.ProcessEnv): Finding[] {
  const chosen = selectQueues(env.WORKER_QUEUES || '*');
  const remedy = 'Name queues as in email.*,*.critical,upkeep, or leave WORKER_QUEUES out to serve all.';
  if (isIdle(chosen))
    return [
      { level: 'error', finding: 'WORKER_QUEUES matches no queue: a worker would do nothing.', remedy },
    ];
  if (chosen.unknown.length === 0) return [];
  const finding = `WORKER_QUEUES names no queue with ${chosen.unknown.join(', ')}.`;
  return [{ level: 'warning', finding, remedy }];
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

/** Whether the queues can be reached and would keep what they are given. */
export const checkEngine: Check = async (env) => {
  if (!env.REDIS_URL)
    return env.DATABASE_URL ? [{ level: 'ok', finding: 'The queues are in PostgreSQL.' }] : [];
  if (!URL.canParse(env.REDIS_URL)) return [];
  const { host } = new URL(env.REDIS_URL);
  let reason: unknown;
  const engine = openEngine({
    redisUrl: env.REDIS_URL,
    databaseUrl: '',
    name: 'belfry-doctor',
    workers: 0,
    onError: (error) => {
      reason ??= error;
    },
  });
  try {
    const up = await answersWithin(() => engine.ping());
    if (!up) return [whyNoRedis(said(reason), host)];
    return [{ level: 'ok', finding: 'Redis answers.' }, ...(await engine.inspect())];
  } catch (error) {
    return [whyNoRedis(said(error), host)];
  } finally {
    await engine.close();
  }
};

function whyNoRedis(reason: string, host: string): Finding {
  if (/WRONGPASS|NOAUTH|invalid password/i.test(reason)) {
    return {
      level: 'error',
      finding: `Redis at ${host} refuses the user or password in REDIS_URL.`,
      remedy:
        'Mend it: redis://:password@host:6379, or redis://user:password@host:6379 where Redis has users.',
    };
  }
  if (/ECONNREFUSED/.test(reason)) {
    return {
      level: 'error',
      finding: `Nothing listens at ${host}, where REDIS_URL expects Redis.`,
      remedy:
        'Start Redis, mend the host and port in REDIS_URL, or leave it out: then the queues are in PostgreSQL.',
    };
  }
  return {
    level: 'error',
    finding: `Redis at ${host} cannot be used: ${reason}.`,
    remedy: 'Check that it runs, and the host, port and password in REDIS_URL.',
  };
}

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
      ...(await probed(parsed.providers)),
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

/** What the providers say that can be asked without sending anything, all at the same time. */
async function probed(providers: readonly ParsedAccount[]): Promise<Finding[]> {
  const asked = providers.map(async (account): Promise<Finding[]> => {
    const probe = await account.definition.probe?.(account.settings);
    if (probe === undefined) return [];
    if (probe.kind === 'answers') return [{ level: 'ok', finding: probe.finding }];
    const { kind, finding } = probe;
    const remedy = saidOf(account, probe.remedy);
    return [{ level: kind === 'refuses' ? 'error' : 'warning', finding, remedy }];
  });
  return (await Promise.all(asked)).flat();
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
export function said(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(said).join('; ');
  if (error === undefined) return 'it did not answer in time';
  return error instanceof Error ? error.message.replace(/\/\/[^@\s/]+@/g, '//***@') : 'unknown';
}
