import { externalId } from '@belfry/shared/channels/fields.js';
import {
  emailRequest,
  type PushRequest,
  personMessage,
  pushRequest,
  type SendRequest,
  sendRequest,
  smsRequest,
} from '@belfry/shared/channels/requests.js';
import type { Channel } from '@belfry/shared/domain/channel.js';
import { PLATFORMS, type Platform } from '@belfry/shared/domain/device.js';
import { type FieldError, invalid, Refusal } from '@belfry/shared/domain/refusal.js';
import type { NewNotification } from '@belfry/shared/ledger/accept.js';
import type { Notifier, Prepared } from '@belfry/shared/notify/notifier.js';
import { RULES } from '@belfry/shared/routing/route.js';
import { type Request, Router } from 'express';
import { z } from 'zod';
import { allow, callerOf } from '../middleware/authenticate.js';
import { jsonBody } from '../middleware/body.js';
import type { Limits } from '../middleware/limits.js';
import type { Making, Once } from '../middleware/once.js';
import { parse, read } from '../middleware/parse.js';
import { problemOf } from '../middleware/problem.js';
import { unknownPerson } from './known-person.js';

export interface SendingParts {
  readonly notifier: Notifier;
  readonly limits: Limits;
  readonly once: Once;
}

const ONE = jsonBody('256kb');
const MANY = jsonBody('4mb');
const MOST_IN_A_BATCH = 1_000;

/** One kind of thing that can be sent, alone or in a batch. */
interface Kind<Body> {
  readonly schema: z.ZodType<Body>;
  /** The person whom the second rate limit is about; null for a bare address, which is nobody's. */
  readonly person: (body: Body) => string | null;
  readonly prepare: (notifier: Notifier, body: Body, caller: string) => Promise<Prepared>;
  readonly accepted: (notification: NewNotification, body: Body) => unknown;
  /** The sentence for a body that lacks its main fields. */
  readonly incomplete?: { readonly fields: readonly string[]; readonly detail: string };
}

const NOTIFICATION: Kind<SendRequest> = {
  schema: sendRequest,
  person: (body) => body.user_id,
  prepare: (notifier, body, caller) => notifier.prepare(body, caller),
  accepted: (notification) => ({
    status: notification.deliveries.some((delivery) => delivery.state === 'scheduled')
      ? 'scheduled'
      : 'queued',
    notification_id: notification.id,
    channels: channelsOf(notification),
    deliveries: notification.deliveries.map(({ id, channel, state, reason }) => ({
      id,
      channel,
      state,
      ...(reason === null ? {} : { reason }),
    })),
  }),
};

/** A message to the person whom the path names. */
const PERSON_MESSAGE: Kind<SendRequest> = {
  ...NOTIFICATION,
  schema: personMessage.extend({ user_id: externalId }),
  incomplete: { fields: ['message'], detail: 'Message is required' },
};

const EMAIL: Kind<z.infer<typeof emailRequest>> = {
  schema: emailRequest,
  person: () => null,
  prepare: (notifier, body, caller) => notifier.prepareEmail(body, caller),
  accepted: (notification) => ({ status: 'email_queued', email_id: notification.id }),
  incomplete: { fields: ['to', 'subject', 'body'], detail: 'To email, subject, and body are required' },
};

const SMS: Kind<z.infer<typeof smsRequest>> = {
  schema: smsRequest,
  person: () => null,
  prepare: (notifier, body, caller) => notifier.prepareSms(body, caller),
  accepted: (notification) => ({ status: 'sms_queued', sms_id: notification.id }),
  incomplete: { fields: ['phone', 'message'], detail: 'Phone number and message are required' },
};

/** The same to the devices of one platform alone. Without one the notification is kept, and has failed. */
const push = (platform: Platform): Kind<PushRequest> => ({
  schema: pushRequest,
  person: (body) => body.user_id,
  prepare: (notifier, body, caller) => notifier.prepare({ ...body, channels: ['push'] }, caller, platform),
  accepted: ({ id, deliveries }) => ({
    status: 'push_queued',
    notification_id: id,
    devices: deliveries.filter(({ state }) => state !== 'skipped').length,
  }),
  incomplete: { fields: ['user_id', 'message'], detail: 'User ID and message are required' },
});

export const platformParam = z.object({
  platform: z.enum(PLATFORMS, `must be one of ${PLATFORMS.join(', ')}`),
});

