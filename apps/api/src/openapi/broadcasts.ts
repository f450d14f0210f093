import {
  broadcastRequest,
  groupBroadcastRequest,
  maintenanceRequest,
  statusRequest,
} from '@belfry/shared/channels/broadcast.js';
import { channel, externalId, priority, record } from '@belfry/shared/channels/fields.js';
import { BROADCAST_STATUSES, type BroadcastMove } from '@belfry/shared/domain/broadcast.js';
import { invalid } from '@belfry/shared/domain/refusal.js';
import { z } from 'zod';
import { tooManyWatchers } from '../routes/broadcast-progress.js';
import { broadcastQuery, cannot, unknownBroadcast } from '../routes/broadcasts.js';
import { unknownGroup } from '../routes/groups.js';
import { nextPage } from './headers.js';
import { json, type Operation, type Topic } from './operation.js';
import { AT, DELIVERY_ID, ID, id, instant, LATER } from './shapes.js';

const senders = ['admin', 'internal'] as const;
const count = z.int().min(0);

const queued = z
  .object({
    status: z.literal('broadcast_queued'),
    broadcast_id: id,
    total: count.meta({ description: 'How many people it is for, now' }),
  })
  .meta({ id: 'QueuedBroadcast' });

const queuedMaintenance = queued
  .extend({ reminder_id: id.nullable().meta({ description: 'The broadcast that reminds of it' }) })
  .meta({ id: 'QueuedMaintenance' });

const listed = z
  .object({
    id,
    status: z.enum(BROADCAST_STATUSES).meta({
      description: '`completed` when everybody has been come to and nothing is left to be sent',
    }),
    type: z.string(),
    title: z.string(),
    priority,
    channels: z.array(channel),
    target_groups: z.array(z.string()).meta({ description: 'Empty for all active people' }),
    total: count.meta({ description: 'How many people it is for: counted before it begins, and at the end' }),
    reached: count.meta({ description: 'How many people it has come to' }),
    send_at: instant.nullable(),
    expires_at: instant.nullable(),
    created_at: instant,
    started_at: instant.nullable(),
    ended_at: instant.nullable(),
  })
  .meta({ id: 'ListedBroadcast' });

const broadcast = listed
  .extend({
    message: z.string(),
    data: record,
    caller: z.string().meta({ description: 'The subject of the token that sent it' }),
    sent_count: count.meta({ description: 'People who have been told' }),
    failed_count: count.meta({ description: 'People for whom it failed on a channel, or who had none' }),
    pending_count: count,
    cancelled_count: count,
    no_channel_count: count.meta({ description: 'Of the failed, those whom none of the channels reaches' }),
  })
  .meta({ id: 'Broadcast', description: 'A broadcast and how far it is.' });

const LISTED = {
  id: ID,
  status: 'running',
  type: 'system',
  title: 'System Notification',
  priority: 'normal',
  channels: ['realtime'],
  target_groups: [],
  total: 1200,
  reached: 500,
  send_at: null,
  expires_at: null,
  created_at: AT,
  started_at: AT,
  ended_at: null,
};
const BROADCAST = {
  ...LISTED,
  message: 'The portal has a new address.',
  data: {},
  caller: 'rental-service',
  sent_count: 420,
  failed_count: 3,
  pending_count: 77,
  cancelled_count: 0,
  no_channel_count: 3,
};
const QUEUED = { status: 'broadcast_queued', broadcast_id: ID, total: 1200 };
const MESSAGE = { message: 'The portal has a new address.' };

const byId = z.object({ id: id.meta({ description: 'The broadcast', param: { example: ID } }) });
const noMessage = invalid([{ path: 'message', message: 'is required' }], 'Message is required');
const accepted = { 202: { description: 'Accepted', content: json(queued, { queued: QUEUED }) } };

function moving(move: BroadcastMove, summary: string, description: string, status: string): Operation {
  return {
    id: `${move}Broadcast`,
    method: 'post',
    path: `/api/v1/broadcasts/{id}/${move}`,
    who: senders,
    summary,
    description,
    params: byId,
    answers: {
      200: { description: 'As it is now', content: json(broadcast, { one: { ...BROADCAST, status } }) },
    },
    refusals: [unknownBroadcast(ID), cannot(move, 'completed')],
  };
}

