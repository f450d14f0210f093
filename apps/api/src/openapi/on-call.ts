import { externalId } from '@belfry/shared/channels/fields.js';
import { calendarQuery, onCallBody, overrideBody } from '@belfry/shared/channels/on-call.js';
import { directoryUnavailable } from '@belfry/shared/directory/directory.js';
import { z } from 'zod';
import { onCallListQuery, onCallQuery, unknownOnCall } from '../routes/on-call.js';
import { notOnCall, overrideQuery, tooManyOverrides, unknownOverride } from '../routes/on-call-overrides.js';
import { unknownPeople } from '../routes/on-call-people.js';
import { nextPage } from './headers.js';
import { json, type Topic } from './operation.js';
import { AT, ID, id, instant } from './shapes.js';

const people = z.array(z.string());

const standing = z.object({
  alert_type: z.string(),
  user_ids: people.meta({ description: 'Who is on call at that moment, each person once' }),
  at: instant.meta({ description: 'That moment' }),
  until: instant
    .nullable()
    .meta({ description: 'When it may change: a hand-off, or the beginning or end of an override' }),
  fixed: people.meta({ description: 'Those who always are' }),
});
const written = z.object({ created_at: instant, updated_at: instant });

const listed = z
  .object({
    ...standing.shape,
    layers: z.array(z.string()).meta({ description: 'By their names' }),
    ...written.shape,
  })
  .meta({ id: 'ListedOnCall' });

const turn = z
  .object({ user_id: z.string(), since: instant, until: instant })
  .meta({ id: 'OnCallTurn', description: "One person's turn, whatever overrides say." });

const layer = z
  .object({
    name: z.string(),
    user_ids: people.meta({ description: 'In the order of their turns' }),
    turn: z.object({ every: z.enum(['day', 'week', 'hours']), hours: z.int().min(1).optional() }),
    hand_off: z.string().nullable(),
    timezone: z.string(),
    starts_at: instant,
    ends_at: instant.nullable(),
    now: turn.nullable().meta({ description: 'At that moment; null before it starts and after it ends' }),
    next: turn.nullable(),
  })
  .meta({ id: 'OnCallLayer', description: 'People who take turns.' });

const override = z
  .object({
    id,
    user_id: z.string().meta({ description: 'Who is on call instead' }),
    replaces: z.string().nullable().meta({ description: 'For whom; for everybody when null' }),
    starts_at: instant,
    ends_at: instant.meta({ description: 'The first moment at which it is over' }),
    created_by: z.string().meta({ description: 'The subject of the token that made it' }),
    created_at: instant,
  })
  .meta({ id: 'OnCallOverride', description: 'Somebody stands in for a while.' });

const onCall = z
  .object({
    ...standing.shape,
    layers: z.array(layer),
    overrides: z.array(override).meta({ description: 'Those that end after that moment' }),
    inactive: people.meta({
      description: 'Who has a place in it and is switched off, and so is told nothing',
    }),
    ...written.shape,
  })
  .meta({ id: 'OnCall', description: 'Who is on call for a type of alert.' });

const calendar = z
  .object({
    alert_type: z.string(),
    from: instant,
    to: instant,
    spans: z.array(
      z.object({
        starts_at: instant,
        ends_at: instant,
        user_ids: people.meta({ description: 'Empty when nobody is' }),
      }),
    ),
  })
  .meta({ id: 'OnCallCalendar' });

const alertType = externalId.meta({ description: 'The type of alert', param: { example: 'disk_full' } });
const byType = z.object({ alert_type: alertType });
const byOverride = z.object({
  alert_type: alertType,
  id: id.meta({ description: 'The override', param: { example: ID } }),
});

const LAYER = {
  name: 'weekly',
  user_ids: ['abebe'],
  turn: { every: 'week' },
  hand_off: '09:00',
  timezone: 'Africa/Addis_Ababa',
  starts_at: '2026-11-23T06:00:00.000Z',
};
const NIGHTS = {
  ...LAYER,
  name: 'half days',
  turn: { every: 'hours', hours: 12 },
  hand_off: null,
  ends_at: '2027-11-23T06:00:00.000Z',
};
const MONDAYS = ['2026-11-23T06:00:00.000Z', '2026-11-30T06:00:00.000Z', '2026-12-07T06:00:00.000Z'];
const STANDING = { alert_type: 'disk_full', user_ids: ['abebe'], at: AT, until: MONDAYS[1], fixed: [] };
const OVERRIDE = {
  user_id: 'abebe',
  replaces: null,
  starts_at: '2027-01-07T00:00:00.000Z',
  ends_at: '2027-01-08T00:00:00.000Z',
};
const OVERRIDES = [{ id: ID, ...OVERRIDE, created_by: 'operator', created_at: AT }];
const ON_CALL = {
  ...STANDING,
  layers: [
    {
      ...LAYER,
      ends_at: null,
      now: { user_id: 'abebe', since: MONDAYS[0], until: MONDAYS[1] },
      next: { user_id: 'abebe', since: MONDAYS[1], until: MONDAYS[2] },
    },
  ],
  overrides: OVERRIDES,
  inactive: [],
  created_at: AT,
  updated_at: AT,
};

