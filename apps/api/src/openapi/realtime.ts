import { externalId } from '@belfry/shared/channels/fields.js';
import { sessionBody, sessionNameBody } from '@belfry/shared/channels/realtime.js';
import { Refusal } from '@belfry/shared/domain/refusal.js';
import { z } from 'zod';
import { problemOf } from '../middleware/problem.js';
import { tooManyStreams } from '../realtime/streams.js';
import { unknownPerson } from '../routes/known-person.js';
import { unknownSession } from '../routes/presence.js';
import { noWebSocket } from '../routes/realtime.js';
import { json, type Topic } from './operation.js';
import { problemShape } from './problem.js';
import { AT, instant, LATER } from './shapes.js';

const NOTE_ID = '01981a9e-5c1b-7c2a-8f00-1b2c3d4e5f60';
const SESSION_ID = '01981a9e-5c1b-7c2a-8f00-6f5e4d3c2b1a';

const byPerson = z.object({
  id: externalId.meta({ description: 'The person', param: { example: 'abebe' } }),
});

const beginning = z.object({
  access_token: z.string().optional().meta({ description: 'The token, for clients that can set no header' }),
  since: z.string().optional().meta({
    description: 'The `id` of the last note that the client has: everything after it comes, in order, once',
  }),
});

const connected = z
  .object({ status: z.literal('connected'), session_id: z.string(), expires_at: instant })
  .meta({ id: 'SessionConnected' });

const disconnected = z
  .object({
    status: z.literal('disconnected'),
    sessions: z.int().meta({ description: 'How many have ended' }),
  })
  .meta({ id: 'SessionDisconnected' });

const renewed = z
  .object({
    status: z.literal('ok'),
    sessions: z.int().meta({ description: 'How many were renewed' }),
    expires_at: instant,
  })
  .meta({ id: 'SessionRenewed' });

const presence = z
  .object({
    user_id: z.string(),
    online: z.boolean(),
    sessions: z.array(
      z.object({
        session_id: z.string(),
        transport: z.enum(['websocket', 'sse', 'reported']),
        device_info: z.record(z.string(), z.unknown()).nullable(),
        connected_at: instant,
        last_seen_at: instant,
      }),
    ),
    last_seen_at: instant.nullable().meta({ description: 'Null when it is not known' }),
  })
  .meta({ id: 'Presence' });

const NOTE = {
  id: NOTE_ID,
  type: 'notification',
  user_id: 'abebe',
  session_id: SESSION_ID,
  data: {
    id: NOTE_ID,
    notification_id: NOTE_ID,
    title: 'Notification',
    message: 'Hello',
    type: 'info',
    priority: 'normal',
    data: {},
    read: false,
    created_at: AT,
  },
  timestamp: AT,
};

const EVENTS = `Every message is one JSON object.

- \`notification\`: a note, with its \`id\`, \`user_id\`, \`session_id\`, \`data\` and \`timestamp\`
- \`read\` with an \`id\`, and \`unread_count\` with the \`count\`: somebody has read it, on whichever connection
- \`resync\`: what the client named is not kept any more; everything that is kept follows, in order

First come those of the last ten notes that are not read, oldest first, unless the client names the last one that it has.`;

