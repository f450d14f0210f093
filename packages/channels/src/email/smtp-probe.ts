import type { NodemailerError } from 'nodemailer';
import type { Probe } from '../provider.js';
import { type SmtpServer, sessionWith } from './smtp-settings.js';

/** Each step of a session gets so long, and the first of them that needs more ends it. */
const STEP_MS = 3_000;

/** Connects to the mail server, greets it, and signs in where a user is given; then it leaves. */
export async function probeSmtp(server: SmtpServer): Promise<Probe> {
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({
    ...sessionWith(server),
    dnsTimeout: STEP_MS,
    connectionTimeout: STEP_MS,
    greetingTimeout: STEP_MS,
    socketTimeout: STEP_MS,
  });
  const at = `${server.host}:${server.port}`;
  try {
    await transport.verify();
    const signedIn = server.auth === undefined ? '' : ` and takes the user ${server.auth.user}`;
    return { kind: 'answers', finding: `The mail server ${at} answers${signedIn}.` };
  } catch (error) {
    return failed(error instanceof Error ? error : new Error(String(error)), server, at);
  } finally {
    transport.close();
  }
}

function failed(error: Partial<NodemailerError>, server: SmtpServer, at: string): Probe {
  switch (error.code) {
    case 'EAUTH':
    case 'ENOAUTH':
      return {
        kind: 'refuses',
        finding: `The mail server ${at} refuses the login of ${server.auth?.user ?? 'nobody'}${replyOf(error)}.`,
        remedy:
          'Mend the user and password in SMTP_URL; many mail services want a password made for an application.',
      };
    case 'ETLS':
      return {
        kind: 'refuses',
        finding: `No secure connection to the mail server ${at}: ${plain(error.message)}.`,
        remedy:
          'Write smtps:// for TLS from the start, leave ?requireTLS=true out where the server has no STARTTLS, or set NODE_EXTRA_CA_CERTS to a private authority.',
      };
    case 'EDNS':
      return {
        kind: 'unreachable',
        finding: `There is no mail server by the name ${server.host}.`,
        remedy: 'Mend the host in SMTP_URL, or the name service of this machine.',
      };
    default:
      return {
        kind: 'unreachable',
        finding: `The mail server ${at} cannot be reached: ${plain(error.message)}.`,
        remedy:
          'Check the host and port in SMTP_URL, that it runs, and that no firewall is between: mail waits meanwhile.',
      };
  }
}

/** The status alone: what a server says after it may repeat what it was given. */
function replyOf({ responseCode }: Partial<NodemailerError>): string {
  return typeof responseCode === 'number' ? ` (${responseCode})` : '';
}

function plain(message: string | undefined): string {
  return (message ?? 'it failed').replace(/[\p{Cc}]+/gu, ' ').replace(/\.$/, '');
}
