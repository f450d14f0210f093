import { externalId } from '@belfry/shared/channels/fields.js';
import { personBody, preferencesBody } from '@belfry/shared/channels/person.js';
import { directoryUnavailable } from '@belfry/shared/directory/directory.js';
import { CHANNELS } from '@belfry/shared/domain/channel.js';
import { invalid } from '@belfry/shared/domain/refusal.js';
import { z } from 'zod';
import { unknownPerson } from '../routes/known-person.js';
import { listQuery } from '../routes/people.js';
import { noWebhookSecrets } from '../routes/webhook-secret.js';
import { nextPage } from './headers.js';
import { importing } from './importing.js';
import { json, type Topic } from './operation.js';
import { AT, instant, LATER } from './shapes.js';

const listed = z
  .object({
    id: z.string(),
    email: z.string().nullable(),
    phone: z.string().nullable(),
    locale: z.string(),
    timezone: z.string(),
    roles: z.array(z.string()),
    active: z.boolean(),
    webhook_url: z.string().nullable().meta({ description: 'Where the webhook channel reaches them' }),
    created_at: instant,
    updated_at: instant,
  })
  .meta({ id: 'ListedPerson' });

const person = listed.extend({ groups: z.array(z.string()) }).meta({ id: 'Person' });

const switches = Object.fromEntries(CHANNELS.map((channel) => [channel, z.boolean()]));

const preferences = z
  .object({
    ...switches,
    events: z
      .record(z.string(), z.object(switches).partial())
      .meta({ description: 'What was said of single events; it goes before the switch of the channel' }),
    quiet_hours: z.object({ from: z.string(), to: z.string() }).nullable(),
  })
  .meta({
    id: 'Preferences',
    description: 'One switch for each channel, what was said of single events, and the quiet hours.',
  });

const secrets = z
  .object({
    secret: z.string().meta({ description: 'As Standard Webhooks writes it: `whsec_` and base64' }),
    previous_secret: z
      .string()
      .optional()
      .meta({ description: 'While secrets are rotated: a receiver may check with either' }),
  })
  .meta({ id: 'WebhookSecret', description: 'What a receiver checks webhooks with.' });

const byId = z.object({ id: externalId.meta({ description: 'The person', param: { example: 'abebe' } }) });

const BODY = {
  email: 'abebe@example.com',
  phone: '+251911000001',
  locale: 'am',
  timezone: 'Africa/Addis_Ababa',
  groups: ['tenants'],
  webhook_url: 'https://hooks.example.com/belfry',
};
const LISTED = {
  id: 'abebe',
  email: BODY.email,
  phone: BODY.phone,
  locale: BODY.locale,
  timezone: BODY.timezone,
  roles: [],
  active: true,
  webhook_url: BODY.webhook_url,
  created_at: AT,
  updated_at: LATER,
};
const PERSON = { ...LISTED, groups: BODY.groups };
const PREFERENCES = {
  realtime: true,
  email: true,
  sms: true,
  push: true,
  webhook: true,
  events: { payment_success: { email: false } },
  quiet_hours: { from: '22:00', to: '07:00' },
};
const unknownEvent = invalid(
  [{ path: 'events.no_such', message: 'There is no event "no_such".' }],
  undefined,
  'unknown_event',
);

export const people: Topic = {
  name: 'People',
  description: 'Who can be told something, and what they wish.',
  operations: [
    {
      id: 'listPeople',
      method: 'get',
      path: '/api/v1/users',
      who: ['admin'],
      summary: 'People, by their ids',
      query: listQuery,
      answers: {
        200: {
          description: 'A page of them',
          headers: { Link: nextPage },
          content: json(z.array(listed), { page: [LISTED] }),
        },
      },
    },
    importing,
    {
      id: 'putPerson',
      method: 'put',
      path: '/api/v1/users/{id}',
      who: ['admin'],
      summary: 'Add a person, or change them',
      description: 'What is left out stays as it is. `groups` and `roles` are replaced whole.',
      params: byId,
      body: json(personBody.meta({ id: 'PersonChange' }), { person: BODY, leave: { active: false } }),
      answers: {
        200: { description: 'Changed', content: json(person, { person: PERSON }) },
        201: { description: 'Added', content: json(person, { person: PERSON }) },
      },
    },
    {
      id: 'getPerson',
      method: 'get',
      path: '/api/v1/users/{id}',
      who: ['admin'],
      summary: 'A person',
      params: byId,
      answers: { 200: { description: 'The person', content: json(person, { person: PERSON }) } },
      refusals: [unknownPerson('nobody')],
    },
    {
      id: 'erasePerson',
      method: 'delete',
      path: '/api/v1/users/{id}',
      who: ['admin'],
      summary: "Erase a person's data",
      description:
        'Their addresses and all texts to them go, what is queued is cancelled; that something was sent, and how it ended, stays.',
      params: byId,
      answers: { 204: { description: 'Erased' } },
      refusals: [unknownPerson('nobody')],
    },
    {
      id: 'getPreferences',
      method: 'get',
      path: '/api/v1/users/{id}/preferences',
      who: ['admin', 'self'],
      summary: 'On which channels a person wants to be told, and when not',
      params: byId,
      answers: {
        200: { description: 'All wishes', content: json(preferences, { some: PREFERENCES }) },
      },
      refusals: [unknownPerson('nobody'), directoryUnavailable()],
    },
    {
      id: 'putPreferences',
      method: 'put',
      path: '/api/v1/users/{id}/preferences',
      who: ['admin', 'self'],
      summary: 'Switch channels on or off, and set quiet hours',
      description: 'What is left out stays as it is.',
      params: byId,
      body: json(preferencesBody, {
        'text messages': { sms: true },
        'one event': { events: { payment_success: { email: false } } },
        'taking it back': { events: { payment_success: null } },
        'quiet hours': { quiet_hours: { from: '22:00', to: '07:00' } },
      }),
      answers: {
        200: { description: 'All wishes', content: json(preferences, { some: PREFERENCES }) },
      },
      refusals: [unknownPerson('nobody'), unknownEvent, directoryUnavailable()],
    },
    {
      id: 'getWebhookSecret',
      method: 'get',
      path: '/api/v1/users/{id}/webhook-secret',
      who: ['admin'],
      summary: "What a person's receiver checks webhooks with",
      description: 'Who asked is written to the audit trail.',
      params: byId,
      answers: {
        200: {
          description: 'The secret',
          content: json(secrets, { one: { secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' } }),
        },
      },
      refusals: [unknownPerson('nobody'), noWebhookSecrets()],
    },
  ],
};
