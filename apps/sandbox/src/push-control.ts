import { json, Router } from 'express';
import { z } from 'zod';
import type { PushService } from './push-service.js';
import { PUSH_ROOT } from './webpush.js';

const subscriptionSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9._\-:@]{1,128}$/, 'must be 1 to 128 letters, digits or any of . _ - : @')
    .optional(),
  /** As `PushManager.subscribe` takes it; then only this VAPID key may send. */
  applicationServerKey: z
    .string()
    .regex(/^[\w-]{87}$/, 'must be a VAPID key: 65 bytes in base64url')
    .nullish(),
});

/** The part of the sandbox's own API that plays the browser: who has subscribed, and who is no more. */
export function pushControlRoutes(
  { subscriptions, save, open }: PushService,
  vapidPublicKey: string | undefined,
): Router {
  const routes = Router();

  routes.post(`${PUSH_ROOT}/subscriptions`, json({ limit: '16kb' }), async (req, res) => {
    const { name = crypto.randomUUID(), applicationServerKey = null } = subscriptionSchema.parse(
      req.body ?? {},
    );
    const { url } = await open();
    const { keys } = subscriptions.add({ name, applicationServerKey });
    await save();
    res.status(201).json({ name, endpoint: `${url}${PUSH_ROOT}/${encodeURIComponent(name)}`, keys });
  });
  routes.get(`${PUSH_ROOT}/subscriptions`, (_req, res) => {
    res.json(
      subscriptions
        .list()
        .map(({ name, applicationServerKey, keys }) => ({ name, applicationServerKey, keys })),
    );
  });
  routes.delete(`${PUSH_ROOT}/subscriptions/:name`, async (req, res, next) => {
    if (!subscriptions.end(req.params.name)) return next();
    await save();
    res.status(204).end();
  });
  routes.get(`${PUSH_ROOT}/vapid-key`, (_req, res) => {
    res.json({ public_key: vapidPublicKey ?? null });
  });
  routes.get(`${PUSH_ROOT}/certificate`, async (_req, res) => {
    const { certificate } = await open();
    res.type('application/x-pem-file').send(certificate);
  });
  return routes;
}
