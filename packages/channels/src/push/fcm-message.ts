import type { Message } from '@belfry/shared/domain/message.js';
import { type Fitted, fitted, isUrgent, MOST_BYTES, ttlOf } from './payload.js';

/**
 * The body of `messages:send` (FCM HTTP v1). Undefined when there is no room for any text.
 *
 * Values of `data` are texts, so what the caller gave there is one of them, as JSON, and can have names that FCM keeps for
 * itself. No collapse key for Android: FCM keeps four of them for a device, and each delivery would have its own.
 */
export function fcmMessage(message: Message<'push'>, now: Date): Fitted<object> | undefined {
  const { content, deliveryId, notificationId } = message;
  const ttl = ttlOf(message);
  const urgent = isUrgent(message.priority);
  const shown = fitted(content.body, MOST_BYTES, (body, shortened) => ({
    notification: { title: content.title, body },
    data: {
      notification_id: notificationId,
      delivery_id: deliveryId,
      type: content.type,
      data: JSON.stringify(content.data),
      ...(shortened ? { shortened: 'true' } : {}),
    },
  }));
  if (shown === undefined) return undefined;
  const value = {
    message: {
      token: message.to,
      ...shown.value,
      android: { priority: urgent ? 'HIGH' : 'NORMAL', ttl: `${ttl}s`, notification: { tag: deliveryId } },
      apns: {
        headers: {
          'apns-priority': urgent ? '10' : '5',
          'apns-expiration': String(Math.floor(now.getTime() / 1_000) + ttl),
          'apns-collapse-id': deliveryId,
        },
        payload: { aps: { sound: 'default' } },
      },
    },
  };
  return { value, shortened: shown.shortened };
}
