import type { AcknowledgeLinks } from '@belfry/shared/domain/acknowledge-link.js';
import { tellsOfAlerts } from '@belfry/shared/domain/alert.js';
import type { Channel } from '@belfry/shared/domain/channel.js';
import type { ContentOf, Message } from '@belfry/shared/domain/message.js';
import type { Claimed } from '@belfry/shared/ledger/claim.js';
import type { GatheredItem } from '@belfry/shared/ledger/gather.js';
import { ALERT_EVENT } from '@belfry/shared/templates/catalogue.js';
import type { RenderedItem, Renderer } from '@belfry/shared/templates/render.js';
import type { Several } from './holding.js';

/** The message of a claimed delivery, or why it cannot be made. `template` is null where the caller wrote the text. */
export type RenderResult =
  | { readonly ok: true; readonly message: Message; readonly template: string | null }
  | { readonly ok: false; readonly reason: string };

/** `several` are told of in the place of the claimed one. */
export type RenderStage = (claim: Claimed, several?: Several) => Promise<RenderResult>;

/** How whoever is told of an alert may acknowledge it. */
export interface Acknowledging {
  /** Null where links cannot be made. */
  readonly links: AcknowledgeLinks | null;
  /** Whether an answer by text message is understood. */
  readonly answers: boolean;
}

/** Makes messages: by the templates for people, as written for bare addresses. */
export function createRenderStage(renderer: Renderer, acknowledging: Acknowledging): RenderStage {
  return async (claim, several) => {
    const { notification, person } = claim;
    const alone = several?.items.length === 1 ? several.items[0] : undefined;
    if (notification.personId === null) {
      const content = asWritten(claim);
      return content === null
        ? { ok: false, reason: `A message to a bare address cannot go out on ${claim.channel}.` }
        : { ok: true, message: messageOf(claim, content), template: null };
    }
    const rendered = await renderer.render({
      event: tellsOfAlerts(notification) ? ALERT_EVENT : notification.eventType,
      title: notification.title ?? undefined,
      message: notification.message ?? undefined,
      type: notification.type,
      context:
        notification.alert === null
          ? notification.context
          : { ...notification.context, ...waysToAnswer(claim.notificationId, acknowledging) },
      data: notification.data,
      channel: claim.channel,
      locale: person?.locale ?? 'en',
      timezone: person?.timezone ?? 'UTC',
      at: alone?.at ?? notification.createdAt,
      items: several?.items.map((item) => answerable(item, claim.channel, acknowledging)),
      count: several?.count,
    });
    if (!rendered.ok) return rendered;
    return { ok: true, message: messageOf(claim, rendered.content), template: rendered.template };
  };
}

/** What an alert's templates read besides: made when it is sent, so that no link is in the ledger. */
function waysToAnswer(notificationId: string, { links, answers }: Acknowledging) {
  return { ...(links === null ? {} : { acknowledge_url: links.urlOf(notificationId) }), answers };
}

/** Where there is room for a link to each of several alerts. */
const WITH_LINKS: readonly Channel[] = ['email', 'sms'];

/** Each alert of a bundle is answered by what was to tell of it alone. */
function answerable(
  { notificationId, context, at }: GatheredItem,
  channel: Channel,
  { links, answers }: Acknowledging,
): RenderedItem {
  if (notificationId === undefined) return { context, at };
  const ways = waysToAnswer(notificationId, { links: WITH_LINKS.includes(channel) ? links : null, answers });
  return { context: { ...context, ...ways }, at };
}

/** Of all that is for nobody only a canary is a note. */
function asWritten({ channel, notification }: Claimed): ContentOf['email' | 'sms' | 'realtime'] | null {
  const text = notification.message ?? '';
  const { title, type, data } = notification;
  if (channel === 'realtime') return { title: title ?? '', body: text, type, data };
  if (channel === 'sms') return { text };
  if (channel !== 'email') return null;
  const html = notification.html === null ? {} : { html: notification.html };
  return { subject: notification.title ?? '', text, ...html };
}

function messageOf(claim: Claimed, content: Message['content']): Message {
  return {
    deliveryId: claim.deliveryId,
    notificationId: claim.notificationId,
    channel: claim.channel,
    priority: claim.priority,
    personId: claim.notification.personId,
    to: claim.address,
    content,
    ...(claim.device === null ? {} : { device: claim.device }),
    ...(claim.expiresAt === null
      ? {}
      : { expiresInMs: claim.expiresAt.getTime() - claim.claimedAt.getTime() }),
    firstAttemptAt: claim.firstAttemptAt,
  };
}
