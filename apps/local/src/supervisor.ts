import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { adminToken } from './admin-token.js';
import { DEMO_NOTIFICATION, sendDemo } from './demo.js';
import { type Fleet, startFleet, stopFleet } from './fleet.js';
import { portProblem } from './free-port.js';
import { takeLock } from './lock.js';
import { bold, complain, print, say, warn } from './report.js';
import { keepSecret } from './secret.js';
import type { LocalSettings } from './settings.js';

/** How the supervisor is told to end: in order, or at once. */
export type StopSignals = { readonly stop: AbortSignal; readonly hurry: AbortSignal };

/**
 * Runs Belfry on this machine until `stop`, then stops every part in order. Returns the exit code: 0 after a stop,
 * 1 when it could not start (the reason is on stderr).
 */
export async function supervise(settings: LocalSettings, { stop, hurry }: StopSignals): Promise<number> {
  mkdirSync(settings.dataDir, { recursive: true });
  const lock = await takeDataDir(settings, stop);
  if ('heldBy' in lock) {
    const { pid } = lock.heldBy;
    complain(
      `it already runs on ${settings.dataDir}, as process ${pid}. Stop that one first (Ctrl-C there, or kill ${pid}), or start this one with another PORT and DATA_DIR.`,
    );
    return 1;
  }
  const fleet: Fleet = { workers: [] };
  try {
    const problem = await run(fleet, settings, stop);
    if (problem && !stop.aborted) {
      complain(problem);
      return 1;
    }
    await aborted(stop);
    return 0;
  } finally {
    say('stopping');
    writeFileSync(stoppingFile(settings), '');
    await stopFleet(fleet, hurry);
    rmSync(runningFile(settings), { force: true });
    lock.release();
    rmSync(stoppingFile(settings), { force: true });
    say('stopped');
  }
}

// npm ends before what it started has stopped, so a start right after a stop meets the end of the last one. Whether that
// one is stopping is looked up before its lock, and it gives up the lock before that file: so a held lock without the file
// is held by one that goes on.
async function takeDataDir(settings: LocalSettings, stop: AbortSignal): Promise<ReturnType<typeof takeLock>> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const stopping = existsSync(stoppingFile(settings));
    const lock = takeLock(path.join(settings.dataDir, 'supervisor.lock'));
    if (!('heldBy' in lock)) {
      rmSync(stoppingFile(settings), { force: true });
      return lock;
    }
    if (!stopping || Date.now() > deadline || stop.aborted) return lock;
    await delay(100);
  }
}

async function run(fleet: Fleet, settings: LocalSettings, stop: AbortSignal): Promise<string | undefined> {
  const taken = await checkPort(settings);
  if (taken) return taken;
  const given = settings.env.JWT_SECRET?.trim();
  if (!given && settings.databaseUrl) {
    return 'JWT_SECRET is required with a database of your own, so that every start takes the same tokens; set it to at least 32 random characters, for example the output of: openssl rand -base64 48';
  }
  const jwtSecret = given || keepSecret(path.join(settings.dataDir, 'jwt-secret'));
  const problem = await startFleet(fleet, settings, jwtSecret, stop);
  if (problem || stop.aborted) return problem;
  const { apiUrl = '', databaseUrl } = fleet;
  const running = { pid: process.pid, apiUrl, databaseUrl, settings: fleet.settings };
  writeFileSync(runningFile(settings), JSON.stringify(running), { mode: 0o600 });

  const token = await adminToken(jwtSecret, settings.env);
  if (token && fleet.postgres) {
    say(`sending a notification to ${DEMO_NOTIFICATION.user_id}`);
    const failed = await sendDemo({ apiUrl, token, root: settings.root, signal: stop }, (line) =>
      print(` ${line}`),
    );
    if (failed && !stop.aborted) warn(failed);
  }
  if (!stop.aborted) printAddresses(fleet, settings, apiUrl, token);
  return undefined;
}

async function checkPort(settings: LocalSettings): Promise<string | undefined> {
  const { port, host } = settings;
  // After a start that was killed by force its processes are about to end by themselves: they get that time.
  const deadline = Date.now() + (existsSync(runningFile(settings)) ? 10_000 : 0);
  for (;;) {
    const code = await portProblem(port, host);
    if (!code) return undefined;
    if (code !== 'EADDRINUSE')
      return `cannot listen on ${host} port ${port} (${code}); choose others with HOST and PORT`;
    if (Date.now() >= deadline) {
      return `port ${port} on ${host} is taken by another program; stop that one, or choose another, for example PORT=${port + 10} npm start`;
    }
    await delay(200);
  }
}

function printAddresses(
  fleet: Fleet,
  settings: LocalSettings,
  apiUrl: string,
  token: string | undefined,
): void {
  const lines = [
    ['Console', `${apiUrl}/`],
    ['Inbox', `${apiUrl}/inbox${tokenHint(fleet, token)}`],
    ['Queues', `${apiUrl}/admin/queues`],
    ['API', `${apiUrl}/docs`],
    ['Sandbox', fleet.sandboxUrl],
    ['Logs', path.join(settings.dataDir, 'logs')],
    ['Commands', 'npm run belfry -- --help'],
  ];
  print('');
  for (const [name, value] of lines) if (name && value) print(`  ${bold(name.padEnd(10))} ${value}`);
  print('');
  if (token)
    print(
      `${fleet.postgres ? 'Send one yourself; the token opens the console, the queues and the API page too:' : 'See what was sent; the token opens the console, the queues and the API page too:'}\n\n${curl(apiUrl, token, fleet.postgres !== undefined)}\n`,
    );
  say(`${bold('Belfry is ready')}; Ctrl-C stops it`);
}

// An inbox is opened by the token of its person. Abebe is one of the demo people.
function tokenHint(fleet: Fleet, token: string | undefined): string {
  return token && fleet.postgres ? '  (its token: npm run --silent token -- --role user --sub abebe)' : '';
}

// The demo people are only in the embedded ledger; in another one nobody is written to without being asked.
function curl(apiUrl: string, token: string, hasDemoPeople: boolean): string {
  const authorization = `-H 'Authorization: Bearer ${token}'`;
  if (!hasDemoPeople) return `curl -sS ${authorization} '${apiUrl}/api/v1/notifications?limit=5'`;
  const body = JSON.stringify(DEMO_NOTIFICATION);
  return `curl -sS -X POST ${authorization} -H 'Content-Type: application/json' -d '${body}' ${apiUrl}/api/v1/notifications/send`;
}

/** Tells the one-shot commands which ledger is running here; its presence at a start says that one was killed. */
function runningFile(settings: LocalSettings): string {
  return path.join(settings.dataDir, 'running.json');
}

/** There while the parts are being stopped. */
function stoppingFile(settings: LocalSettings): string {
  return path.join(settings.dataDir, 'stopping');
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
