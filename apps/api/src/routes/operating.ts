import { Refusal } from '@belfry/shared/domain/refusal.js';
import type { Notifier } from '@belfry/shared/notify/notifier.js';
import { Router } from 'express';
import { allow, callerOf } from '../middleware/authenticate.js';
import { idIn } from '../middleware/parse.js';
import { unknownNotification } from './reading.js';

/** What is done to notifications that are there already. */
export function operatingRoutes(notifier: Notifier): Router {
  const router = Router({ caseSensitive: true });
  const senders = allow('admin', 'internal');

  router.post('/notifications/retry', senders, async (req, res) => {
    res.json({ retried: await notifier.retry(callerOf(req)) });
  });

  router.post('/notifications/:id/cancel', senders, async (req, res) => {
    const id = idIn(req);
    const cancellation = await notifier.cancel(id, callerOf(req));
    if (cancellation.kind === 'unknown') throw unknownNotification(id);
    if (cancellation.kind === 'nothing_left') throw nothingToCancel();
    res.json({ status: 'cancelled', notification_id: id, cancelled: cancellation.deliveries });
  });

  return router;
}

export function nothingToCancel(): Refusal {
  return new Refusal('conflict', 'Nothing of this notification is left to cancel.', {
    reason: 'nothing_to_cancel',
  });
}
