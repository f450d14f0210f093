import { escalationPolicyBody } from '@belfry/shared/channels/escalation.js';
import { channel, externalId } from '@belfry/shared/channels/fields.js';
import { z } from 'zod';
import { policyQuery, unknownPolicy } from '../routes/escalation.js';
import { nextPage } from './headers.js';
import { json, type Topic } from './operation.js';
import { AT, instant, LATER } from './shapes.js';

const targets = z.object({
  users: z.array(z.string()).optional(),
  groups: z.array(z.string()).optional(),
  on_call: z.boolean().optional(),
  admins: z.boolean().optional(),
});

const policy = z
  .object({
    name: z.string(),
    steps: z.array(
      z.object({
        name: z.string().optional(),
        after_ms: z.int().min(0),
        notify: targets,
        channels: z.array(channel).optional(),
      }),
    ),
    repeat: z.int().min(0),
    built_in: z.boolean().meta({ description: 'Nobody has written it: it is what Belfry does by itself' }),
    created_at: instant.nullable().meta({ description: 'Null for what is built in' }),
    updated_at: instant.nullable().meta({ description: 'Null for what is built in' }),
  })
  .meta({ id: 'EscalationPolicy', description: 'What happens while nobody acknowledges an alert.' });

const byName = z.object({
  name: externalId.meta({
    description: 'The type of the alerts that follow it, or `default` for all others',
    param: { example: 'disk_full' },
  }),
});

const BODY = {
  steps: [
    { name: 'again', after_ms: 300_000, notify: { on_call: true } },
    {
      name: 'everybody',
      after_ms: 600_000,
      notify: { on_call: true, admins: true },
      channels: ['realtime', 'email', 'sms', 'push'],
    },
  ],
  repeat: 1,
};
const POLICY = { name: 'disk_full', ...BODY, built_in: false, created_at: AT, updated_at: LATER };

export const escalation: Topic = {
  name: 'Escalation',
  description:
    'What happens, step by step, while nobody acknowledges an alert. A critical alert follows the policy that is named as its type, or else `default`; it is copied into the alert when that is opened, so a change is one for alerts to come.',
  operations: [
    {
      id: 'listEscalationPolicies',
      method: 'get',
      path: '/api/v1/escalation-policies',
      who: ['admin'],
      summary: 'Policies that were written, by their names',
      description: 'What is built in is not among them; `GET /api/v1/escalation-policies/default` shows it.',
      query: policyQuery,
      answers: {
        200: {
          description: 'A page of them',
          headers: { Link: nextPage },
          content: json(z.array(policy), { page: [POLICY] }),
        },
      },
    },
    {
      id: 'getEscalationPolicy',
      method: 'get',
      path: '/api/v1/escalation-policies/{name}',
      who: ['admin'],
      summary: 'A policy',
      description: '`default` is always there: while nobody has written it, it is the one that is built in.',
      params: byName,
      answers: { 200: { description: 'The policy', content: json(policy, { policy: POLICY }) } },
      refusals: [unknownPolicy('nothing')],
    },
    {
      id: 'putEscalationPolicy',
      method: 'put',
      path: '/api/v1/escalation-policies/{name}',
      who: ['admin'],
      summary: 'Write a policy, or replace it',
      description:
        'Every step has to name somebody, and people and groups that are here. Alerts that are open go on by the policy that they were opened with.',
      params: byName,
      body: json(escalationPolicyBody, { steps: BODY }),
      answers: {
        200: { description: 'It was replaced', content: json(policy, { policy: POLICY }) },
        201: { description: 'It was written', content: json(policy, { policy: POLICY }) },
      },
    },
    {
      id: 'removeEscalationPolicy',
      method: 'delete',
      path: '/api/v1/escalation-policies/{name}',
      who: ['admin'],
      summary: 'Remove a policy',
      description: 'Removing `default` brings back the one that is built in. Alerts that are open go on.',
      params: byName,
      answers: { 204: { description: 'It is removed' } },
      refusals: [unknownPolicy('nothing')],
    },
  ],
};
