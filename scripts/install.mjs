import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fail, run, say, since } from './progress.mjs';

/** True when what lies in node_modules is what package-lock.json asks for. */
export function isInstalled(root) {
  const lockHash = hashOfLock(root);
  if (readText(stampFile(root)) === lockHash) return true;
  if (!matchesLock(root)) return false;
  writeStamp(root, lockHash); // somebody ran npm by hand
  return true;
}

/** Installs what is missing, with npm's own words when it fails. Development packages too: Belfry is built here. */
export async function install(root) {
  const startedAt = performance.now();
  const fresh = !existsSync(path.join(root, 'node_modules'));
  say(fresh ? 'Installing packages (once; a minute or two)' : 'Installing packages that changed');
  const { file, args } = npm();
  // Not `npm ci`: it refuses a lock file that does not name the optional packages of every platform. --no-save
  // takes the versions of the lock file just as strictly, and writes neither it nor package.json.
  const flags = ['--no-save', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  const code = await run('installing', file, [...args, 'install', ...flags], { cwd: root });
  if (code !== 0)
    fail(
      'npm could not install the packages; what it said is above. Without a network nothing can be installed.',
    );
  writeStamp(root, hashOfLock(root));
  say(`Packages installed in ${since(startedAt)}`);
}

// The npm that runs us, rather than another one that happens to be first in PATH.
function npm() {
  const cli = process.env.npm_execpath;
  if (cli && path.basename(cli) === 'npm-cli.js') return { file: process.execPath, args: [cli] };
  return { file: 'npm', args: [] };
}

function stampFile(root) {
  return path.join(root, 'node_modules', '.belfry-installed');
}

// The platform belongs to it: a node_modules that was copied from another system holds the wrong binaries.
function hashOfLock(root) {
  const hash = createHash('sha256').update(`${process.platform}-${process.arch}\n`);
  return hash.update(readFileSync(path.join(root, 'package-lock.json'))).digest('hex');
}

// npm keeps a lock file of what it really installed, without the packages of other platforms.
function matchesLock(root) {
  const installed = readJson(path.join(root, 'node_modules', '.package-lock.json'))?.packages;
  const wanted = readJson(path.join(root, 'package-lock.json'))?.packages;
  if (!installed || !wanted) return false;
  return Object.entries(wanted).every(([name, entry]) => {
    if (!name.includes('node_modules/')) return true;
    const found = installed[name];
    if (found) return found.version === entry.version && existsSync(path.join(root, name));
    return (entry.optional || entry.peer) === true && !isForThisPlatform(entry);
  });
}

function isForThisPlatform({ os, cpu }) {
  return (!os || os.includes(process.platform)) && (!cpu || cpu.includes(process.arch));
}

// In a read-only image nothing can be noted, and nothing needs to be.
function writeStamp(root, text) {
  try {
    writeFileSync(stampFile(root), text);
  } catch (error) {
    if (error.code !== 'EROFS' && error.code !== 'EACCES') throw error;
  }
}

function readText(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function readJson(file) {
  const text = readText(file);
  return text === undefined ? undefined : JSON.parse(text);
}
