import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { fail, run, say, since } from './progress.mjs';

const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const MAC_BROWSER = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome';

/**
 * Finds the programs that the tests run beside Node.js, a Redis server, Chromium and mosquitto, and installs them through apt-get
 * where that is allowed. Ends the process with one line that says what to install where it is not.
 */
export async function ensureTools() {
  if (missing().length > 0) await installWithApt(missing());
  const still = missing();
  if (still.length > 0) {
    const hint =
      process.platform === 'darwin'
        ? 'brew install redis mosquitto && brew install --cask google-chrome'
        : `sudo apt-get install ${still.join(' ')}`;
    fail(`The tests need ${still.join(' and ')}: ${hint}`);
  }
  return { redisServer: findRedis(), chromium: findBrowser(), mosquitto: findMosquitto() };
}

function missing() {
  return [
    !findRedis() && 'redis-server',
    !findBrowser() && 'chromium',
    !findMosquitto() && 'mosquitto',
  ].filter(Boolean);
}

function findRedis() {
  return process.env.REDIS_SERVER_PATH || find('redis-server') || find('valkey-server');
}

function findMosquitto() {
  return process.env.MOSQUITTO_PATH || find('mosquitto');
}

function findBrowser() {
  const found = BROWSERS.map(find).find(Boolean);
  return process.env.CHROMIUM_PATH || found || (isExecutable(MAC_BROWSER) ? MAC_BROWSER : undefined);
}

async function installWithApt(names) {
  if (process.getuid?.() !== 0 || !find('apt-get')) return;
  const startedAt = performance.now();
  say(`Installing ${names.join(' and ')} (once)`);
  // RUNLEVEL=1: the package must not start a Redis server or a broker of its own. An absent package list is fetched first.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const aptGet = (...args) =>
    run('installing', 'apt-get', ['-q', '-y', '-o', 'Acquire::Retries=3', ...args], { env });
  const known = spawnSync('apt-cache', ['show', ...names], { stdio: 'ignore' }).status === 0;
  if (!known) await aptGet('update');
  const packages = ['install', '--no-install-recommends', ...names];
  const code = await aptGet(...packages);
  // An old package list names files that the mirror has replaced.
  if (code !== 0 && known && (await aptGet('update')) === 0) await aptGet(...packages);
  say(`Done in ${since(startedAt)}`);
}

function find(name) {
  const dirs = (process.env.PATH ?? '')
    .split(path.delimiter)
    .concat(
      '/usr/bin',
      '/usr/sbin',
      '/usr/local/bin',
      '/usr/local/sbin',
      '/opt/homebrew/bin',
      '/opt/homebrew/sbin',
    );
  return dirs.map((dir) => path.join(dir, name)).find(isExecutable);
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
