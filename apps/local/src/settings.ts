import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** What `npm start` itself needs to know; everything else is checked by the processes it starts. */
export type LocalSettings = {
  /** The checkout. */
  readonly root: string;
  /** Where the embedded ledger, the secrets and the logs are kept; absolute. */
  readonly dataDir: string;
  readonly port: number;
  readonly host: string;
  /** The ledger to use instead of an embedded one. */
  readonly databaseUrl: string | undefined;
  /** True when no provider of the channel is configured, so the sandbox stands in. */
  readonly sandboxed: Readonly<Record<'email' | 'sms' | 'push' | 'webhook', boolean>>;
  /** The environment that the processes inherit, with `.env` read. */
  readonly env: NodeJS.ProcessEnv;
};

/** Any of them switches a provider of email on. AWS_REGION does not: every machine in that cloud has it. */
const EMAIL_SIGNS = [
  'SMTP_URL',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'SES_ENDPOINT',
  'SES_CREDENTIALS',
];

/** The same for push. */
const PUSH_SIGNS = ['VAPID_PUBLIC_KEY', 'VAPID_PRIVATE_KEY', 'FCM_CREDENTIALS'];

/** Reads the settings; all problems are told together, one sentence each. */
export function readLocalSettings(env: NodeJS.ProcessEnv): LocalSettings | { readonly problem: string } {
  const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
  const port = Number(given(env, 'PORT') ?? 3000);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    return { problem: `PORT must be a number from 1 to 65535, and is "${env.PORT}"` };
  }
  return {
    root,
    dataDir: path.resolve(root, given(env, 'DATA_DIR') ?? '.belfry'),
    port,
    host: given(env, 'HOST') ?? '127.0.0.1',
    databaseUrl: given(env, 'DATABASE_URL'),
    sandboxed: {
      email: !EMAIL_SIGNS.some((name) => anyAccount(env, name)),
      sms: !anyAccount(env, 'TWILIO_ACCOUNT_SID'),
      push: !PUSH_SIGNS.some((name) => anyAccount(env, name)),
      webhook: !given(env, 'WEBHOOK_SECRETS'),
    },
    env,
  };
}

/** A setting that is not there or empty is not given. */
function given(env: NodeJS.ProcessEnv, name: string): string | undefined {
  return env[name]?.trim() || undefined;
}

/** Accounts have numbers behind the names of their settings; whoever has a second one needs no first. */
function anyAccount(env: NodeJS.ProcessEnv, name: string): boolean {
  return Object.keys(env).some((key) => key.replace(/_[2-9]$/, '') === name && given(env, key) !== undefined);
}
