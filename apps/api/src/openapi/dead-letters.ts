import { channel, priority } from '@belfry/shared/channels/fields.js';
import { z } from 'zod';
import { deadLetterQuery, failureClass, nothingNamed, replayBody } from '../routes/dead-letters.js';
import { nextPage } from './headers.js';
import { json, type Topic } from './operation.js';
import { AT, DELIVERY_ID, deliveryState, ID, id, instant, LATER } from './shapes.js';

const deadLetter = z
  .object({
    id: id.meta({ description: 'Of the delivery' }),
    notification_id: id,
    user_id: z.string().nullable().meta({ description: 'Null for a bare address, and for an erased person' }),
    event_type: z.string().nullable(),
    channel,
    priority,
    to: z.string().nullable().meta({ description: 'The address, masked' }),
    class: failureClass,
    reason: z.string().nullable(),
    provider: z.string().nullable(),
    code: z
      .string()
      .nullable()
      .meta({ description: "The last answer in the provider's own words; null when nothing was ever tried" }),
    error: z.string().nullable(),
    attempts: z.int().min(0).meta({ description: 'All tries there ever were' }),
    interruptions: z.int().min(0).meta({ description: 'Workers that were lost with it' }),
    dead_at: instant,
    created_at: instant,
    retryable: z.boolean().meta({ description: 'It is tried again by itself while it has rounds left' }),
  })
  .meta({ id: 'DeadLetter', description: 'A delivery that was given up.' });

const skipped = z.object({
  id,
  reason: z.enum(['not_found', 'not_dead']),
  state: deliveryState.nullable().meta({ description: 'What it is instead; null when it was not found' }),
});

const replayed = z
  .object({
    replayed: z.int().min(0),
    skipped: z
      .array(skipped)
      .meta({ description: 'Of the ids that were named, those that were not brought back' }),
    rate: z.int().meta({ description: 'How many become due in a second' }),
    last_due_at: instant.nullable().meta({ description: 'Null when nothing was brought back' }),
    more: z
      .boolean()
      .meta({ description: 'One call did not bring back all that fit: the same call again goes on' }),
  })
  .meta({ id: 'Replayed' });

export const deadLetters: Topic = {
  name: 'Dead letters',
  description: 'Deliveries that were given up, until they are brought back.',
  operations: [
    {
      id: 'listDeadLetters',
      method: 'get',
      path: '/api/v1/dead-letters',
      who: ['admin'],
      summary: 'What was given up, the newest death first',
      description:
        'All filters that are given must hold. One call looks through ten thousand dead letters at most: a page can be short, or empty, and still name a next one.',
      query: deadLetterQuery,
      answers: {
        200: {
          description: 'A page of them',
          headers: { Link: nextPage },
          content: json(z.array(deadLetter), {
            page: [
              {
                id: DELIVERY_ID,
                notification_id: ID,
                user_id: 'abebe',
                event_type: 'payment_success',
                channel: 'email',
                priority: 'high',
                to: 'a***e@example.com',
                class: 'rejected',
                reason: 'rejected',
                provider: 'smtp',
                code: '550',
                error: '550 5.1.1 No such mailbox',
                attempts: 1,
                interruptions: 0,
                dead_at: LATER,
                created_at: AT,
                retryable: false,
              },
            ],
          }),
        },
      },
    },
    {
      id: 'replayDeadLetters',
      method: 'post',
      path: '/api/v1/dead-letters/replay',
      who: ['admin'],
      summary: 'Bring them back, spaced out in time',
      description:
        'Single deliveries by their `ids`, or all that a `filter` fits: one of the two. What is not dead any more is skipped, so repeating a call sends nothing twice.',
      once: true,
      body: json(replayBody.meta({ id: 'Replay' }), {
        filter: { filter: { class: 'exhausted', provider: 'smtp' }, rate: 20 },
        ids: { ids: [DELIVERY_ID] },
      }),
      answers: {
        202: {
          description: 'Their times are set',
          content: json(replayed, {
            filter: { replayed: 1200, skipped: [], rate: 20, last_due_at: LATER, more: false },
            ids: {
              replayed: 0,
              skipped: [{ id: DELIVERY_ID, reason: 'not_dead', state: 'sent' }],
              rate: 50,
              last_due_at: null,
              more: false,
            },
          }),
        },
      },
      refusals: [nothingNamed()],
    },
  ],
};
