import { existsSync } from 'node:fs';
import path from 'node:path';
import { watchNpm } from './npm-parent.js';
import { complain } from './report.js';
import { readLocalSettings } from './settings.js';
import { supervise } from './supervisor.js';

const stop = new AbortController();
const hurry = new AbortController();
let askedAt = 0;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, askToStop);
watchNpm(askToStop);
// A terminal that was closed takes no more lines; that is no reason to stop half-way.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

const envFile = path.resolve('.env');
if (existsSync(envFile)) process.loadEnvFile(envFile);
const settings = readLocalSettings(process.env);
if ('problem' in settings) complain(settings.problem);
process.exit(
  'problem' in settings ? 1 : await supervise(settings, { stop: stop.signal, hurry: hurry.signal }),
);

// A Ctrl-C comes twice, from the terminal and through npm, so only a later one counts as the second.
function askToStop(): void {
  if (stop.signal.aborted) {
    if (performance.now() - askedAt > 700) hurry.abort();
    return;
  }
  askedAt = performance.now();
  stop.abort();
  // The last resort: whatever still runs sees the channel close and ends by itself.
  setTimeout(() => process.exit(1), 9500).unref();
}