export const broadcasts: Topic = {
  name: 'Broadcasts',
  description: 'One message to many people. Each of them gets a notification of their own, once.',
  operations: [
    {
      id: 'broadcast',
      method: 'post',
      path: '/api/v1/notifications/realtime/broadcast',
      who: senders,
      summary: 'Tell all active people, or some groups',
      description: 'Only in the inbox, unless `channels` names others.',
      once: true,
      body: json(broadcastRequest, {
        all: MESSAGE,
        groups: {
          ...MESSAGE,
          title: 'Portal',
          target_groups: ['tenants', 'owners'],
          channels: ['realtime', 'email'],
        },
      }),
      answers: accepted,
      refusals: [noMessage],
    },
    {
      id: 'broadcastToGroup',
      method: 'post',
      path: '/api/v1/notifications/realtime/group/{group_id}',
      who: senders,
      summary: 'Tell the members of a group',
      once: true,
      params: z.object({
        group_id: externalId.meta({ description: 'The group', param: { example: 'tenants' } }),
      }),
      body: json(groupBroadcastRequest, { message: MESSAGE }),
      answers: accepted,
      refusals: [noMessage, unknownGroup('nobodys')],
    },
    {
      id: 'announceStatus',
      method: 'post',
      path: '/api/v1/notifications/system/status',
      who: senders,
      summary: 'Say how the system is',
      description: 'A broadcast of type `system`.',
      once: true,
      body: json(statusRequest, { message: { message: 'All services are up.' } }),
      answers: accepted,
      refusals: [noMessage],
    },
    {
      id: 'announceMaintenance',
      method: 'post',
      path: '/api/v1/notifications/system/maintenance',
      who: senders,
      summary: 'Announce work on the system, and remind of it',
      description:
        'A broadcast of type `system`, in the inbox and by email. With `remind_before_ms` a second one goes out before `starts_at`.',
      once: true,
      // A day that has gone by is now: an example with `starts_at` and a reminder would be wrong one day.
      body: json(maintenanceRequest, {
        message: {
          message: 'The portal is away on Sunday from 2 to 4.',
          send_at: '2027-06-01T09:00:00+03:00',
        },
      }),
      answers: {
        202: {
          description: 'Accepted',
          content: json(queuedMaintenance, {
            plain: { ...QUEUED, reminder_id: null },
            reminding: { ...QUEUED, reminder_id: DELIVERY_ID },
          }),
        },
      },
      refusals: [noMessage],
    },
    {
      id: 'listBroadcasts',
      method: 'get',
      path: '/api/v1/broadcasts',
      who: senders,
      summary: 'Broadcasts, newest first',
      query: broadcastQuery,
      answers: {
        200: {
          description: 'A page of them',
          headers: { Link: nextPage },
          content: json(z.array(listed), { page: [LISTED] }),
        },
      },
    },
    {
      id: 'getBroadcast',
      method: 'get',
      path: '/api/v1/broadcasts/{id}',
      who: senders,
      summary: 'A broadcast and how far it is',
      description: 'The counts are exact at that moment.',
      params: byId,
      answers: { 200: { description: 'The broadcast', content: json(broadcast, { running: BROADCAST }) } },
      refusals: [unknownBroadcast(ID)],
    },
    {
      id: 'watchBroadcast',
      method: 'get',
      path: '/api/v1/broadcasts/{id}/progress',
      who: senders,
      summary: 'Watch a broadcast',
      description:
        'Server-sent events: `progress` every second, with what `GET /api/v1/broadcasts/{id}` answers, and at last `end`. After ten minutes, or when the token ends, connect again.',
      params: byId,
      answers: {
        200: {
          description: 'Events',
          content: {
            'text/event-stream': {
              schema: z.string().meta({ description: 'Events' }),
              examples: {
                last: `event: progress\ndata: ${JSON.stringify({ ...BROADCAST, status: 'completed', ended_at: LATER })}\n\nevent: end\ndata: {"status":"completed"}\n\n`,
              },
            },
          },
        },
      },
      refusals: [unknownBroadcast(ID), tooManyWatchers()],
    },
    moving('pause', 'Stop telling more people', 'What has been handed out already is sent.', 'paused'),
    moving('resume', 'Go on where it was', 'Nobody is told twice.', 'running'),
    moving(
      'cancel',
      'Call a broadcast off',
      'Nobody else is told, and what was handed out and has not been sent is cancelled.',
      'cancelled',
    ),
  ],
};