export const realtime: Topic = {
  name: 'Realtime',
  description: 'What a person is told while they are connected, and who is.',
  operations: [
    {
      id: 'openEventStream',
      method: 'get',
      path: '/api/v1/stream',
      who: ['admin', 'internal', 'self'],
      summary: 'The stream of whoever the token names, as server-sent events',
      description: `It ends with the client, or with its token, after a message of the type \`expired\`. A client that comes back sends the \`id\` of the last note as \`Last-Event-ID\`, as browsers do by themselves, or as \`since\`.\n\n${EVENTS}`,
      query: beginning,
      answers: {
        200: {
          description: 'Events, for as long as the client stays',
          content: {
            'text/event-stream': {
              schema: z.string(),
              examples: { note: `id: ${NOTE_ID}\ndata: ${JSON.stringify(NOTE)}\n\n` },
            },
          },
        },
      },
      refusals: [tooManyStreams()],
    },
    {
      id: 'openWebSocket',
      method: 'get',
      path: '/ws',
      who: null,
      summary: 'The same on a WebSocket',
      description: `A handshake (RFC 6455) with a token: in \`Authorization\`, as \`access_token\`, or as the subprotocol \`belfry.<token>\`. The client may say \`{"type":"read","id":…}\`, \`{"type":"acknowledge","alert":…}\` and \`{"type":"resolve","alert":…}\` of an alert that the person was told of, which are answered with \`acknowledged\` and \`resolved\`, and \`{"type":"ping"}\`, which is answered with \`{"type":"pong"}\`.\n\n${EVENTS}`,
      query: beginning,
      answers: {
        101: { description: 'A WebSocket from here on' },
        426: {
          description: 'It was no handshake',
          content: {
            'application/problem+json': {
              schema: problemShape(426),
              examples: { upgrade_required: problemOf(noWebSocket()) },
            },
          },
        },
      },
      refusals: [
        new Refusal('unauthenticated', 'Send a token: Authorization: Bearer <JWT>.'),
        new Refusal('forbidden', 'Forbidden', { reason: 'cross_origin' }),
        tooManyStreams(),
        new Refusal('unavailable', 'The database cannot be reached.'),
      ],
    },
    {
      id: 'connectSession',
      method: 'post',
      path: '/api/v1/websocket/connect/{id}',
      who: ['admin', 'internal', 'self'],
      summary: 'Report that a person is connected',
      description:
        'For clients that are not on one of our streams: with a heartbeat now and then, they count as present. The same `session_id` again renews it; that of a stream says what its device is.',
      params: byPerson,
      body: json(sessionBody, {
        given: { device_info: { name: 'A phone' } },
        named: { session_id: 'phone-1' },
      }),
      answers: {
        200: {
          description: 'Connected',
          content: json(connected, {
            connected: { status: 'connected', session_id: SESSION_ID, expires_at: LATER },
          }),
        },
      },
      refusals: [unknownPerson('nobody')],
    },
    {
      id: 'disconnectSession',
      method: 'post',
      path: '/api/v1/websocket/disconnect/{id}',
      who: ['admin', 'internal', 'self'],
      summary: 'End a session of a person, or all of them',
      description: 'Their streams are closed, whichever process holds them.',
      params: byPerson,
      body: json(sessionNameBody, { one: { session_id: 'phone-1' }, all: {} }),
      answers: {
        200: {
          description: 'Disconnected',
          content: json(disconnected, { disconnected: { status: 'disconnected', sessions: 1 } }),
        },
      },
      refusals: [unknownPerson('nobody')],
    },
    {
      id: 'renewSession',
      method: 'post',
      path: '/api/v1/websocket/heartbeat/{id}',
      who: ['admin', 'internal', 'self'],
      summary: 'Report that a session is still there',
      description: 'All that were reported for the person, when none is named.',
      params: byPerson,
      body: json(sessionNameBody, { named: { session_id: 'phone-1' } }),
      answers: {
        200: {
          description: 'Renewed',
          content: json(renewed, { renewed: { status: 'ok', sessions: 1, expires_at: LATER } }),
        },
      },
      refusals: [unknownPerson('nobody'), unknownSession()],
    },
    {
      id: 'getPresence',
      method: 'get',
      path: '/api/v1/presence/{id}',
      who: ['admin', 'internal', 'self'],
      summary: 'Whether a person is connected, and with what',
      params: byPerson,
      answers: {
        200: {
          description: 'How it is now',
          content: json(presence, {
            online: {
              user_id: 'abebe',
              online: true,
              sessions: [
                {
                  session_id: SESSION_ID,
                  transport: 'websocket',
                  device_info: null,
                  connected_at: AT,
                  last_seen_at: LATER,
                },
              ],
              last_seen_at: LATER,
            },
          }),
        },
      },
      refusals: [unknownPerson('nobody')],
    },
  ],
};
