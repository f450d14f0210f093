import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Child, startChild } from './child.js';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.js';
import { preferPort } from './free-port.js';
import { runOnce } from './one-shot.js';
import { pushSettings, vapidPair } from './push-settings.js';
import { say, warn } from './report.js';
import { keepSecret } from './secret.js';
import type { LocalSettings } from './settings.js';

/** Everything that `npm start` runs, in the order in which it starts. */
export type Fleet = {
  postgres?: EmbeddedPostgres;
  sandbox?: Child;
  api?: Child;
  workers: Child[];
  /** Where things can be reached, once they can. */
  apiUrl?: string;
  sandboxUrl?: string;
  databaseUrl?: string;
  /** The settings that every part has and that are in no environment: the address, and where the sandbox stands in. */
  settings?: NodeJS.ProcessEnv;
};

/** Two lanes: the urgent has a process of its own, so nothing that is many can keep it waiting. */
const LANES = {
  'worker-express': '*.critical,*.high,escalation,upkeep',
  'worker-rest': '*.normal,*.low,fanout,upkeep',
};

/** What the lanes have in common. They share this machine, so neither can have the port that a setting names. */
const LANE = { MIGRATE: 'off', WORKER_PORT: '0' };

/**
 * Starts the parts one after the other, each as soon as what it needs is there, and puts them into `fleet` as they
 * start, so that they can be stopped at any moment. Returns a sentence when one cannot start.
 */
export async function startFleet(
  fleet: Fleet,
  settings: LocalSettings,
  jwtSecret: string,
  stop: AbortSignal,
): Promise<string | undefined> {
  const problem = await startLedger(fleet, settings, stop);
  if (problem || stop.aborted) return problem;
  const stand = await startSandbox(fleet, settings, stop);
  if (typeof stand === 'string' || stop.aborted) return typeof stand === 'string' ? stand : undefined;

  const { env: given, port, host } = settings;
  const PUBLIC_URL = publicUrl(settings);
  fleet.settings = { ...stand, PORT: String(port), HOST: host, PUBLIC_URL };
  const env = {
    ...given,
    ...fleet.settings,
    DATABASE_URL: fleet.databaseUrl,
    JWT_SECRET: jwtSecret,
    DATA_DIR: settings.dataDir,
  };
  const child = (name: string, file: string, more: NodeJS.ProcessEnv = {}) =>
    startChild({ ...place(settings), name, file: path.join(settings.root, file), env: { ...env, ...more } });

  fleet.api = child('api', 'apps/api/bundle/main.js');
  for (const [name, queues] of Object.entries(LANES)) {
    fleet.workers.push(child(name, 'apps/workers/bundle/main.js', { ...LANE, WORKER_QUEUES: queues }));
  }
  const api = await untilStopped(fleet.api.ready, stop);
  if ('problem' in api || stop.aborted) return 'problem' in api ? String(api.problem) : undefined;
  fleet.apiUrl = reachable(String(api.url ?? `http://${settings.host}:${settings.port}`));
  say(`API on ${fleet.apiUrl}`);
  if (fleet.postgres) {
    const file = path.join(settings.root, 'apps/api/bundle/commands/seed.js');
    const { webhook, push } = settings.sandboxed;
    const args = [
      ...(webhook ? ['--webhooks', `${fleet.sandboxUrl}/webhook`] : []),
      ...(push ? ['--devices', `${fleet.sandboxUrl}`] : []),
    ];
    const failed = await runOnce({ ...place(settings), name: 'seed', file, args, env }, 60_000, stop);
    if (failed) return failed;
    say('demo people are in the ledger');
  }
  for (const worker of fleet.workers) {
    const answer = await untilStopped(worker.ready, stop);
    if ('problem' in answer) return stop.aborted ? undefined : String(answer.problem);
  }
  say(`${fleet.workers.length} workers: ${Object.values(LANES).join(' and ')}`);
  return undefined;
}

/** Stops the parts in the opposite order, within 10 s; `hurry` cuts it short. */
export async function stopFleet(fleet: Fleet, hurry: AbortSignal): Promise<void> {
  const children = [fleet.api, ...fleet.workers, fleet.sandbox];
  const killAll = () => {
    for (const child of children) child?.kill();
  };
  if (hurry.aborted) killAll();
  hurry.addEventListener('abort', killAll, { once: true });
  await Promise.all([fleet.api, ...fleet.workers].map((child) => child?.stop(5000)));
  await fleet.sandbox?.stop(500);
  await fleet.postgres?.stop();
}

async function startLedger(
  fleet: Fleet,
  settings: LocalSettings,
  stop: AbortSignal,
): Promise<string | undefined> {
  if (settings.databaseUrl) {
    fleet.databaseUrl = settings.databaseUrl;
    say('ledger: the PostgreSQL of DATABASE_URL');
    return undefined;
  }
  const started = await startEmbeddedPostgres({ dataDir: settings.dataDir });
  if ('problem' in started) return started.problem;
  fleet.postgres = started;
  fleet.databaseUrl = started.url;
  say(`PostgreSQL on 127.0.0.1:${started.port}${started.note ? `; ${started.note}` : ''}`);
  void keepLedger(fleet, started, settings, stop);
  return undefined;
}

// On the same port: the other processes know only that one, and come back by themselves.
async function keepLedger(
  fleet: Fleet,
  first: EmbeddedPostgres,
  settings: LocalSettings,
  stop: AbortSignal,
): Promise<void> {
  let postgres = first;
  for (let pauseMs = 500; ; pauseMs = Math.min(pauseMs * 2, 10_000)) {
    const why = await postgres.ended;
    if (stop.aborted || !why) return;
    warn(`${why}; it is started again`);
    for (;;) {
      await delay(pauseMs, undefined, { signal: stop }).catch(() => {});
      if (stop.aborted) return;
      const again = await startEmbeddedPostgres({ dataDir: settings.dataDir, port: first.port });
      if (!('problem' in again)) {
        postgres = again;
        fleet.postgres = again;
        say('PostgreSQL is back');
        break;
      }
      warn(again.problem);
    }
  }
}

