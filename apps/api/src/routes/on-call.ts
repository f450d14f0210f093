import { anyMoment, externalId } from '@belfry/shared/channels/fields.js';
import { calendarEnd, calendarQuery, onCallBody } from '@belfry/shared/channels/on-call.js';
import { onCallSpans } from '@belfry/shared/domain/on-call-at.js';
import { invalid, Refusal } from '@belfry/shared/domain/refusal.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import {
  deleteOnCall,
  findOnCall,
  inactiveAmong,
  listOnCall,
  type OnCallChange,
  putOnCall,
  type StoredOnCall,
} from '@belfry/shared/ledger/on-call.js';
import type { Notifier } from '@belfry/shared/notify/notifier.js';
import { type Request, Router } from 'express';
import { z } from 'zod';
import { allow, callerOf } from '../middleware/authenticate.js';
import { jsonBody } from '../middleware/body.js';
import { cursorOf, pageLimit, sendPage } from '../middleware/paging.js';
import { parse } from '../middleware/parse.js';
import { type Place, unknownPeople, withDirectory } from './on-call-people.js';
import { listedOnCall, peopleIn, shownOnCall } from './on-call-shape.js';

export const onCallListQuery = z.object({
  limit: pageLimit,
  cursor: cursorOf((text) => externalId.safeParse(text).success).optional(),
});

export const onCallQuery = z.object({
  at: anyMoment.optional().meta({ description: 'Who is on call then; now when it is left out' }),
});

/** Who is told of alerts of a type, at any moment. */
export function onCallRoutes({ database, notifier }: { database: Database; notifier: Notifier }): Router {
  const router = Router({ caseSensitive: true });
  const admins = allow('admin');
  const body = jsonBody('256kb');

  router.get('/on-call', admins, async (req, res) => {
    const { limit, cursor } = parse(onCallListQuery, req.query);
    const found = await listOnCall(database, { afterId: cursor ?? '', limit: limit + 1 });
    const rows = found.map((one) => ({ ...one, id: one.alertType }));
    sendPage(req, res, rows, { limit, show: listedOnCall });
  });

  router.put('/on-call/:alert_type', admins, ...body, async (req, res) => {
    const alertType = alertTypeIn(req);
    const { user_ids: userIds, layers } = parse(onCallBody, req.body);
    const change = { userIds, layers };
    const put = await withDirectory(notifier, () => putOnCall(database, alertType, change, callerOf(req)));
    if (put.kind === 'unknown_people') throw unknownPeople(put.ids, placesIn(change));
    res.json(await shown(put.onCall));
  });

  router.get('/on-call/:alert_type', admins, async (req, res) => {
    const alertType = alertTypeIn(req);
    const { at } = parse(onCallQuery, req.query);
    res.json(await shown(await load(database, alertType, at)));
  });

  router.get('/on-call/:alert_type/calendar', admins, async (req, res) => {
    const alertType = alertTypeIn(req);
    const { from, to } = parse(calendarQuery, req.query);
    const onCall = await load(database, alertType, from);
    const end = calendarEnd(onCall.at, to);
    if ('wrong' in end) throw invalid([{ path: 'to', message: end.wrong }]);
    const spans = onCallSpans(onCall, onCall.at, end);
    res.json({ alert_type: alertType, from: onCall.at, to: end, spans });
  });

  router.delete('/on-call/:alert_type', admins, async (req, res) => {
    const alertType = alertTypeIn(req);
    if (!(await deleteOnCall(database, alertType, callerOf(req)))) throw unknownOnCall(alertType);
    res.status(204).end();
  });

  async function shown(onCall: StoredOnCall) {
    return shownOnCall(onCall, await inactiveAmong(database, peopleIn(onCall)));
  }

  return router;
}

export function alertTypeIn(req: Request): string {
  return parse(z.object({ alert_type: externalId }), { alert_type: req.params.alert_type }).alert_type;
}

async function load(database: Database, alertType: string, at: Date | undefined): Promise<StoredOnCall> {
  const found = await findOnCall(database, alertType, at);
  if (found === null) throw unknownOnCall(alertType);
  return found;
}

/** Where each person stands in the body. */
function placesIn({ userIds = [], layers = [] }: OnCallChange): Place[] {
  return [
    ...userIds.map((id): Place => ['user_ids', id]),
    ...layers.flatMap(({ user_ids }, layer) =>
      user_ids.map((id, index): Place => [`layers.${layer}.user_ids.${index}`, id]),
    ),
  ];
}

export function unknownOnCall(alertType: string): Refusal {
  return new Refusal('not_found', `Nobody has said who is on call for alerts of type ${alertType}.`, {
    reason: 'unknown_on_call',
  });
}
