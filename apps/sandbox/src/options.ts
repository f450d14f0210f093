import { z } from 'zod';
import type { SandboxOptions } from './app.js';

const port = z.coerce.number().int().min(0).max(65_535);

const settings = z.object({
  SANDBOX_HOST: z.string().min(1).default('127.0.0.1'),
  SANDBOX_HTTP_PORT: port.default(3001),
  SANDBOX_SMTP_PORT: port.default(3025),
});

/** The settings of a sandbox from the environment; a value that will not do throws an error with its name. */
export function sandboxOptions(env: NodeJS.ProcessEnv): SandboxOptions {
  const read = settings.safeParse(env);
  if (!read.success) throw new Error(z.prettifyError(read.error));
  const { SANDBOX_HOST, SANDBOX_HTTP_PORT, SANDBOX_SMTP_PORT } = read.data;
  return { host: SANDBOX_HOST, httpPort: SANDBOX_HTTP_PORT, smtpPort: SANDBOX_SMTP_PORT };
}