/** Starts the sandbox for the channels that have no provider, and gives the settings that lead there. */
async function startSandbox(
  fleet: Fleet,
  settings: LocalSettings,
  stop: AbortSignal,
): Promise<NodeJS.ProcessEnv | string> {
  const { email, sms, push, webhook } = settings.sandboxed;
  if (!email && !sms && !push && !webhook) return {};
  const http = await preferPort(wanted(settings.env.SANDBOX_HTTP_PORT) ?? settings.port + 1, '127.0.0.1');
  const smtp = await preferPort(wanted(settings.env.SANDBOX_SMTP_PORT) ?? settings.port + 2, '127.0.0.1');
  const tls = await preferPort(wanted(settings.env.SANDBOX_PUSH_PORT) ?? settings.port + 3, '127.0.0.1');
  fleet.sandbox = startChild({
    ...place(settings),
    name: 'sandbox',
    file: path.join(settings.root, 'apps/sandbox/bundle/main.js'),
    env: {
      ...settings.env,
      SANDBOX_HTTP_PORT: String(http),
      SANDBOX_SMTP_PORT: String(smtp),
      SANDBOX_PUSH_PORT: String(tls),
      ...(push ? { VAPID_PUBLIC_KEY: vapidPair(settings.dataDir).VAPID_PUBLIC_KEY } : {}),
      SANDBOX_DATA_DIR: settings.env.SANDBOX_DATA_DIR || path.join(settings.dataDir, 'sandbox'),
      SANDBOX_SMS_WEBHOOK: `${publicUrl(settings)}/api/v1/inbound/twilio/sms`,
      SANDBOX_TWILIO_TOKEN: TWILIO_TOKEN,
    },
  });
  const answer = await untilStopped(fleet.sandbox.ready, stop);
  if ('problem' in answer) return stop.aborted ? {} : String(answer.problem);
  fleet.sandboxUrl = reachable(String(answer.httpUrl));
  const stoodInFor = [email && 'email', sms && 'SMS', push && 'push', webhook && 'webhooks'].filter(
    (name) => name !== false,
  );
  say(`sandbox on ${fleet.sandboxUrl}, standing in for ${new Intl.ListFormat('en-GB').format(stoodInFor)}`);
  const mail = {
    SMTP_URL: String(answer.smtpUrl),
    MAIL_FROM: settings.env.MAIL_FROM || 'Belfry <belfry@example.org>',
    OPERATOR_EMAIL: settings.env.OPERATOR_EMAIL || 'operator@example.org',
  };
  const twilio = {
    TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
    TWILIO_AUTH_TOKEN: TWILIO_TOKEN,
    // the number that Twilio's own test credentials may send from
    TWILIO_FROM: settings.env.TWILIO_FROM || '+15005550006',
    TWILIO_BASE_URL: fleet.sandboxUrl,
    // Its telephones can answer.
    SMS_ANSWERS: settings.env.SMS_ANSWERS || 'on',
  };
  const receiver = {
    WEBHOOK_SECRETS: `whsec_${Buffer.from(keepSecret(path.join(settings.dataDir, 'webhook-secret')), 'base64url').toString('base64')}`,
    // Without encryption, and inside: to the sandbox alone.
    WEBHOOK_ALLOW_HTTP: settings.env.WEBHOOK_ALLOW_HTTP || 'listed',
    WEBHOOK_ALLOW_ADDRESSES: [settings.env.WEBHOOK_ALLOW_ADDRESSES, new URL(fleet.sandboxUrl).host]
      .filter(Boolean)
      .join(' '),
  };
  const { env, dataDir } = settings;
  const pushes = push
    ? await pushSettings({ url: fleet.sandboxUrl, certificate: String(answer.certificate), dataDir, env })
    : {};
  return { ...(email ? mail : {}), ...(sms ? twilio : {}), ...pushes, ...(webhook ? receiver : {}) };
}

/** The sandbox takes any; answers are signed with it. */
const TWILIO_TOKEN = '0'.repeat(32);

/** Where people reach the API, unless a setting says so: on this machine. */
function publicUrl({ env, host, port }: LocalSettings): string {
  return (
    env.PUBLIC_URL?.replace(/\/+$/, '') ||
    reachable(`http://${host.includes(':') ? `[${host}]` : host}:${port}`)
  );
}

/** A port that a setting asks for; whatever is no port leaves the choice to us. */
function wanted(port: string | undefined): number | undefined {
  return port !== undefined && /^\d{1,5}$/.test(port.trim()) ? Number(port) : undefined;
}

function place(settings: LocalSettings): { cwd: string; logDir: string } {
  return { cwd: settings.root, logDir: path.join(settings.dataDir, 'logs') };
}

async function untilStopped<T>(work: Promise<T>, stop: AbortSignal): Promise<T | { problem: string }> {
  const stopped = new Promise<{ problem: string }>((resolve) => {
    const answer = { problem: 'it was stopped while it started' };
    if (stop.aborted) resolve(answer);
    else stop.addEventListener('abort', () => resolve(answer), { once: true });
  });
  return Promise.race([work, stopped]);
}

// A server that listens on every address is reached on the loopback one.
function reachable(url: string): string {
  const address = new URL(url);
  if (address.hostname === '0.0.0.0') address.hostname = '127.0.0.1';
  if (address.hostname === '[::]') address.hostname = '[::1]';
  return address.origin;
}
