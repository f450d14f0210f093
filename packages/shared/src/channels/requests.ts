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

const WHEN = {
  send_at: moment.optional().meta({ description: 'When to send it; at once when absent' }),
  expires_at: moment.optional().meta({ description: 'When it is too late to send it; after `send_at`' }),
};

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
    user_id: externalId.meta({ description: 'The person to tell' }),
    event_type: externalId.optional().meta({ description: 'The event whose templates are the text' }),
    context: record.optional().meta({ description: "The variables of the event's templates" }),
    message: prose(10_000).optional().meta({ description: 'Free text, instead of an event' }),
    title: line(200).optional().meta({ description: 'Goes with `message`; one line' }),
    type: externalId.optional().meta({ description: 'A word for the application that shows it' }),
    priority: priority.default('normal'),
    channels: channelList.optional().meta({ description: 'The channels to use, instead of the routing' }),
    data: record.optional().meta({ description: 'Kept, and handed to the application that shows it' }),
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
  })
  .meta({
    id: 'SendRequest',
    description: 'What one person is to know: an event with its context, or a message.',
    oneOf: [{ required: ['event_type'] }, { required: ['message'] }],
  });
export type SendRequest = z.infer<typeof sendRequest>;

/** A message for one person, whom the path names. */
export const personMessage = z
  .object({
    message: prose(10_000),
    title: line(200).optional().meta({ description: 'One line; `Notification` when absent' }),
    type: externalId
      .optional()
      .meta({ description: 'A word for the application that shows it; `info` when absent' }),
    priority: priority.default('normal'),
    data: record.optional().meta({ description: 'Kept, and handed to the application that shows it' }),
  })
  .meta({ id: 'PersonMessage', description: 'A message for one person.' });

/** A header is folded only at white space (RFC 5322 §2.2.3), and no mail server takes a line that is longer. */
const subject = line(998).refine((text) => !/\S{900}/.test(text), 'must not have a word of 900 characters');

/** A mail to a bare address. */
export const emailRequest = z
  .object({
    to: emailAddress,
    subject: subject.meta({ description: 'One line' }),
    body: prose(200_000).meta({ description: 'The plain text' }),
    html_body: prose(200_000).optional().meta({ description: 'The same as HTML' }),
    priority: priority.default('normal'),
    ...WHEN,
  })
  .superRefine(expiresAfterSending)
  .meta({ id: 'EmailRequest', description: 'A mail to a bare address.' });
export type EmailRequest = z.infer<typeof emailRequest>;

/** A text message to a bare number. Ten segments of the longest kind are the limit. */
export const smsRequest = z
  .object({ phone: phoneNumber, message: prose(1_530), priority: priority.default('normal'), ...WHEN })
  .superRefine(expiresAfterSending)
  .meta({ id: 'SmsRequest', description: 'A text message to a bare number.' });
export type SmsRequest = z.infer<typeof smsRequest>;

/** A push to a person's devices of one platform. */
export const pushRequest = z
  .object({
    user_id: externalId.meta({ description: 'The person to tell' }),
    message: prose(10_000),
    title: line(200).optional().meta({ description: 'One line' }),
    type: externalId.optional().meta({ description: 'A word for the application that shows it' }),
    priority: priority.default('normal'),
    data: record.optional().meta({ description: 'Kept, and handed to the application that shows it' }),
    ...WHEN,
  })
  .superRefine(expiresAfterSending)
  .meta({ id: 'PushRequest', description: 'A push to the devices that a person has of one platform.' });
export type PushRequest = z.infer<typeof pushRequest>;
