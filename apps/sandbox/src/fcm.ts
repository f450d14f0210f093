import { randomUUID } from 'node:crypto';
import { json, type Request, Router, urlencoded } from 'express';
import { z } from 'zod';
import { accept, type Books } from './books.js';
import type { FaultAction } from './fault-rule.js';
import { type FcmAccount, PROJECT } from './fcm-account.js';
import { answer, type HttpAnswer } from './http-fault.js';
import type { ArrivedMessage } from './message.js';
import { headersOf } from './push-note.js';

/** Where access tokens are given out. */
const TOKEN_PATH = '/fcm/token';
const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
/** FCM takes 4096 bytes of notification and data. */
const MOST_BYTES = 4_096;
/** Names that FCM keeps for itself. */
const KEPT_NAME = /^(from|message_type|collapse_key|google\.|gcm\.)/;

const message = z.strictObject({
  token: z.string().min(1),
  notification: z.strictObject({ title: z.string().optional(), body: z.string().optional() }).optional(),
  data: z
    .record(
      z.string().refine((name) => !KEPT_NAME.test(name)),
      z.string(),
    )
    .optional(),
  android: z
    .strictObject({
      priority: z.enum(['NORMAL', 'HIGH']).optional(),
      ttl: z
        .string()
        .regex(/^\d+(\.\d{1,9})?s$/)
        .optional(),
      collapse_key: z.string().optional(),
      notification: z.strictObject({ tag: z.string().optional() }).optional(),
    })
    .optional(),
  apns: z
    .strictObject({
      headers: z.record(z.string(), z.string()).optional(),
      payload: z.record(z.string(), z.unknown()).optional(),
    })
    .optional(),
});
const sendBody = z.strictObject({ message, validate_only: z.boolean().optional() });

/** The part of the HTTP v1 API of Firebase Cloud Messaging that sends, and the token endpoint of its service account. */
export function fcmRoutes(books: Books, account: FcmAccount): Router {
  const routes = Router({ caseSensitive: true });
  const { calls } = books;

  routes.get('/fcm/credentials', async (req, res) => void res.json(await account.keyFile(tokenUri(req))));
  routes.delete('/fcm/tokens', (_req, res) => {
    account.withdraw();
    res.status(204).end();
  });

  routes.post(TOKEN_PATH, urlencoded({ extended: false, limit: '64kb' }), async (req, res) => {
    calls.lookedUp('push');
    const { grant_type, assertion }: { grant_type?: unknown; assertion?: unknown } = Object(req.body);
    const granted = grant_type === GRANT ? await account.grant(String(assertion), tokenUri(req)) : undefined;
    answer(books, res, {
      provider: 'fcm',
      moment: 'lookup',
      recipients: [],
      serve: () =>
        granted === undefined
          ? {
              status: 400,
              body: JSON.stringify({ error: 'invalid_grant', error_description: 'Invalid JWT' }),
            }
          : { status: 200, body: JSON.stringify(granted) },
      fail: failed,
    });
  });

  // A colon begins a parameter in a path that is no expression.
  routes.post(
    /^\/v1\/projects\/([^/]+)\/messages:send$/,
    json({ limit: '1mb', type: () => true }),
    (req, res) => {
      calls.tried('push');
      const { data } = sendBody.safeParse(req.body);
      const refused = refusal(req, data === undefined, account);
      answer(books, res, {
        provider: 'fcm',
        moment: 'message',
        recipients: data === undefined ? [] : [data.message.token],
        serve: () => {
          if (refused !== undefined || data === undefined)
            return refused ?? fcmError(400, 'INVALID_ARGUMENT');
          if (data.validate_only !== true) accept(books, arrivedFrom(req, data.message));
          return {
            status: 200,
            body: JSON.stringify({ name: `projects/${PROJECT}/messages/0:${randomUUID()}` }),
          };
        },
        fail: failed,
      });
    },
  );
  return routes;
}

function tokenUri(req: Request): string {
  return `${req.protocol}://${req.get('host')}${TOKEN_PATH}`;
}

function refusal(req: Request, wrong: boolean, account: FcmAccount): HttpAnswer | undefined {
  const [, token = ''] = /^Bearer (\S+)$/.exec(req.get('authorization') ?? '') ?? [];
  if (!account.knows(token)) return fcmError(401, undefined, 'UNAUTHENTICATED');
  if (req.params[0] !== PROJECT) return fcmError(403, undefined, 'PERMISSION_DENIED');
  if (wrong) return fcmError(400, 'INVALID_ARGUMENT');
  const { notification, data } = sendBody.parse(req.body).message;
  const size = Buffer.byteLength(JSON.stringify({ notification, data }));
  return size > MOST_BYTES ? fcmError(400, 'INVALID_ARGUMENT') : undefined;
}

function arrivedFrom(
  req: Request,
  { token, notification, data, android, apns }: z.output<typeof message>,
): ArrivedMessage {
  const payload = JSON.stringify({ notification, data, android, apns });
  return {
    channel: 'push',
    recipients: [token],
    from: PROJECT,
    delivery_id: data?.delivery_id ?? null,
    subject: notification?.title ?? '',
    text: notification?.body ?? '',
    // The access token opens the whole project.
    headers: { ...headersOf(req), authorization: 'Bearer ***' },
    details: {
      provider: 'fcm',
      urgency: android?.priority ?? 'NORMAL',
      ttl: android?.ttl ?? '',
      topic: android?.notification?.tag ?? '',
      payload,
    },
    raw_size: Buffer.byteLength(payload),
  };
}

function failed(action: Extract<FaultAction, { kind: 'status' }>): HttpAnswer {
  const { status, body, fcmError: code } = action;
  if (body === undefined) return fcmError(status, code);
  if (typeof body !== 'string') return { status, body: JSON.stringify(body) };
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body };
}

/** An error as FCM sends it, with the code of its own where there is one. */
function fcmError(code: number, errorCode: string | undefined, status = errorCode ?? 'UNKNOWN'): HttpAnswer {
  const details =
    errorCode === undefined
      ? []
      : [{ '@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError', errorCode }];
  return {
    status: code,
    body: JSON.stringify({ error: { code, message: 'The sandbox refused it.', status, details } }),
  };
}
