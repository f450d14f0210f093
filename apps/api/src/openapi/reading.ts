import { z } from 'zod';
import { listQuery, unknownNotification } from '../routes/reading.js';
import { barsOf, statsOf } from '../routes/stats.js';
import { nextPage } from './headers.js';
import { json, type Operation, type Topic } from './operation.js';
import {
  DELIVERY_ID,
  DETAILS_EXAMPLE,
  details,
  ID,
  id,
  mailDetails,
  SUMMARY_EXAMPLE,
  summary,
} from './shapes.js';

const count = z.int().min(0);
const counts = z
  .object({ SENT: count, FAILED: count, PENDING: count, CANCELLED: count })
  .meta({ id: 'StatusCounts' });

const stats = z
  .object({
    total_notifications: count,
    total_sent: count,
    total_failed: count,
    total_pending: count,
    total_cancelled: count,
    by_status: counts,
    by_event_type: z
      .record(z.string(), counts)
      .meta({ description: 'By the name of the event; what has none is counted as `none`' }),
  })
  .meta({ id: 'Stats' });

const STATS = statsOf([
  { eventType: 'payment_success', status: 'SENT', count: 12 },
  { eventType: null, status: 'FAILED', count: 1 },
]);

const byId = z.object({ id: id.meta({ description: 'The notification', param: { example: ID } }) });

const mail: Omit<Operation, 'id' | 'path'> = {
  method: 'get',
  who: ['admin', 'internal'],
  summary: 'A mail to a bare address, with every attempt',
  params: z.object({ id: id.meta({ description: 'The mail', param: { example: ID } }) }),
  answers: {
    200: {
      description: 'The mail',
      content: json(mailDetails, {
        sent: {
          ...DETAILS_EXAMPLE,
          user_id: null,
          event_type: null,
          type: 'email',
          title: 'Your lease',
          message: 'It is signed.',
          context: {},
          template_version: null,
          deliveries: DETAILS_EXAMPLE.deliveries.map((one) => ({ ...one, template: null, id: DELIVERY_ID })),
          email_id: ID,
          subject: 'Your lease',
          state: 'sent',
        },
      }),
    },
  },
  refusals: [unknownNotification(ID)],
};

export const reading: Topic = {
  name: 'Reading',
  description: 'What was sent, how it ended, and why.',
  operations: [
    {
      id: 'listNotifications',
      method: 'get',
      path: '/api/v1/notifications',
      who: ['admin'],
      summary: 'Notifications, newest first',
      query: listQuery,
      answers: {
        200: {
          description: 'A page of them',
          headers: { Link: nextPage },
          content: json(z.array(summary), { page: [SUMMARY_EXAMPLE] }),
        },
      },
    },
    {
      id: 'countNotifications',
      method: 'get',
      path: '/api/v1/notifications/stats',
      who: ['admin'],
      summary: 'How many there are, by status and event',
      description:
        'Exact at that moment. `?format=ascii` or `Accept: text/plain` gives bars of text: `Total`, `Sent`, `Failed`, `Pending`, and `Cancelled` when something was.',
      query: z.object({
        format: z
          .string()
          .optional()
          .meta({ description: '`ascii` for bars of text', examples: ['ascii'] }),
      }),
      answers: {
        200: {
          description: 'The counts',
          content: {
            ...json(stats, { some: STATS }),
            'text/plain': { schema: z.string(), examples: { bars: barsOf(STATS) } },
          },
        },
      },
    },
    {
      id: 'getNotification',
      method: 'get',
      path: '/api/v1/notifications/{id}',
      who: ['admin'],
      summary: 'A notification, with every delivery and attempt',
      params: byId,
      answers: {
        200: { description: 'The notification', content: json(details, { sent: DETAILS_EXAMPLE }) },
      },
      refusals: [unknownNotification(ID)],
    },
    { ...mail, id: 'getEmail', path: '/api/v1/email/{id}' },
    {
      ...mail,
      id: 'getEmailNotification',
      path: '/api/v1/notifications/email/{id}',
      description: 'Another name for `GET /api/v1/email/{id}`.',
    },
  ],
};
