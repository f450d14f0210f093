import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, isBuilt } from './compile.mjs';
import { install, isInstalled } from './install.mjs';
import { alone } from './lock.mjs';
import { fail } from './progress.mjs';

/** The checkout. */
export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/**
 * Makes the checkout runnable: the right Node.js, what npm must install, what must be compiled. Silent and quick
 * when nothing is to be done; two copies at once do it once. Ends the process with a sentence when it cannot.
 */
export async function ensure() {
  checkNode();
  process.chdir(root);
  if (isInstalled(root) && isBuilt(root)) return;
  await alone(path.join(root, '.belfry', 'ensure.lock'), async () => {
    if (!isInstalled(root)) await install(root);
    if (!isBuilt(root)) await build(root);
  });
}

/** Ends the process when this Node.js is older than package.json asks for. */
export function checkNode() {
  const { engines } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const [major, minor] = engines.node.match(/\d+/g).map(Number);
  const [ourMajor, ourMinor] = process.versions.node.split('.').map(Number);
  if (ourMajor > major || (ourMajor === major && ourMinor >= minor)) return;
  fail(
    `Belfry needs Node.js ${major}.${minor} or newer, and this is ${process.versions.node}. Get it from https://nodejs.org, then run the command again.`,
  );
}
