import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { ChildSpec } from './child.js';
import { openLog } from './log-file.js';

/** Runs a command to its end, `limitMs` at most or until `stop`; returns a sentence when it fails. */
export async function runOnce(
  spec: ChildSpec & { readonly args?: readonly string[] },
  limitMs: number,
  stop: AbortSignal,
): Promise<string | undefined> {
  mkdirSync(spec.logDir, { recursive: true });
  const lines: string[] = [];
  const log = openLog(path.join(spec.logDir, `${spec.name}.log`), (line) => {
    lines.push(line);
    if (lines.length > 3) lines.shift();
  });
  const child = spawn(process.execPath, [spec.file, ...(spec.args ?? [])], {
    cwd: spec.cwd,
    env: spec.env,
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
    timeout: limitMs,
    signal: stop,
    killSignal: 'SIGKILL',
  });
  const ending = await new Promise<string | undefined>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(code === 0 ? undefined : (signal ?? `exit code ${code}`)));
  });
  log.close();
  return ending && `${spec.name} failed (${ending}): ${lines.join(' / ')}`;
}
