import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensure, root } from './ensure.mjs';
import { COMMANDS, SERVERS } from './programs.mjs';
import { fail, leaveStdoutAlone } from './progress.mjs';

const LONG = { bench: 'test/dist/bench/main.js' };

const [what = '', ...args] = process.argv.slice(2);
const file = { ...SERVERS, ...COMMANDS, ...LONG }[what];
if (!file) fail(`"${what}" is not one of: ${Object.keys({ ...SERVERS, ...COMMANDS, ...LONG }).join(', ')}`);

if (what in COMMANDS) leaveStdoutAlone();
await ensure();
if (existsSync('.env')) process.loadEnvFile('.env');
if (what in COMMANDS) useRunningLedger();
if (what in SERVERS) followNpm();
if (!existsSync(path.join(root, file))) fail(`${file} is missing; npm run build makes it`);
// In this process, so that signals reach it; it finds its arguments where a program of its own would.
process.argv = [process.argv[0], path.join(root, file), ...args];
await import(pathToFileURL(path.join(root, file)));

// A server that npm started goes when npm is gone, whatever ended it: nobody else would be left to stop it.
function followNpm() {
  if (!process.env.npm_lifecycle_event) return;
  const parent = process.ppid;
  setInterval(() => process.ppid === parent || process.kill(process.pid, 'SIGTERM'), 500).unref();
}

// Without settings a command means the installation that `npm start` made here.
function useRunningLedger() {
  const { env } = process;
  const dataDir = path.resolve(root, env.DATA_DIR || '.belfry');
  const running = JSON.parse(readIf(path.join(dataDir, 'running.json')) || '{}');
  if (!env.BELFRY_URL && running.apiUrl) env.BELFRY_URL = running.apiUrl;
  if (!env.DATABASE_URL && running.databaseUrl) {
    env.DATABASE_URL = running.databaseUrl;
    // Whatever it was started with that is nowhere else: where its API listens, and the sandbox in the providers' place.
    for (const [name, value] of Object.entries(running.settings ?? {})) env[name] ||= value;
  }
  if (!env.JWT_SECRET) {
    const secret = readIf(path.join(dataDir, 'jwt-secret'));
    if (secret) env.JWT_SECRET = secret.trim();
  }
}

function readIf(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
