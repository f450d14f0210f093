import dns from 'node:dns';
import type { LookupFunction } from 'node:net';
import type { Message } from '@belfry/shared/domain/message.js';
import type { Outcome } from '@belfry/shared/domain/outcome.js';
import type WebPush from 'web-push';
import type { z } from 'zod';
import { byWebPushStatus } from '../classify.js';
import { createGuardedPost, type GuardedPost, serverOf } from '../guarded-post.js';
import type { Load, Provider, ProviderDefinition } from '../provider.js';
import { fitted, isUrgent, MOST_BYTES, TOO_LONG, takenCode, ttlOf } from './payload.js';
import { webpushSettings } from './webpush-settings.js';

type Settings = z.output<typeof webpushSettings>;

/**
 * Notes to browsers by Web Push: RFC 8030 carries them, RFC 8291 encrypts them to the browser, RFC 8292 (VAPID) says who
 * sends them. Where a subscription's push service is, the browser says: so it is as little trusted as a webhook's receiver.
 */
export const webpush: ProviderDefinition<'push', typeof webpushSettings> = {
  name: 'webpush',
  channel: 'push',
  abilities: {
    // The topic is the delivery's, so a copy takes the place of the one that still waits (RFC 8030 §5.4).
    afterAmbiguous: 'resend-same-id',
    timeoutMs: 15_000,
    perReceiver: true,
    platforms: ['web'],
  },
  settings: webpushSettings,
  configured: (env) => Boolean(env.VAPID_PUBLIC_KEY || env.VAPID_PRIVATE_KEY || env.VAPID_SUBJECT),
  create: async (settings, { lookup = dns.lookup as LookupFunction, authorities }, load = FEW) => {
    const { default: library } = await import('web-push');
    const post = createGuardedPost({
      lookup,
      // All the browsers of one maker are behind one push service.
      connections: Math.max(2, Math.ceil(load.concurrency / 2)),
      listed: settings.PUSH_ALLOW_ADDRESSES ?? [],
      authorities,
    });
    return new WebPushSender(settings, library, post);
  },
};

const FEW: Load = { concurrency: 8 };
/** What encryption adds (RFC 8291 §4): the header with its salt and key, a delimiter and a tag. */
const OVERHEAD = 86 + 1 + 16;

class WebPushSender implements Provider<'push'> {
  readonly name = 'webpush';
  readonly channel = 'push';
  readonly #vapid: { readonly subject: string; readonly publicKey: string; readonly privateKey: string };
  readonly #library: typeof WebPush;
  readonly #post: GuardedPost;

  constructor(settings: Settings, library: typeof WebPush, post: GuardedPost) {
    this.#vapid = {
      subject: settings.VAPID_SUBJECT,
      publicKey: settings.VAPID_PUBLIC_KEY,
      privateKey: settings.VAPID_PRIVATE_KEY,
    };
    this.#library = library;
    this.#post = post;
  }

  async send(message: Message<'push'>, signal: AbortSignal): Promise<Outcome> {
    const url = serverOf(message.to);
    const keys = message.device?.keys ?? undefined;
    if (url?.protocol !== 'https:' || keys === undefined) return INVALID;
    const payload = fitted(message.content.body, MOST_BYTES - OVERHEAD, (body, shortened) =>
      payloadOf(message, body, shortened),
    );
    if (payload === undefined) return TOO_LONG;
    const request = this.#requestFor(message, { endpoint: url.href, keys }, JSON.stringify(payload.value));
    if (request === undefined) return INVALID;
    const posted = await this.#post.send({ url, headers: request.headers, body: request.body, signal });
    if (posted.kind === 'failed') return posted.outcome;
    if (posted.kind === 'forbidden') return FORBIDDEN;
    const { status, retryAfter } = posted;
    return (
      byWebPushStatus(status, retryAfter) ?? { kind: 'sent', code: takenCode(status, payload.shortened) }
    );
  }

  async close(): Promise<void> {
    this.#post.close();
  }

  /** Undefined for keys that nothing can be encrypted to. */
  #requestFor(message: Message<'push'>, subscription: WebPush.PushSubscription, payload: string) {
    try {
      const { headers, body } = this.#library.generateRequestDetails(subscription, payload, {
        vapidDetails: { ...this.#vapid },
        contentEncoding: 'aes128gcm',
        TTL: ttlOf(message),
        urgency: isUrgent(message.priority) ? 'high' : message.priority === 'low' ? 'low' : 'normal',
        // At most 32 characters of base64url, which is what a UUID has without its dashes.
        topic: message.deliveryId.replaceAll('-', ''),
      });
      return { headers, body };
    } catch {
      return undefined;
    }
  }
}

/** What the service worker of the application gets. The same in every attempt. */
function payloadOf(message: Message<'push'>, body: string, shortened: boolean) {
  const { title, type, data } = message.content;
  return {
    title,
    body,
    type,
    data,
    notification_id: message.notificationId,
    delivery_id: message.deliveryId,
    timestamp: message.firstAttemptAt.toISOString(),
    ...(shortened ? { shortened } : {}),
  };
}

const INVALID: Outcome = {
  kind: 'rejected',
  code: 'invalid-subscription',
  error: 'The subscription has no https:// endpoint, or no keys that it can be encrypted to.',
};

const FORBIDDEN: Outcome = {
  kind: 'rejected',
  code: 'forbidden-address',
  error: 'Pushes do not go to this address or port, unless PUSH_ALLOW_ADDRESSES has it.',
};
