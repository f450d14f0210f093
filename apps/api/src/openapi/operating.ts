import { z } from 'zod';
import { nothingToCancel } from '../routes/operating.js';
import { unknownNotification } from '../routes/reading.js';
import { json, type Topic } from './operation.js';
import { ID, id } from './shapes.js';

const cancelled = z
  .object({
    status: z.literal('cancelled'),
    notification_id: id,
    cancelled: z.int().min(1).meta({ description: 'How many deliveries were stopped' }),
  })
  .meta({ id: 'Cancelled' });

const retried = z
  .object({ retried: z.int().min(0).meta({ description: 'How many deliveries are tried again' }) })
  .meta({ id: 'Retried' });

export const operating: Topic = {
  name: 'Operating',
  description: 'What is done to notifications that are there already.',
  operations: [
    {
      id: 'cancelNotification',
      method: 'post',
      path: '/api/v1/notifications/{id}/cancel',
      who: ['admin', 'internal'],
      summary: 'Stop what has not been sent',
      params: z.object({ id: id.meta({ description: 'The notification', param: { example: ID } }) }),
      answers: {
        200: {
          description: 'Stopped',
          content: json(cancelled, { one: { status: 'cancelled', notification_id: ID, cancelled: 1 } }),
        },
      },
      refusals: [unknownNotification(ID), nothingToCancel()],
    },
    {
      id: 'retryNotifications',
      method: 'post',
      path: '/api/v1/notifications/retry',
      who: ['admin', 'internal'],
      summary: 'Try again, now, what failed and may still work',
      description: 'Never what was refused for good.',
      answers: { 200: { description: 'Begun', content: json(retried, { some: { retried: 3 } }) } },
    },
  ],
};
