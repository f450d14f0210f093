import { Refusal } from '@belfry/shared/domain/refusal.js';
import { z } from 'zod';
import { noSmsAnswers, wrongSignature } from '../routes/inbound-sms.js';
import type { Topic } from './operation.js';

const inbound = z
  .object({
    MessageSid: z.string(),
    From: z.string().meta({ description: 'Who sent it, in E.164' }),
    To: z.string(),
    Body: z
      .string()
      .meta({ description: '`ACK 4821` or `RESOLVE 4821`; only the word when one alert can be meant' }),
  })
  .meta({ id: 'InboundTextMessage', description: 'As Twilio sends it, with more fields than these.' });

export const answers: Topic = {
  name: 'Answers by text message',
  description: 'What providers call.',
  operations: [
    {
      id: 'receiveTextMessage',
      method: 'post',
      path: '/api/v1/inbound/twilio/sms',
      who: null,
      summary: 'Take the answer to an alert',
      description:
        'The webhook for incoming messages of a number or a messaging service at Twilio. `X-Twilio-Signature` is checked with `TWILIO_AUTH_TOKEN` over `PUBLIC_URL` and this path.',
      body: {
        'application/x-www-form-urlencoded': {
          schema: inbound,
          examples: {
            acknowledge: 'MessageSid=SM0123&From=%2B251911234567&To=%2B15005550006&Body=ACK+4821',
          },
        },
      },
      answers: {
        200: {
          description: 'TwiML: what the sender is told, or nothing',
          content: {
            'text/xml': {
              schema: z.string(),
              examples: {
                done: '<?xml version="1.0" encoding="UTF-8"?><Response><Message>You have acknowledged alert 4821.</Message></Response>',
              },
            },
          },
        },
      },
      refusals: [
        wrongSignature(),
        noSmsAnswers(),
        new Refusal('too_large', 'The body is larger than this route takes.'),
        new Refusal('unavailable', 'The database cannot be reached.'),
      ],
    },
  ],
};
