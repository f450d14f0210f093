import dns from 'node:dns';
import type { OutgoingHttpHeaders } from 'node:http';
import type { LookupFunction } from 'node:net';
import type { Message } from '@belfry/shared/domain/message.js';
import type { Outcome } from '@belfry/shared/domain/outcome.js';
import { webhookSecretOf } from '@belfry/shared/domain/webhook-secret.js';
import type { z } from 'zod';
import { byWebhookStatus } from '../classify.js';
import { createGuardedPost, type GuardedPost, serverOf } from '../guarded-post.js';
import type { Load, Provider, ProviderDefinition } from '../provider.js';
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
    const post = createGuardedPost({
      lookup,
      connections: Math.max(2, Math.ceil(load.concurrency / 4)),
      listed: settings.WEBHOOK_ALLOW_ADDRESSES ?? [],
      plainListedOnly: settings.WEBHOOK_ALLOW_HTTP === 'listed',
    });
    return new WebhookSender(settings, sign, post);
  },
};

const FEW: Load = { concurrency: 8 };

class WebhookSender implements Provider<'webhook'> {
  readonly name = 'webhook';
  readonly channel = 'webhook';
  readonly #settings: Settings;
  readonly #sign: Sign;
  readonly #post: GuardedPost;

  constructor(settings: Settings, sign: Sign, post: GuardedPost) {
    this.#settings = settings;
    this.#sign = sign;
    this.#post = post;
  }

  async send(message: Message<'webhook'>, signal: AbortSignal): Promise<Outcome> {
    const url = serverOf(message.to);
    if (url === undefined)
      return rejected('invalid-url', 'The receiver’s address is not a plain https:// URL.');
    if (message.personId === null) return rejected('no-person', 'A webhook goes to a person only.');
    if (url.protocol === 'http:' && this.#settings.WEBHOOK_ALLOW_HTTP === 'false') {
      return rejected(
        'https-only',
        'The receiver has no encryption, and WEBHOOK_ALLOW_HTTP does not let it.',
      );
    }
    const body = bodyOf(message);
    const headers = this.#headers(message.deliveryId, message.personId, body);
    const posted = await this.#post.send({ url, headers, body, signal });
    if (posted.kind === 'answered') return byWebhookStatus(posted.status, posted.retryAfter);
    return posted.kind === 'failed' ? posted.outcome : forbidden();
  }

  async close(): Promise<void> {
    this.#post.close();
  }

  #headers(id: string, personId: string, body: string): OutgoingHttpHeaders {
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

function forbidden(): Outcome {
  return rejected(
    'forbidden-address',
    'Webhooks do not go to this address or port, unless WEBHOOK_ALLOW_ADDRESSES has it.',
  );
}

function rejected(code: string, error: string): Outcome {
  return { kind: 'rejected', code, error };
}
