import { examine } from '@belfry/workers/commands/examine.js';
import { ROOT, startProcess } from '../support/process.js';

export type Settings = Readonly<Record<string, string | undefined>>;

export interface Finding {
  readonly level: 'ok' | 'warning' | 'error';
  readonly finding: string;
  readonly remedy?: string | undefined;
}

/** What the doctor finds with these settings and no others. */
export async function diagnose(env: Settings): Promise<Finding[]> {
  const findings: Finding[] = [];
  for await (const finding of examine({ ...env })) findings.push(finding);
  return findings;
}

/** The same by the program, away from any `.env`, with how it ended. */
export async function diagnoseAlone(
  env: Settings,
  cwd: string,
): Promise<{ readonly code: number | null; readonly ok: boolean; readonly findings: readonly Finding[] }> {
  const { code, stdout, stderr } = await runDoctor(env, cwd, ['--json']);
  if (stdout === '') throw new Error(`the doctor said nothing, but: ${stderr}`);
  return { code, ...JSON.parse(stdout) };
}

/** The program as it is read on a terminal. */
export async function runDoctor(
  env: Settings,
  cwd: string,
  args: readonly string[] = [],
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const options = { readyMessage: false, inheritEnv: false, args, cwd };
  const child = await startProcess(`${ROOT}/apps/workers/bundle/commands/doctor.js`, env, options);
  const { code } = await child.exited;
  return { code, stdout: child.stdout.join('\n'), stderr: child.stderr.join('\n') };
}