const nobody = unknownPeople(['nobody'], [['user_ids', 'nobody']]);

export const onCallTopic: Topic = {
  name: 'On call',
  description:
    'Who is told of alerts of a type, at any moment: fixed lists, people who take turns, and who stands in. The type `default` holds for all of which nothing was said.',
  operations: [
    {
      id: 'listOnCall',
      method: 'get',
      path: '/api/v1/on-call',
      who: ['admin'],
      summary: 'Who is on call now, by the types of alerts',
      query: onCallListQuery,
      answers: {
        200: {
          description: 'A page of them',
          headers: { Link: nextPage },
          content: json(z.array(listed), {
            page: [{ ...STANDING, layers: ['weekly'], created_at: AT, updated_at: AT }],
          }),
        },
      },
    },
    {
      id: 'putOnCall',
      method: 'put',
      path: '/api/v1/on-call/{alert_type}',
      who: ['admin'],
      summary: 'Say who is on call for a type of alert',
      description:
        'What is left out stays as it is; `user_ids` and `layers` are replaced whole. Overrides are calls of their own. Types without a schedule follow the one of `default`; a schedule that names nobody is one.',
      params: byType,
      body: json(onCallBody, {
        'a fixed list': { user_ids: ['abebe'] },
        'turns of a week': { layers: [LAYER] },
        'a list and turns of hours': { user_ids: ['abebe'], layers: [NIGHTS] },
        nobody: { user_ids: [], layers: [] },
      }),
      answers: { 200: { description: 'As it is now', content: json(onCall, { one: ON_CALL }) } },
      refusals: [nobody, directoryUnavailable()],
    },
    {
      id: 'getOnCall',
      method: 'get',
      path: '/api/v1/on-call/{alert_type}',
      who: ['admin'],
      summary: 'Who is on call at a moment, and the schedule',
      params: byType,
      query: onCallQuery,
      answers: { 200: { description: 'The schedule', content: json(onCall, { one: ON_CALL }) } },
      refusals: [unknownOnCall('disk_fill')],
    },
    {
      id: 'getOnCallCalendar',
      method: 'get',
      path: '/api/v1/on-call/{alert_type}/calendar',
      who: ['admin'],
      summary: 'Who is on call over a span of time',
      params: byType,
      query: calendarQuery,
      answers: {
        200: {
          description: 'Spans without a gap, in each of which the same people are on call',
          content: json(calendar, {
            week: {
              alert_type: 'disk_full',
              from: MONDAYS[0],
              to: MONDAYS[1],
              spans: [{ starts_at: MONDAYS[0], ends_at: MONDAYS[1], user_ids: ['abebe'] }],
            },
          }),
        },
      },
      refusals: [unknownOnCall('disk_fill')],
    },
    {
      id: 'deleteOnCall',
      method: 'delete',
      path: '/api/v1/on-call/{alert_type}',
      who: ['admin'],
      summary: 'Forget a schedule with its overrides',
      params: byType,
      answers: { 204: { description: 'Forgotten' } },
      refusals: [unknownOnCall('disk_fill')],
    },
    {
      id: 'listOverrides',
      method: 'get',
      path: '/api/v1/on-call/{alert_type}/overrides',
      who: ['admin'],
      summary: 'Overrides in the order in which they were made, also those that are over',
      params: byType,
      query: overrideQuery,
      answers: {
        200: {
          description: 'A page of them',
          headers: { Link: nextPage },
          content: json(z.array(override), { page: OVERRIDES }),
        },
      },
      refusals: [unknownOnCall('disk_fill')],
    },
    {
      id: 'addOverride',
      method: 'post',
      path: '/api/v1/on-call/{alert_type}/overrides',
      who: ['admin'],
      summary: 'Let somebody stand in for a while',
      description: 'Where several hold at once, a later one finds people as the earlier ones have left them.',
      params: byType,
      body: json(overrideBody, { 'for everybody': OVERRIDE }),
      once: true,
      answers: { 201: { description: 'They will', content: json(override, { one: OVERRIDES[0] }) } },
      refusals: [unknownOnCall('disk_fill'), nobody, notOnCall(), tooManyOverrides(), directoryUnavailable()],
    },
    {
      id: 'removeOverride',
      method: 'delete',
      path: '/api/v1/on-call/{alert_type}/overrides/{id}',
      who: ['admin'],
      summary: 'Take an override away',
      params: byOverride,
      answers: { 204: { description: 'It is gone' } },
      refusals: [unknownOverride(ID)],
    },
  ],
};
