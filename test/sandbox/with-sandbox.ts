import { type Sandbox, startSandbox } from '@belfry/sandbox/app.js';
import nodemailer from 'nodemailer';
import twilio from 'twilio';
import { type SandboxClient, sandboxClient } from '../support/sandbox-client.js';

/** Any account will do, as long as it looks like one. */
export const ACCOUNT = `AC${'0'.repeat(32)}`;

/** A sandbox on free ports with its client. */
export interface Running {
  readonly sandbox: Sandbox;
  readonly client: SandboxClient;
}

/** Starts a sandbox, runs `work` and stops the sandbox, whatever came of it. */
export async function withSandbox(work: (running: Running) => Promise<void>): Promise<void> {
  const sandbox = await startSandbox({ host: '127.0.0.1', httpPort: 0, smtpPort: 0 });
  try {
    await work({ sandbox, client: sandboxClient(sandbox.httpUrl) });
  } finally {
    await sandbox.stop();
  }
}

/** A real SMTP client; a hung server shows after `ms`. */
export function mailer({ smtpPort }: Sandbox, ms = 10_000) {
  return nodemailer.createTransport({
    host: '127.0.0.1',
    port: smtpPort,
    secure: false,
    connectionTimeout: ms,
    greetingTimeout: ms,
    socketTimeout: ms,
  });
}

/** The real Twilio SDK, pointed at the sandbox. */
export function twilioClient({ httpUrl }: Sandbox, timeout = 1_000) {
  const client = twilio(ACCOUNT, 'any-token', { timeout });
  client.api.baseUrl = httpUrl;
  return client;
}
