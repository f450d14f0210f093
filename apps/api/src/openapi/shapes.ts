import { channel, priority, record } from '@belfry/shared/channels/fields.js';
import { DELIVERY_STATES, STATUSES } from '@belfry/shared/domain/delivery-state.js';
import type { OutcomeKind } from '@belfry/shared/domain/outcome.js';
import { z } from 'zod';

/* What notifications look like in answers. More fields may come: whoever reads them ignores what they do not know. */

/** An id that Belfry made. */
export const id = z.string().meta({ format: 'uuid', description: 'A UUID' });

/** A moment, as answers have it. */
export const instant = z.string().meta({ format: 'date-time', description: 'ISO 8601, in UTC' });

export const ID = '01a2033a-3957-77b4-ab5a-f7943c9aa06d';
export const DELIVERY_ID = '01a2033a-3958-7290-8d75-2f1f0a1d8f11';
export const AT = '2026-11-25T08:30:00.120Z';
export const LATER = '2026-11-25T08:30:00.470Z';

export const deliveryState = z
  .enum(DELIVERY_STATES)
  .meta({ id: 'DeliveryState', description: 'The state of a delivery' });

const status = z
  .enum(STATUSES)
  .meta({ id: 'Status', description: 'What has become of a notification, over all its deliveries' });

const reason = z
  .string()
  .nullable()
  .meta({ description: 'Why it is so: a rule of the routing, or how sending it ended' });

/** What is said of each channel when something is accepted. */
export const acceptedDelivery = z
  .object({ id, channel, state: deliveryState, reason: z.string().optional() })
  .meta({
    id: 'AcceptedDelivery',
    description: 'What will be done on a channel; skipped ones have a reason',
  });

const OUTCOMES = [
  'sent',
  'retry',
  'throttled',
  'rejected',
  'misconfigured',
  'ambiguous',
] as const satisfies readonly OutcomeKind[];

const attempt = z
  .object({
    n: z.int().min(1),
    provider: z.string(),
    outcome: z.enum(OUTCOMES),
    code: z
      .string()
      .meta({ description: "The answer in the provider's own words, such as `250` or `http-503`" }),
    error: z.string().nullable(),
    started_at: instant,
    finished_at: instant,
  })
  .meta({ id: 'Attempt', description: 'One try to hand a delivery to one provider.' });

const delivery = z
  .object({
    id,
    channel,
    state: deliveryState,
    provider: z.string().nullable(),
    to: z.string().nullable().meta({ description: 'The address, masked' }),
    template: z.string().nullable().meta({ description: 'What was rendered, as `payment_success@1/am`' }),
    due_at: instant,
    sent_at: instant.nullable(),
    reason,
    attempts: z.array(attempt),
  })
  .meta({ id: 'Delivery', description: 'One notification, on one channel, to one address.' });

export const summary = z
  .object({
    id,
    user_id: z.string().nullable().meta({ description: 'Null for a bare address, and for an erased person' }),
    event_type: z.string().nullable(),
    type: z.string(),
    title: z.string().nullable().meta({ description: 'Of a free message or a mail; null for an event' }),
    status,
    sent_at: instant.nullable(),
    created_at: instant,
    priority,
    channels: z.array(channel).meta({ description: 'Those that are used' }),
  })
  .meta({ id: 'NotificationSummary' });

export const details = summary
  .extend({
    message: z.string().nullable(),
    context: record,
    data: record,
    template_version: z.int().nullable(),
    broadcast_id: id.nullable().meta({ description: "The broadcast that it is one person's part of" }),
    send_at: instant.nullable(),
    expires_at: instant.nullable(),
    caller: z.string().meta({ description: 'The subject of the token that sent it' }),
    reason,
    deliveries: z.array(delivery),
  })
  .meta({ id: 'Notification', description: 'All that the ledger knows of a notification.' });

export const mailDetails = details
  .extend({ email_id: id, subject: z.string().nullable(), state: deliveryState })
  .meta({ id: 'Email', description: 'All that the ledger knows of a mail to a bare address.' });

export const SUMMARY_EXAMPLE = {
  id: ID,
  user_id: 'abebe',
  event_type: 'payment_success',
  type: 'payment_success',
  title: null,
  status: 'SENT',
  sent_at: LATER,
  created_at: AT,
  priority: 'high',
  channels: ['email'],
};

export const DETAILS_EXAMPLE = {
  ...SUMMARY_EXAMPLE,
  message: null,
  context: { property_title: 'Bole Garden Apartment', amount: 12500 },
  data: {},
  template_version: 1,
  broadcast_id: null,
  send_at: null,
  expires_at: null,
  caller: 'rental-service',
  reason: null,
  deliveries: [
    {
      id: DELIVERY_ID,
      channel: 'email',
      state: 'sent',
      provider: 'smtp',
      to: 'a***e@example.com',
      template: 'payment_success@1/am',
      due_at: AT,
      sent_at: LATER,
      reason: null,
      attempts: [
        {
          n: 1,
          provider: 'smtp',
          outcome: 'sent',
          code: '250',
          error: null,
          started_at: AT,
          finished_at: LATER,
        },
      ],
    },
  ],
};
