import { channel, externalId } from '@belfry/shared/channels/fields.js';
import {
  emailRequest,
  personMessage,
  pushRequest,
  sendRequest,
  smsRequest,
} from '@belfry/shared/channels/requests.js';
import { directoryUnavailable } from '@belfry/shared/directory/directory.js';
import { invalid } from '@belfry/shared/domain/refusal.js';
import { type RouteReason, RULES } from '@belfry/shared/routing/route.js';
import { z } from 'zod';
import { problemOf } from '../middleware/problem.js';
import { unknownPerson } from '../routes/known-person.js';
import { batchOf, platformParam } from '../routes/sending.js';
import { json, type Topic } from './operation.js';
import { problemShape } from './problem.js';
import { acceptedDelivery, DELIVERY_ID, ID, id, instant, LATER } from './shapes.js';

const senders = ['admin', 'internal'] as const;

const accepted = z
  .object({
    status: z.enum(['queued', 'scheduled']),
    notification_id: id,
    channels: z.array(channel).meta({ description: 'Those that are used' }),
    deliveries: z
      .array(acceptedDelivery)
      .meta({ description: 'One for every channel, used or not; for push one for every device' }),
  })
  .meta({ id: 'Accepted' });

const acceptedMail = z
  .object({ status: z.literal('email_queued'), email_id: id })
  .meta({ id: 'AcceptedEmail' });
const acceptedPush = z
  .object({
    status: z.literal('push_queued'),
    notification_id: id,
    devices: z.int().min(0).meta({ description: 'How many it goes to; with none it is recorded as failed' }),
  })
  .meta({ id: 'AcceptedPush' });
const acceptedSms = z.object({ status: z.literal('sms_queued'), sms_id: id }).meta({ id: 'AcceptedSms' });

const explanation = z
  .object({
    channels: z.array(channel),
    decisions: z.array(
      z.object({
        channel,
        used: z.boolean(),
        reason: z.enum(Object.keys(RULES) as RouteReason[]),
        rule: z.string().meta({ description: 'The same as a sentence' }),
        deferred_until: instant.optional().meta({ description: "The end of the person's quiet hours" }),
      }),
    ),
  })
  .meta({ id: 'Explanation', description: 'What would be done on each channel, and why.' });

/** 207: each item has the status and the body that it would have had alone. */
function results(name: string, one: z.ZodType) {
  const index = z.int().min(0).meta({ description: 'Of the item in the request' });
  const refused = [404, 422, 429, 503].map((status) =>
    z.object({ index, status: z.literal(status), body: problemShape(status) }),
  );
  return z
    .object({
      results: z.array(z.union([z.object({ index, status: z.literal(202), body: one }), ...refused])),
    })
    .meta({ id: name });
}

const EVENT = {
  user_id: 'abebe',
  event_type: 'payment_success',
  context: { property_title: 'Bole Garden Apartment', amount: 12500 },
  priority: 'high',
};
const MESSAGE = { user_id: 'abebe', message: 'Your keys are ready.', title: 'Keys', channels: ['realtime'] };
const MAIL = { to: 'abebe@example.com', subject: 'Your lease', body: 'It is signed.' };
const ACCEPTED = {
  status: 'queued',
  notification_id: ID,
  channels: ['email'],
  deliveries: [
    { id: DELIVERY_ID, channel: 'email', state: 'queued' },
    { id: ID, channel: 'sms', state: 'skipped', reason: 'preference_off' },
  ],
};
const MAIL_ACCEPTED = { status: 'email_queued', email_id: ID };
const badMail = problemOf(
  invalid([{ path: 'to', message: 'must be an email address such as name@example.org' }]),
);

const unknownEvent = invalid(
  [{ path: 'event_type', message: 'There is no event "no_such".' }],
  'There is no event "no_such".',
  'unknown_event',
);
const wrongContext = invalid(
  [{ path: 'context.amount', message: 'The variable "amount" is missing.' }],
  'The variable "amount" is missing.',
  'invalid_context',
);

