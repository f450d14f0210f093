import { z } from 'zod';
import { mailFrom } from './mail-from.js';

/** Where mail is handed in: a server, how it is encrypted, and who we are there. */
export interface SmtpServer {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte (RFC 8314); otherwise STARTTLS as soon as the server offers it. */
  readonly secure: boolean;
  /** Do not go on without STARTTLS. */
  readonly requireTls: boolean;
  readonly auth?: { readonly user: string; readonly pass: string };
}

const FORM = 'set it to smtp://user:password@host:587, or smtps://… for TLS from the start';

/** What the SMTP provider reads from the environment. */
export const smtpSettings = z.object({
  SMTP_URL: z
    .string({ error: FORM })
    .transform((text, context): SmtpServer => {
      const parsed = parseServer(text);
      if (typeof parsed !== 'string') return parsed;
      context.addIssue({ code: 'custom', message: parsed });
      return z.NEVER;
    })
    .meta({
      description:
        'The mail server: smtp://user:password@host:587 (STARTTLS where it is offered) or smtps://… . Add ?requireTLS=true to insist on it.',
      secret: true,
    }),
  MAIL_FROM: mailFrom,
});

/** How a session with the server begins, in the words of the mail library. Its certificate is always checked. */
export function sessionWith({ host, port, secure, requireTls, auth }: SmtpServer) {
  return {
    host,
    port,
    secure,
    requireTLS: requireTls,
    ...(auth === undefined ? {} : { auth: { ...auth } }),
    tls: { rejectUnauthorized: true },
  };
}

/** The server, or a sentence that says how to mend the setting without repeating any of it. */
function parseServer(text: string): SmtpServer | string {
  if (!URL.canParse(text)) return FORM;
  const url = new URL(text);
  const secure = url.protocol === 'smtps:';
  if ((!secure && url.protocol !== 'smtp:') || url.hostname === '') return FORM;
  if (url.pathname.length > 1 || url.hash !== '') return 'take away what follows the host and port';
  for (const [key, value] of url.searchParams) {
    // Anything else here would reach past us to the mail library, where some options switch certificate checks off.
    if (key !== 'requireTLS' || value !== 'true') {
      return 'take away the query; only ?requireTLS=true is allowed, and certificate checks cannot be switched off (for a private authority set NODE_EXTRA_CA_CERTS)';
    }
  }
  const user = decoded(url.username);
  const pass = decoded(url.password);
  if (user === undefined || pass === undefined) return 'write special characters of user and password as %XX';
  if ((user === '') !== (pass === '')) return 'give both a user and a password, or neither';
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? (secure ? 465 : 587) : Number(url.port),
    secure,
    requireTls: url.searchParams.has('requireTLS'),
    ...(user === '' ? {} : { auth: { user, pass } }),
  };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
