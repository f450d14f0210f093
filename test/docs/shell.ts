import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { endWithThisProcess, ROOT } from '../support/process.js';

/** A bash that a reader types into: what one command sets, the next one knows. */
export interface Shell {
  /** Runs a block of lines and returns what it printed. Rejects with its complaints when its last command failed. */
  run(lines: string): Promise<string>;
  stop(): void;
}

const PATIENCE_MS = 60_000;

/** Opens a shell in the checkout. */
export function openShell(env: Readonly<Record<string, string | undefined>>): Shell {
  const child = spawn('bash', ['--noprofile', '--norc'], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, ...env },
  });
  endWithThisProcess(child);
  child.on('error', (error) => complaints.push(`bash: ${error.message}`));
  const complaints: string[] = [];
  let printed = '';
  let look = () => {};
  child.stderr.setEncoding('utf8').on('data', (text: string) => complaints.push(text));
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
    look();
  });

  function run(lines: string): Promise<string> {
    const mark = randomUUID();
    printed = '';
    complaints.length = 0;
    return new Promise((resolve, reject) => {
      const fail = (why: string) => reject(new Error(`${why}\n${lines}\n${printed}${complaints.join('')}`));
      const late = setTimeout(() => fail(`no end after ${PATIENCE_MS} ms`), PATIENCE_MS);
      look = () => {
        const [, before, code] = new RegExp(`^(.*)${mark} (\\d+)\\n`, 's').exec(printed) ?? [];
        if (before === undefined) return;
        clearTimeout(late);
        if (code === '0') resolve(before);
        else fail(`ended with ${code}`);
      };
      child.stdin.write(`${lines}\necho "${mark} $?"\n`);
    });
  }

  return { run, stop: () => void child.kill('SIGKILL') };
}
