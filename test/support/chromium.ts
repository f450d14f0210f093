import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Starts the Chromium that is on the PATH, without a window. Throws with a remedy when there is none. */
export async function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: find(), headless: true, args: ARGS, timeout: 30_000 });
}

function find(): string {
  for (const folder of (process.env.PATH ?? '').split(delimiter))
    for (const name of NAMES) if (runs(join(folder, name))) return join(folder, name);
  throw new Error(`No browser found. Install Chromium (one of ${NAMES.join(', ')} on the PATH).`);
}

function runs(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
