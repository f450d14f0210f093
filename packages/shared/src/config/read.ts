import { existsSync } from 'node:fs';
import type { z } from 'zod';

/** The settings are wrong: every problem, one a line, and no value that could be a secret. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(
      `The settings cannot be used:\n${problems.map((problem) => `  - ${problem}`).join('\n')}\nSee .env.example for all settings.`,
    );
    this.problems = problems;
  }
}

/** Reads `.env` in the working directory, if there is one; what the environment already has wins. */
export function loadEnvFile(path = '.env'): void {
  if (existsSync(path)) process.loadEnvFile(path);
}

/**
 * Checks the environment against `shape`. Throws `SettingsError` with all problems together, those that were found
 * `elsewhere` among them.
 */
export function readSettings<Shape extends z.ZodType>(
  shape: Shape,
  env: NodeJS.ProcessEnv = process.env,
  elsewhere: readonly string[] = [],
): z.infer<Shape> {
  const given = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = shape.safeParse(given);
  if (parsed.success && elsewhere.length === 0) return parsed.data;
  const problems = parsed.error?.issues.map((issue) => {
    const name = issue.path.join('.');
    return given[name] === undefined && issue.code === 'invalid_type'
      ? `${name} is required.`
      : `${name} ${issue.message}.`;
  });
  throw new SettingsError([...(problems ?? []), ...elsewhere]);
}