/** Everything that creates a notification. */
export function sendingRoutes({ notifier, limits, once }: SendingParts): Router {
  const router = Router({ caseSensitive: true });
  const senders = allow('admin', 'internal');

  router.post('/notifications/send', senders, ...ONE, (req, res) =>
    once(req, res, () => makeOne(NOTIFICATION, req)),
  );
  router.post('/notifications/realtime/user/:user_id', senders, ...ONE, (req, res) =>
    once(req, res, () => makeOne(PERSON_MESSAGE, req, { ...req.body, user_id: req.params.user_id })),
  );
  router.post('/notifications/batch', senders, ...MANY, (req, res) =>
    once(req, res, () => makeMany(NOTIFICATION, 'notifications', req)),
  );
  router.post('/notifications/email/send', senders, ...ONE, (req, res) =>
    once(req, res, () => makeOne(EMAIL, req)),
  );
  router.post('/notifications/email/batch', senders, ...MANY, (req, res) =>
    once(req, res, () => makeMany(EMAIL, 'emails', req)),
  );
  router.post('/notifications/sms/send', senders, ...ONE, (req, res) =>
    once(req, res, () => makeOne(SMS, req)),
  );

  router.post('/notifications/push/mobile/:platform', senders, ...ONE, (req, res) =>
    once(req, res, () => makeOne(push(parse(platformParam, req.params).platform), req)),
  );

  router.post('/notifications/explain', senders, ...ONE, async (req, res) => {
    const request = parse(sendRequest, req.body);
    const decisions = await notifier.explain(request);
    if (decisions === null) throw unknownPerson(request.user_id);
    res.json({
      channels: decisions.filter(({ used }) => used).map(({ channel }) => channel),
      decisions: decisions.map((decision) => ({
        channel: decision.channel,
        used: decision.used,
        reason: decision.reason,
        rule: RULES[decision.reason],
        ...(decision.used && decision.deferredUntil !== undefined
          ? { deferred_until: decision.deferredUntil }
          : {}),
      })),
    });
  });

  async function makeOne<Body>(kind: Kind<Body>, req: Request, body: unknown = req.body): Promise<Making> {
    const result = read(kind.schema, body);
    if (!result.ok) throw refusalOf(kind, result.errors, body);
    return make(kind, result.value, callerOf(req).sub);
  }

  async function make<Body>(kind: Kind<Body>, body: Body, caller: string): Promise<Making> {
    const person = kind.person(body);
    if (person !== null) await limits.notification(caller, person);
    const prepared = await kind.prepare(notifier, body, caller);
    if (prepared.kind === 'unknown_person') {
      return { prepared: [prepared], status: 404, body: problemOf(unknownPerson(prepared.userId)) };
    }
    return { prepared: [prepared], status: 202, body: kind.accepted(prepared.notification, body) };
  }

  /** 207: every item has its own status, and a bad one harms no other. All good ones are one commit. */
  async function makeMany<Body>(kind: Kind<Body>, list: string, req: Request): Promise<Making> {
    const items = parse(batchOf(list, z.unknown()), req.body)[list] ?? [];
    const made = await Promise.all(items.map((item) => makeItem(kind, item, callerOf(req).sub)));
    return {
      prepared: made.flatMap((one) => one.prepared),
      status: 207,
      body: { results: made.map(({ status, body }, index) => ({ index, status, body })) },
    };
  }

  async function makeItem<Body>(kind: Kind<Body>, item: unknown, caller: string): Promise<Making> {
    try {
      const result = read(kind.schema, item);
      if (!result.ok) throw refusalOf(kind, result.errors, item);
      return await make(kind, result.value, caller);
    } catch (error) {
      if (!(error instanceof Refusal) || isOutageOfAll(error)) throw error;
      const problem = problemOf(error);
      return { prepared: [], status: problem.status, body: problem };
    }
  }

  return router;
}

/** The channels that are used; several devices are one of them. */
function channelsOf({ deliveries }: NewNotification): Channel[] {
  return [...new Set(deliveries.filter(({ state }) => state !== 'skipped').map(({ channel }) => channel))];
}

/** The user directory may know all the others, so its silence about one person is that item's alone. */
function isOutageOfAll({ code, reason }: Refusal): boolean {
  return code === 'unavailable' && reason !== 'directory_unavailable';
}

/** A list of things to send. Its items are read one by one, since a bad one harms no other. */
export function batchOf<Item extends z.ZodType>(list: string, item: Item) {
  return z.object({ [list]: z.array(item).min(1).max(MOST_IN_A_BATCH) });
}

function refusalOf<Body>(kind: Kind<Body>, errors: FieldError[], body: unknown): Refusal {
  const given = typeof body === 'object' && body !== null ? body : {};
  const missing = kind.incomplete?.fields.some((field) =>
    ['', null, undefined].includes(Reflect.get(given, field)),
  );
  return invalid(errors, missing === true ? kind.incomplete?.detail : undefined);
}
