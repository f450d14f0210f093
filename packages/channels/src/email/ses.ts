import type { SESv2Client, SESv2ClientConfig } from '@aws-sdk/client-sesv2';
import type { Message } from '@belfry/shared/domain/message.js';
import type { Outcome } from '@belfry/shared/domain/outcome.js';
import type { createTransport } from 'nodemailer';
import type { z } from 'zod';
import { byMissingAnswer, bySesError } from '../classify.js';
import type { Call } from '../http-call.js';
import type { Load, Provider, ProviderDefinition } from '../provider.js';
import { orAborted, whyAborted } from '../signals.js';
import { compose, rejected, unmailable } from './compose.js';
import { sesSettings } from './ses-settings.js';
import { createWire, type Wire } from './ses-wire.js';

/** Email through Amazon SES (API v2), or anything that has its shape. */
export const ses: ProviderDefinition<'email', typeof sesSettings> = {
  name: 'ses',
  channel: 'email',
  // SES puts a Message-ID of its own in the place of ours, so nothing makes two copies one for their reader.
  abilities: { afterAmbiguous: 'resend', timeoutMs: 30_000 },
  settings: sesSettings,
  // Every machine in that cloud has AWS_REGION, so that is no sign.
  configured: (env) =>
    Boolean(env.AWS_ACCESS_KEY_ID || env.AWS_SECRET_ACCESS_KEY || env.SES_ENDPOINT || env.SES_CREDENTIALS),
  create: async (settings, _ports, load = FEW) => {
    const [{ createTransport }, { SESv2Client, SendEmailCommand }] = await Promise.all([
      import('nodemailer'),
      import('@aws-sdk/client-sesv2'),
    ]);
    const wire = createWire(load);
    const client = new SESv2Client(clientConfig(settings, wire));
    return new Ses({ createTransport, SendEmailCommand, client, wire, settings });
  },
};

const FEW: Load = { concurrency: 8 };

interface Parts {
  readonly createTransport: typeof createTransport;
  readonly SendEmailCommand: new (input: never) => unknown;
  readonly client: SESv2Client;
  readonly wire: Wire;
  readonly settings: z.output<typeof sesSettings>;
}

class Ses implements Provider<'email'> {
  readonly name = 'ses';
  readonly channel = 'email';
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async send(message: Message<'email'>, signal: AbortSignal): Promise<Outcome> {
    const objection = unmailable(message);
    if (objection !== undefined) return objection;
    const call: Call = { signal, handedOver: false };
    // Looking for credentials may call other services, and does not listen to a signal.
    return orAborted(this.#hand(message, call), signal, () => unanswered(call, undefined));
  }

  async close(): Promise<void> {
    this.#parts.wire.close();
    this.#parts.client.destroy();
  }

  async #hand(message: Message<'email'>, call: Call): Promise<Outcome> {
    const { createTransport, SendEmailCommand, client, settings } = this.#parts;
    // A transport is only an object here. One for each message, since the library hands no signal to the client.
    const sesClient = {
      send: (command: unknown) =>
        client.send(command as Parameters<SESv2Client['send']>[0], { call } as object),
    };
    const transport = createTransport({
      SES: { sesClient, SendEmailCommand: SendEmailCommand as new (input: unknown) => unknown },
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    const mail = compose(message, settings.MAIL_FROM);
    try {
      const { response }: { readonly response?: unknown } = await transport.sendMail(mail);
      const status = call.status ?? 200;
      if (typeof response !== 'string' || !/^[\w.-]{1,200}$/.test(response))
        return bySesError(undefined, status);
      return { kind: 'sent', code: `http-${status}`, providerId: response };
    } catch (error) {
      return failed(error, call);
    } finally {
      transport.close();
    }
  }
}

function clientConfig(settings: z.output<typeof sesSettings>, wire: Wire): SESv2ClientConfig {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, SES_CREDENTIALS } = settings;
  const keys =
    SES_CREDENTIALS === undefined && AWS_ACCESS_KEY_ID !== undefined && AWS_SECRET_ACCESS_KEY !== undefined
      ? {
          accessKeyId: AWS_ACCESS_KEY_ID,
          secretAccessKey: AWS_SECRET_ACCESS_KEY,
          ...(AWS_SESSION_TOKEN === undefined ? {} : { sessionToken: AWS_SESSION_TOKEN }),
        }
      : undefined;
  return {
    region: settings.AWS_REGION,
    ...(settings.SES_ENDPOINT === undefined ? {} : { endpoint: settings.SES_ENDPOINT }),
    ...(keys === undefined ? {} : { credentials: keys }),
    // Whether and when to try again is not decided here.
    maxAttempts: 1,
    requestHandler: wire,
  };
}

/** Puts together what the SDK threw and what was seen on the wire; the wire is the better witness. */
function failed(thrown: unknown, call: Call): Outcome {
  const error: { readonly code?: unknown; readonly name?: unknown } = Object(thrown);
  if (error.code === 'EENVELOPE')
    return rejected('invalid-address', 'The address cannot be written in a mail.');
  // The role is not there, or may not be used: nothing was asked yet.
  if (error.name === 'CredentialsProviderError') return bySesError(error.name, 0);
  if (call.status === undefined) return unanswered(call, error.code);
  return bySesError(error.name, call.status, call.retryAfter);
}

function unanswered(call: Call, code: unknown): Outcome {
  if (call.status !== undefined && call.status >= 300)
    return bySesError(undefined, call.status, call.retryAfter);
  return byMissingAnswer(call.signal.aborted ? whyAborted(call.signal) : code, call.handedOver);
}
