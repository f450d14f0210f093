import { z } from 'zod';
import {
  channelList,
  emailAddress,
  externalId,
  line,
  moment,
  phoneNumber,
  priority,
  prose,
  record,
} from './fields.js';

const WHEN = { send_at: moment.optional(), expires_at: moment.optional() };

/** `expires_at` must leave room to send. */
function expiresAfterSending(
  request: { send_at?: Date | undefined; expires_at?: Date | undefined },
  context: z.RefinementCtx,
) {
  const begins = Math.max(Date.now(), request.send_at?.getTime() ?? 0);
  if (request.expires_at !== undefined && request.expires_at.getTime() <= begins) {
    context.addIssue({
      code: 'custom',
      path: ['expires_at'],
      message: 'must be after send_at and in the future',
    });
  }
}

/** A notification for one person: an event with its context, or a free message. */
export const sendRequest = z
  .object({
    user_id: externalId,
    event_type: externalId.optional(),
    context: record.optional(),
    message: prose(10_000).optional(),
    title: line(200).optional(),
    type: externalId.optional(),
    priority: priority.default('normal'),
    channels: channelList.optional(),
    data: record.optional(),
    ...WHEN,
  })
  .superRefine((request, context) => {
    if (request.event_type === undefined && request.message === undefined) {
      context.addIssue({
        code: 'custom',
        path: ['event_type'],
        message: 'is required, unless there is a message',
      });
    }
    if (request.event_type !== undefined && request.message !== undefined) {
      context.addIssue({
        code: 'custom',
        path: ['message'],
        message: 'cannot go with event_type: the event has its own text',
      });
    }
    expiresAfterSending(request, context);
  });
export type SendRequest = z.infer<typeof sendRequest>;

/** A header is folded only at white space (RFC 5322 §2.2.3), and no mail server takes a line that is longer. */
const subject = line(998).refine((text) => !/\S{900}/.test(text), 'must not have a word of 900 characters');

/** A mail to a bare address. */
export const emailRequest = z
  .object({
    to: emailAddress,
    subject,
    body: prose(200_000),
    html_body: prose(200_000).optional(),
    priority: priority.default('normal'),
    ...WHEN,
  })
  .superRefine(expiresAfterSending);
export type EmailRequest = z.infer<typeof emailRequest>;

/** A text message to a bare number. Ten segments of the longest kind are the limit. */
export const smsRequest = z
  .object({ phone: phoneNumber, message: prose(1_530), priority: priority.default('normal'), ...WHEN })
  .superRefine(expiresAfterSending);
export type SmsRequest = z.infer<typeof smsRequest>;
