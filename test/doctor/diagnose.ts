import { ROOT, startProcess } from '../support/process.js';

/** What the doctor found. */
export interface Diagnosis {
  readonly code: number | null;
  readonly ok: boolean;
  readonly findings: readonly { level: 'ok' | 'warning' | 'error'; finding: string; remedy?: string }[];
}

/** Runs the doctor with these settings and no others, away from any `.env`. */
export async function diagnose(
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
): Promise<Diagnosis> {
  const { code, stdout, stderr } = await runDoctor(env, cwd, ['--json']);
  if (stdout === '') throw new Error(`the doctor said nothing, but: ${stderr}`);
  return { code, ...JSON.parse(stdout) };
}

/** The same as it is read on a terminal. */
export async function runDoctor(
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
  args: readonly string[] = [],
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const options = { readyMessage: false, inheritEnv: false, args, cwd };
  const child = await startProcess(`${ROOT}/apps/workers/bundle/commands/doctor.js`, env, options);
  const { code } = await child.exited;
  return { code, stdout: child.stdout.join('\n'), stderr: child.stderr.join('\n') };
}