export const sending: Topic = {
  name: 'Sending',
  description: '202 means that it is on disk. Unknown fields of a request are ignored.',
  operations: [
    {
      id: 'sendNotification',
      method: 'post',
      path: '/api/v1/notifications/send',
      who: senders,
      summary: 'Tell one person something',
      description:
        'An event with its context, or a free message. Without `channels` the routing chooses; the answer says what is done on every channel and why. A notification to an unknown person is refused, and recorded as failed.',
      once: true,
      body: json(sendRequest, {
        event: EVENT,
        message: MESSAGE,
        // A day that has gone by is now: an example with `expires_at` would be wrong one day.
        later: { ...MESSAGE, send_at: '2027-06-01T09:00:00+03:00' },
      }),
      answers: { 202: { description: 'Accepted', content: json(accepted, { queued: ACCEPTED }) } },
      refusals: [unknownPerson('nobody'), unknownEvent, wrongContext, directoryUnavailable()],
    },
    {
      id: 'sendToPerson',
      method: 'post',
      path: '/api/v1/notifications/realtime/user/{user_id}',
      who: senders,
      summary: 'Tell one person something that they see at once',
      description:
        'The same as `send` with a message and without `channels`: the routing chooses, and always has realtime and push in it.',
      params: z.object({
        user_id: externalId.meta({ description: 'The person', param: { example: 'abebe' } }),
      }),
      once: true,
      body: json(personMessage, {
        message: { message: MESSAGE.message, title: MESSAGE.title },
        urgent: { message: 'Water in the cellar.', type: 'alarm', priority: 'critical', data: { house: 7 } },
      }),
      answers: {
        202: { description: 'Accepted', content: json(accepted, { queued: ACCEPTED }) },
      },
      refusals: [
        unknownPerson('nobody'),
        invalid([{ path: 'message', message: 'is required' }], 'Message is required'),
        directoryUnavailable(),
      ],
    },
    {
      id: 'sendNotifications',
      method: 'post',
      path: '/api/v1/notifications/batch',
      who: senders,
      summary: 'The same for up to 1000 at once',
      description: 'Each item has its own status, and a bad one harms no other. The body may have 4 MB.',
      once: true,
      body: json(batchOf('notifications', sendRequest), { two: { notifications: [EVENT, MESSAGE] } }),
      answers: {
        207: {
          description: 'The outcome of each item',
          content: json(results('BatchResults', accepted), {
            mixed: {
              results: [
                { index: 0, status: 202, body: ACCEPTED },
                { index: 1, status: 404, body: problemOf(unknownPerson('nobody')) },
                { index: 2, status: 503, body: problemOf(directoryUnavailable()) },
              ],
            },
          }),
        },
      },
    },
    {
      id: 'explainNotification',
      method: 'post',
      path: '/api/v1/notifications/explain',
      who: senders,
      summary: 'What would be done, without doing it',
      body: json(sendRequest, { event: EVENT, message: MESSAGE }),
      answers: {
        200: {
          description: 'Each channel, used or not, and the rule',
          content: json(explanation, {
            some: {
              channels: ['email'],
              decisions: [
                { channel: 'email', used: true, reason: 'event', rule: RULES.event, deferred_until: LATER },
                { channel: 'sms', used: false, reason: 'preference_off', rule: RULES.preference_off },
              ],
            },
          }),
        },
      },
      refusals: [unknownPerson('nobody'), unknownEvent, wrongContext, directoryUnavailable()],
    },
    {
      id: 'sendEmail',
      method: 'post',
      path: '/api/v1/notifications/email/send',
      who: senders,
      summary: 'A mail to a bare address',
      once: true,
      body: json(emailRequest, { plain: MAIL, html: { ...MAIL, html_body: '<p>It is signed.</p>' } }),
      answers: { 202: { description: 'Accepted', content: json(acceptedMail, { queued: MAIL_ACCEPTED }) } },
      refusals: [
        invalid([{ path: 'to', message: 'is required' }], 'To email, subject, and body are required'),
      ],
    },
    {
      id: 'sendEmails',
      method: 'post',
      path: '/api/v1/notifications/email/batch',
      who: senders,
      summary: 'The same for up to 1000 at once',
      description: 'Each item has its own status, and a bad one harms no other. The body may have 4 MB.',
      once: true,
      body: json(batchOf('emails', emailRequest), { one: { emails: [MAIL] } }),
      answers: {
        207: {
          description: 'The outcome of each item',
          content: json(results('EmailBatchResults', acceptedMail), {
            mixed: {
              results: [
                { index: 0, status: 202, body: MAIL_ACCEPTED },
                { index: 1, status: 422, body: badMail },
              ],
            },
          }),
        },
      },
    },
    {
      id: 'sendSms',
      method: 'post',
      path: '/api/v1/notifications/sms/send',
      who: senders,
      summary: 'A text message to a bare number',
      once: true,
      body: json(smsRequest, { one: { phone: '+251911000001', message: 'It is signed.' } }),
      answers: {
        202: {
          description: 'Accepted',
          content: json(acceptedSms, { queued: { status: 'sms_queued', sms_id: ID } }),
        },
      },
      refusals: [
        invalid([{ path: 'phone', message: 'is required' }], 'Phone number and message are required'),
      ],
    },
    {
      id: 'sendPush',
      method: 'post',
      path: '/api/v1/notifications/push/mobile/{platform}',
      who: senders,
      summary: "A push to a person's devices of one platform",
      description:
        'A notification that is routed as any other, on the channel push alone. Without a device it is recorded as failed.',
      params: platformParam.extend({
        platform: platformParam.shape.platform.meta({ param: { example: 'android' } }),
      }),
      once: true,
      body: json(pushRequest, { one: { user_id: 'abebe', title: 'Keys', message: 'Your keys are ready.' } }),
      answers: {
        202: {
          description: 'Accepted',
          content: json(acceptedPush, { queued: { status: 'push_queued', notification_id: ID, devices: 1 } }),
        },
      },
      refusals: [
        unknownPerson('nobody'),
        invalid([{ path: 'message', message: 'is required' }], 'User ID and message are required'),
        directoryUnavailable(),
      ],
    },
  ],
};
