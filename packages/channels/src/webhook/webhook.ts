import dns from 'node:dns';
import http from 'node:http';
import https from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import type { Message } from '@belfry/shared/domain/message.js';
import type { Outcome } from '@belfry/shared/domain/outcome.js';
import { webhookSecretOf } from '@belfry/shared/domain/webhook-secret.js';
import type { z } from 'zod';
import { byMissingAnswer, byWebhookStatus } from '../classify.js';
import { ask, type Call, discardBody, NO_CONNECTION_FREE } from '../http-call.js';
import type { Load, Provider, ProviderDefinition } from '../provider.js';
import { whyAborted } from '../signals.js';
import { FORBIDDEN, guardedLookup, mayGoTo, type Rule } from './address-filter.js';
import { bodyOf } from './webhook-body.js';
import { webhookSettings } from './webhook-settings.js';

type Settings = z.output<typeof webhookSettings>;
/** Makes the value of the header `webhook-signature`. */
type Sign = (personId: string, id: string, at: Date, body: string) => string;

/** Notes to a person's own HTTP receiver, signed as Standard Webhooks (https://www.standardwebhooks.com) says. */
export const webhook: ProviderDefinition<'webhook', typeof webhookSettings> = {
  name: 'webhook',
  channel: 'webhook',
  // The header `webhook-id` is the delivery's, so a receiver knows a copy.
  abilities: { afterAmbiguous: 'resend-same-id', timeoutMs: 15_000, perReceiver: true },
  settings: webhookSettings,
  configured: (env) => Boolean(env.WEBHOOK_SECRETS),
  create: async (settings, { lookup = dns.lookup as LookupFunction }, load = FEW) => {
    const { Webhook } = await import('standardwebhooks');
    const sign: Sign = (personId, id, at, body) =>
      settings.WEBHOOK_SECRETS.map((secret) =>
        new Webhook(webhookSecretOf(secret, personId)).sign(id, at, body),
      ).join(' ');
    return new WebhookSender(settings, sign, lookup, load);
  },
};

const FEW: Load = { concurrency: 8 };
/** How long a delivery waits for one of its receiver's connections to be free, and then how long it is put aside, in milliseconds. */
const PATIENCE_MS = 1_000;
const ASIDE_MS = 5_000;
/** An answer's body is of no interest. So much of it is read that its connection can be used again. */
const BODY_BYTES = 20_000;
const BODY_MS = 2_000;

class WebhookSender implements Provider<'webhook'> {
  readonly name = 'webhook';
  readonly channel = 'webhook';
  readonly #settings: Settings;
  readonly #sign: Sign;
  readonly #lookup: LookupFunction;
  readonly #agents: { readonly http: http.Agent; readonly https: https.Agent };

  constructor(settings: Settings, sign: Sign, lookup: LookupFunction, load: Load) {
    this.#settings = settings;
    this.#sign = sign;
    this.#lookup = lookup;
    const options = {
      keepAlive: true,
      // To one receiver: one that hangs must leave most of this process to the others.
      maxSockets: Math.max(2, Math.ceil(load.concurrency / 4)),
      maxFreeSockets: 2,
      // Of a connection that nobody uses; most servers keep one for five seconds.
      timeout: 4_000,
      // The quarter of a second that Node gives each address of a name is too short across an ocean.
      autoSelectFamilyAttemptTimeout: 2_000,
    };
    this.#agents = { http: new http.Agent(options), https: new https.Agent(options) };
  }

  async send(message: Message<'webhook'>, signal: AbortSignal): Promise<Outcome> {
    const url = receiverOf(message.to);
    if (url === undefined)
      return rejected('invalid-url', 'The receiver’s address is not a plain https:// URL.');
    if (message.personId === null) return rejected('no-person', 'A webhook goes to a person only.');
    const plain = url.protocol === 'http:';
    const { WEBHOOK_ALLOW_HTTP: allowHttp, WEBHOOK_ALLOW_ADDRESSES: listed = [] } = this.#settings;
    if (plain && allowHttp === 'false') {
      return rejected(
        'https-only',
        'The receiver has no encryption, and WEBHOOK_ALLOW_HTTP does not let it.',
      );
    }
    const port = url.port === '' ? (plain ? 80 : 443) : Number(url.port);
    const rule: Rule = { port, listedOnly: plain && allowHttp === 'listed', listed };
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
    // No name is looked up for a literal address, so it is judged here.
    if (isIP(host) !== 0 && !mayGoTo(host, rule)) return forbidden();

    const call: Call = { signal, handedOver: false };
    const body = bodyOf(message);
    try {
      const answer = await ask(
        {
          protocol: url.protocol,
          hostname: host,
          port,
          path: url.pathname + url.search,
          method: 'POST',
          headers: this.#headers(message.deliveryId, message.personId, body),
          agent: plain ? this.#agents.http : this.#agents.https,
          lookup: guardedLookup(this.#lookup, rule),
          patienceMs: PATIENCE_MS,
          ...(plain ? {} : { rejectUnauthorized: true }),
        },
        body,
        call,
      );
      discardBody(answer, BODY_BYTES, BODY_MS);
      return byWebhookStatus(answer.statusCode ?? 0, call.retryAfter);
    } catch (error) {
      return failed(error, call);
    }
  }

  async close(): Promise<void> {
    this.#agents.http.destroy();
    this.#agents.https.destroy();
  }

  #headers(id: string, personId: string, body: string): http.OutgoingHttpHeaders {
    const at = new Date();
    return {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'user-agent': 'Belfry',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      'webhook-signature': this.#sign(personId, id, at, body),
    };
  }
}

/**
 * An address as a URL without credentials. The parser of the URL standard also turns every other spelling of an IPv4
 * address (decimal, octal, hexadecimal, short, other digits) into the usual one.
 */
function receiverOf(address: string): URL | undefined {
  const url = URL.parse(address);
  if (url === null || url.hostname === '' || url.username !== '' || url.password !== '') return undefined;
  return url.protocol === 'https:' || url.protocol === 'http:' ? url : undefined;
}

function failed(thrown: unknown, call: Call): Outcome {
  const { code }: { readonly code?: unknown } = Object(thrown);
  if (call.signal.aborted) return byMissingAnswer(whyAborted(call.signal), call.handedOver);
  if (code === FORBIDDEN) return forbidden();
  if (code === NO_CONNECTION_FREE) {
    const error = 'The receiver has as many of these in hand as it is given at once.';
    // Spread over as long again, or all that wait would come back in one moment.
    return {
      kind: 'throttled',
      code: 'receiver-busy',
      error,
      afterMs: Math.round(ASIDE_MS * (1 + Math.random())),
    };
  }
  return byMissingAnswer(code, call.handedOver);
}

function forbidden(): Outcome {
  return rejected(
    'forbidden-address',
    'Webhooks do not go to this address or port, unless WEBHOOK_ALLOW_ADDRESSES has it.',
  );
}

function rejected(code: string, error: string): Outcome {
  return { kind: 'rejected', code, error };
}
