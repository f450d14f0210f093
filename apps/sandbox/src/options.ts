import { z } from 'zod';
import type { SandboxOptions } from './app.js';

const port = z.coerce.number().int().min(0).max(65_535);

const settings = z.object({
  SANDBOX_HOST: z.string().min(1).default('127.0.0.1'),
  SANDBOX_HTTP_PORT: port.default(3001),
  SANDBOX_SMTP_PORT: port.default(3025),
  SANDBOX_PUSH_PORT: port.default(3026),
  SANDBOX_DATA_DIR: z.string().optional(),
  /** Of whoever sends here: the page of a real browser subscribes with it. */
  VAPID_PUBLIC_KEY: z.string().optional(),
  SANDBOX_SMS_WEBHOOK: z.union([z.literal(''), z.url({ protocol: /^https?$/ })]).optional(),
  SANDBOX_TWILIO_TOKEN: z.string().optional(),
});

/** The settings of a sandbox from the environment; a value that will not do throws an error with its name. */
export function sandboxOptions(env: NodeJS.ProcessEnv): SandboxOptions {
  const read = settings.safeParse(env);
  if (!read.success) throw new Error(z.prettifyError(read.error));
  const { data } = read;
  return {
    host: data.SANDBOX_HOST,
    httpPort: data.SANDBOX_HTTP_PORT,
    smtpPort: data.SANDBOX_SMTP_PORT,
    pushPort: data.SANDBOX_PUSH_PORT,
    folder: data.SANDBOX_DATA_DIR || undefined,
    vapidPublicKey: data.VAPID_PUBLIC_KEY || undefined,
    ...(data.SANDBOX_SMS_WEBHOOK
      ? {
          smsWebhook: {
            url: data.SANDBOX_SMS_WEBHOOK,
            authToken: data.SANDBOX_TWILIO_TOKEN || '0'.repeat(32),
          },
        }
      : {}),
  };
}
