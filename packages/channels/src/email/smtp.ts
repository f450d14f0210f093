import type { Message } from '@belfry/shared/domain/message.js';
import type { Outcome } from '@belfry/shared/domain/outcome.js';
import type { NodemailerError, SendMailOptions, Transporter } from 'nodemailer';
import type { z } from 'zod';
import { byMissingAnswer, bySmtpReply, type SmtpStage } from '../classify.js';
import type { Load, Provider, ProviderDefinition } from '../provider.js';
import { whyAborted } from '../signals.js';
import { compose, rejected, unmailable } from './compose.js';
import type { Mailbox } from './mailbox.js';
import { probeSmtp } from './smtp-probe.js';
import { type SmtpServer, sessionWith, smtpSettings } from './smtp-settings.js';

/** Email through any SMTP server, over a few connections that are kept open. */
export const smtp: ProviderDefinition<'email', typeof smtpSettings> = {
  name: 'smtp',
  channel: 'email',
  abilities: { afterAmbiguous: 'resend-same-id', timeoutMs: 30_000 },
  settings: smtpSettings,
  configured: (env) => Boolean(env.SMTP_URL),
  probe: ({ SMTP_URL }) => probeSmtp(SMTP_URL),
  create: async (settings, _ports, load = FEW) => {
    const { createTransport } = await import('nodemailer');
    return new Smtp(createTransport(poolOptions(settings.SMTP_URL, load)), settings);
  },
};

const FEW: Load = { concurrency: 8 };
/** More connections than this from one process would be taken for an attack. */
const MOST_CONNECTIONS = 100;

/** How far one message got. The library's errors do not tell, and it decides between `retry` and `ambiguous`. */
interface Handover {
  bodyEnded: boolean;
}

interface TrackedMail extends SendMailOptions {
  readonly handover: Handover;
}

class Smtp implements Provider<'email'> {
  readonly name = 'smtp';
  readonly channel = 'email';
  readonly #transport: Transporter;
  readonly #from: Mailbox;

  constructor(transport: Transporter, settings: z.output<typeof smtpSettings>) {
    this.#transport = transport;
    this.#from = settings.MAIL_FROM;
    transport.use('stream', (mail, done) => {
      const { handover } = mail.data as TrackedMail;
      // The connection writes the final dot (RFC 5321 §4.1.1.4) when it has read this stream to its end, never earlier.
      mail.message.processFunc((body) =>
        body.once('end', () => {
          handover.bodyEnded = true;
        }),
      );
      done();
    });
  }

  async send(message: Message<'email'>, signal: AbortSignal): Promise<Outcome> {
    const objection = unmailable(message);
    if (objection !== undefined) return objection;
    const handover: Handover = { bodyEnded: false };
    const mail: TrackedMail = { ...compose(message, this.#from), signal, handover };
    try {
      const { response } = await this.#transport.sendMail(mail);
      return taken(response ?? '', handover);
    } catch (error) {
      return refused(error, handover, signal);
    }
  }

  async close(): Promise<void> {
    this.#transport.close({ force: true });
  }
}

function poolOptions(server: SmtpServer, load: Load) {
  return {
    pool: true as const,
    ...sessionWith(server),
    // As many as messages: the pool is first come, first served, so an urgent one would wait behind the others.
    maxConnections: Math.min(Math.max(load.concurrency, 1), MOST_CONNECTIONS),
    // Whether and when to try again is not decided here.
    maxRequeues: 0,
    dnsTimeout: 10_000,
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 20_000,
    socketCloseTimeout: 1_000,
    maxResponseSize: 20_000,
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

/** The library takes any reply that begins with a 2 for a yes, and one that came before the message had ended too. */
function taken(response: string, handover: Handover): Outcome {
  const code = /^(2\d\d)(?:[ -]|$)/.exec(response)?.[1];
  if (code === undefined || !handover.bodyEnded) return byMissingAnswer('malformed', true);
  return { kind: 'sent', code };
}

function refused(thrown: unknown, handover: Handover, signal: AbortSignal): Outcome {
  const error: Partial<NodemailerError> = thrown instanceof Error ? thrown : {};
  if (error.response !== undefined) {
    const reply = bySmtpReply(error.response, stageOf(error.command, handover));
    return reply ?? byMissingAnswer('malformed', handover.bodyEnded);
  }
  if (error.code === 'EABORT') return byMissingAnswer(whyAborted(signal), handover.bodyEnded);
  if (error.code === 'EAUTH' || error.code === 'ENOAUTH') {
    return {
      kind: 'misconfigured',
      code: error.code,
      error: 'There is no way to log in that the mail server offers.',
    };
  }
  if (error.code === 'EENVELOPE')
    return rejected('invalid-address', 'The address cannot be written in SMTP.');
  // Without a reply: the server announced its limit (RFC 1870), and the library did not even begin.
  if (error.code === 'EMESSAGE' && error.command === 'MAIL FROM') {
    return rejected('too-big', 'The message is too big for the mail server.');
  }
  return byMissingAnswer(error.originalCode ?? error.code, handover.bodyEnded);
}

/** What the server was answering. A last word that comes together with the end of the line is filed under `CONN`. */
function stageOf(command: string | undefined, handover: Handover): SmtpStage {
  if (handover.bodyEnded || command === 'RCPT TO' || command === 'DATA') return 'message';
  return command === 'MAIL FROM' ? 'sender' : 'session';
}
