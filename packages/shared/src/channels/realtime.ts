import { z } from 'zod';
import { UUID } from '../domain/ids.js';
import { externalId, record } from './fields.js';

const sessionId = externalId.meta({
  description: "The client's own name for it, or the id of one of its streams",
});

/** What a client says when it reports a session by itself. */
export const sessionBody = z
  .object({
    session_id: sessionId.optional(),
    device_info: record.optional().meta({ description: 'What the client says of itself; 2 KB at most' }),
  })
  .refine(({ device_info = {} }) => JSON.stringify(device_info).length <= 2_048, {
    path: ['device_info'],
    message: 'must have at most 2048 characters as JSON',
  })
  .meta({ id: 'ReportedSession' });

/** Which session; all of them when none is named. */
export const sessionNameBody = z.object({ session_id: sessionId.optional() }).meta({ id: 'SessionName' });

/** What a client may say on a WebSocket. */
export const clientMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ping') }),
  z.object({ type: z.literal('read'), id: z.string().regex(UUID, 'must be the id of a notification') }),
  z.object({
    type: z.literal(['acknowledge', 'resolve']),
    alert: z.string().regex(UUID, 'must be the id of an alert'),
  }),
]);
