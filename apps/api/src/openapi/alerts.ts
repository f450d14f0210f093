import { alertRequest } from '@belfry/shared/channels/alert.js';
import { channel, externalId, record } from '@belfry/shared/channels/fields.js';
import { ALERT_DOORS, ALERT_EVENT_KINDS, ALERT_LEVELS, ALERT_STATUSES } from '@belfry/shared/domain/alert.js';
import { invalid } from '@belfry/shared/domain/refusal.js';
import { unknownPolicy } from '@belfry/shared/notify/raise-alert.js';
import { z } from 'zod';
import { alertQuery, unknownAlert } from '../routes/alerts.js';
import { nextPage } from './headers.js';
import { json, type Operation, type Topic } from './operation.js';
import { AT, deliveryState, ID, id, instant, LATER } from './shapes.js';

const count = z.int().min(0);
const name = z.string().nullable();
const door = z.enum(ALERT_DOORS).nullable();

const queued = z
  .object({
    status: z.enum(['critical_alert_queued', 'warning_alert_queued', 'info_alert_queued']),
    alert_id: id,
    notified_users: count.meta({ description: 'How many people are told; 0 for a repetition' }),
    opened: z.boolean().meta({
      description: 'False when an alert with the same `dedup_key` is not resolved: `alert_id` is that one',
    }),
    count: z.int().min(1).meta({ description: 'How often it was raised since it was opened' }),
  })
  .meta({ id: 'QueuedAlert' });

const escalation = z
  .object({
    policy: z.string(),
    steps_taken: count,
    steps: count.meta({ description: 'All steps, those of repeats as well' }),
    next_at: instant.nullable().meta({ description: 'Null when nobody waits for another one' }),
  })
  .nullable()
  .meta({ description: 'Null for an alert that does not escalate' });

const FIELDS = {
  type: z.string(),
  level: z.enum(ALERT_LEVELS),
  severity: z.string(),
  message: z.string(),
  source: name,
  affected_systems: z.array(z.string()),
  details: record,
  dedup_key: name,
  code: z.string().meta({ description: 'What an answer by text message names it by: `ACK 4821`' }),
  status: z.enum(ALERT_STATUSES),
  acknowledged: z.boolean(),
  count: z.int().min(1),
  caller: z.string().meta({ description: 'Who raised it' }),
  opened_at: instant,
  last_at: instant.meta({ description: 'When it was raised last' }),
  acknowledged_at: instant.nullable(),
  acknowledged_by: name,
  acknowledged_via: door,
  resolved_at: instant.nullable(),
  resolved_by: name,
  resolved_via: door,
  escalation,
};

const listed = z.object({ id, ...FIELDS }).meta({ id: 'ListedAlert' });

const moved = z
  .object({ alert_id: id, id, ...FIELDS })
  .meta({ id: 'MovedAlert', description: 'The alert as it is now, whoever was first.' });

const event = z
  .object({
    at: instant,
    kind: z.enum(ALERT_EVENT_KINDS),
    actor: name.meta({ description: 'Who did it; null for the fleet itself' }),
    via: door,
    step: z.int().min(0).nullable().meta({ description: '0 for the opening' }),
    user_id: name.meta({ description: 'Who was told' }),
    notification_id: id.optional(),
    deliveries: z
      .array(z.object({ channel, state: deliveryState, reason: name, sent_at: instant.nullable() }))
      .optional()
      .meta({ description: 'How they were told, and when' }),
    details: record,
  })
  .meta({ id: 'AlertEvent' });

const alert = listed
  .extend({
    notified_users: count.meta({ description: 'How many people have been told of it' }),
    timeline: z
      .array(event)
      .meta({ description: 'The first event, and the last 999 after it, the oldest of them first' }),
    timeline_left_out: count.meta({
      description: 'How many events there are after the first one that are not here',
    }),
  })
  .meta({ id: 'Alert', description: 'An alert, who did what, and who was told when and how.' });

