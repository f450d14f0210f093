import type { Message } from '@belfry/shared/domain/message.js';

/** What a receiver gets: the payload of Standard Webhooks. The same bytes in every attempt. */
export function bodyOf(message: Message<'webhook'>): string {
  const { title, body, type, data } = message.content;
  return JSON.stringify({
    type,
    timestamp: message.firstAttemptAt.toISOString(),
    data: {
      notification_id: message.notificationId,
      delivery_id: message.deliveryId,
      user_id: message.personId,
      title,
      body,
      type,
      data,
    },
  });
}
