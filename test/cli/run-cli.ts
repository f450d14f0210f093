import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable, Writable } from 'node:stream';
import { runCommandLine } from '@belfry/cli/run.js';
import type { Fleet } from '../support/fleet.js';
import type { Json } from '../support/http.js';
import { endWithThisProcess, ROOT } from '../support/process.js';

export type CliEnv = Readonly<Record<string, string | undefined>>;

/** How a command ended, and what it wrote. */
export interface CliRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly env?: CliEnv;
  /** Given on standard input, which is otherwise empty. */
  readonly input?: string;
}

const LIMIT_MS = 60_000;
export const CLI = path.join(ROOT, 'apps/cli/bundle/main.js');

/** Runs a command line in this process, with this environment and no other, as the program does it. */
export async function runCli(
  args: readonly string[],
  { env = {}, input = '' }: CliOptions = {},
): Promise<CliRun> {
  const [stdout, stderr] = [listener(), listener()];
  const code = await runCommandLine(args, {
    stdin: Readable.from([Buffer.from(input)]),
    stdout: stdout.stream,
    stderr: stderr.stream,
    env: { ...env },
    path: (file) => path.resolve(tmpdir(), file),
    stopping: AbortSignal.timeout(LIMIT_MS),
  });
  return { code: code ?? 0, stdout: stdout.text(), stderr: stderr.text() };
}

function listener() {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  return { stream, text: () => Buffer.concat(chunks).toString() };
}

/** Runs the program as a process of its own, with this environment and no other, away from any `.env`, to its end. */
export function runProgram(
  args: readonly string[],
  { env = {} }: Pick<CliOptions, 'env'> = {},
): Promise<CliRun> {
  const child = spawn(process.execPath, [CLI, ...args], {
    cwd: tmpdir(),
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LIMIT_MS,
    killSignal: 'SIGKILL',
  });
  endWithThisProcess(child);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr })));
}

/** The command line as it is used on a fleet: it makes its own token. */
export function cliOf(fleet: Fleet) {
  const env = { BELFRY_URL: fleet.api.url, JWT_SECRET: fleet.env.JWT_SECRET };
  async function run(...args: readonly string[]): Promise<CliRun> {
    return runCli(args, { env });
  }
  return {
    env,
    run,
    /** Runs a command that has to do well, and gives what it printed. */
    async text(...args: readonly string[]): Promise<string> {
      const { code, stdout, stderr } = await run(...args);
      if (code !== 0) throw new Error(`belfry ${args.join(' ')} ended with ${code}\n${stdout}${stderr}`);
      return stdout;
    },
    /** The same with `--json`: one value. */
    async json(...args: readonly string[]): Promise<Json> {
      return JSON.parse(await this.text(...args, '--json'));
    },
  };
}