const LISTED = {
  id: ID,
  type: 'disk_full',
  level: 'critical',
  severity: 'critical',
  message: 'The disk of db-1 is full.',
  source: 'database_monitor',
  affected_systems: ['user_service', 'order_service'],
  details: {},
  dedup_key: 'disk:db-1',
  code: '4821',
  status: 'open',
  acknowledged: false,
  count: 1,
  caller: 'database-monitor',
  opened_at: AT,
  last_at: AT,
  acknowledged_at: null,
  acknowledged_by: null,
  acknowledged_via: null,
  resolved_at: null,
  resolved_by: null,
  resolved_via: null,
  escalation: { policy: 'default', steps_taken: 0, steps: 3, next_at: LATER },
};
const TAKEN = {
  ...LISTED,
  status: 'acknowledged',
  acknowledged: true,
  acknowledged_at: LATER,
  acknowledged_by: 'abebe',
  acknowledged_via: 'api',
  escalation: { ...LISTED.escalation, next_at: null },
};
const BARE = { actor: null, via: null, step: null, user_id: null, details: {} };
const DETAILS = {
  ...TAKEN,
  notified_users: 1,
  timeline: [
    { ...BARE, at: AT, kind: 'opened', actor: 'database-monitor', details: { policy: 'default' } },
    {
      ...BARE,
      at: AT,
      kind: 'notified',
      step: 0,
      user_id: 'abebe',
      notification_id: ID,
      deliveries: [{ channel: 'sms', state: 'sent', reason: null, sent_at: LATER }],
    },
    { ...BARE, at: LATER, kind: 'acknowledged', actor: 'abebe', via: 'api' },
  ],
  timeline_left_out: 0,
};
const REQUEST = {
  message: 'The disk of db-1 is full.',
  source: 'database_monitor',
  affected_systems: ['user_service', 'order_service'],
  dedup_key: 'disk:db-1',
};

const byId = z.object({ id: id.meta({ description: 'The alert', param: { example: ID } }) });
const everybody = ['admin', 'internal', 'told'] as const;

function moving(
  verb: 'acknowledge' | 'resolve',
  summary: string,
  description: string,
  one: unknown,
): Operation {
  return {
    id: `${verb}Alert`,
    method: 'post',
    path: `/api/v1/alerts/{id}/${verb}`,
    who: everybody,
    summary,
    description,
    params: byId,
    answers: { 200: { description: 'As it is now', content: json(moved, { one }) } },
    refusals: [unknownAlert(ID)],
  };
}

export const alerts: Topic = {
  name: 'Alerts',
  description: 'Conditions that people must acknowledge.',
  operations: [
    {
      id: 'raiseAlert',
      method: 'post',
      path: '/api/v1/notifications/alerts/{level}/{alert_type}',
      who: ['admin', 'internal'],
      summary: 'Raise an alert',
      description:
        'Tells whoever is on call for the type, and the admins, each once. `critical` on realtime, email and SMS whatever they have switched off, and again, step by step, until somebody acknowledges it; `warning` on realtime and by email; `info` on realtime.',
      once: true,
      params: z.object({
        level: z.enum(ALERT_LEVELS).meta({ description: 'How loud it is', param: { example: 'critical' } }),
        alert_type: externalId.meta({ description: 'A word of yours', param: { example: 'disk_full' } }),
      }),
      body: json(alertRequest, { disk: REQUEST }),
      answers: {
        202: {
          description: 'Accepted',
          content: json(queued, {
            opened: {
              status: 'critical_alert_queued',
              alert_id: ID,
              notified_users: 3,
              opened: true,
              count: 1,
            },
          }),
        },
      },
      refusals: [
        invalid([{ path: 'message', message: 'is required' }], 'Message is required'),
        unknownPolicy('night-shift'),
      ],
    },
    {
      id: 'listAlerts',
      method: 'get',
      path: '/api/v1/alerts',
      who: everybody,
      summary: 'Alerts, newest first',
      description: 'People see those that they were told of.',
      query: alertQuery,
      answers: {
        200: {
          description: 'A page of them',
          headers: { Link: nextPage },
          content: json(z.array(listed), { page: [LISTED] }),
        },
      },
    },
    {
      id: 'getAlert',
      method: 'get',
      path: '/api/v1/alerts/{id}',
      who: everybody,
      summary: 'An alert, who did what, and who was told when and how',
      params: byId,
      answers: { 200: { description: 'The alert', content: json(alert, { taken: DETAILS }) } },
      refusals: [unknownAlert(ID)],
    },
    moving(
      'acknowledge',
      'Take an alert upon oneself',
      "From this moment it does not escalate, and what has not left yet is called off. Doing it again changes nothing: the first one's time and person stand.",
      { alert_id: ID, ...TAKEN },
    ),
    moving(
      'resolve',
      'End an alert',
      'Acknowledged or not. One that is raised later with the same `dedup_key` is another alert.',
      {
        alert_id: ID,
        ...TAKEN,
        status: 'resolved',
        resolved_at: LATER,
        resolved_by: 'abebe',
        resolved_via: 'api',
      },
    ),
  ],
};
