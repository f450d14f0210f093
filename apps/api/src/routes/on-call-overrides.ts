import { overrideBody } from '@belfry/shared/channels/on-call.js';
import { firstIdOf, isId } from '@belfry/shared/domain/ids.js';
import { invalid, Refusal } from '@belfry/shared/domain/refusal.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import { findOnCall } from '@belfry/shared/ledger/on-call.js';
import {
  addOverride,
  listOverrides,
  MOST_OVERRIDES,
  type OverrideAdded,
  removeOverride,
} from '@belfry/shared/ledger/on-call-overrides.js';
import type { Notifier } from '@belfry/shared/notify/notifier.js';
import { Router } from 'express';
import { z } from 'zod';
import { allow, callerOf } from '../middleware/authenticate.js';
import { jsonBody } from '../middleware/body.js';
import type { Keyed } from '../middleware/once.js';
import { cursorOf, pageLimit, sendPage } from '../middleware/paging.js';
import { idIn, parse } from '../middleware/parse.js';
import { alertTypeIn, unknownOnCall } from './on-call.js';
import { unknownPeople, withDirectory } from './on-call-people.js';
import { shownOverride } from './on-call-shape.js';

export const overrideQuery = z.object({ limit: pageLimit, cursor: cursorOf(isId).optional() });

/** Who stands in for whom, and when. */
export function onCallOverrideRoutes({
  database,
  notifier,
  keyed,
}: {
  database: Database;
  notifier: Notifier;
  keyed: Keyed;
}): Router {
  const router = Router({ caseSensitive: true });
  const admins = allow('admin');
  const body = jsonBody('256kb');

  router.get('/on-call/:alert_type/overrides', admins, async (req, res) => {
    const alertType = alertTypeIn(req);
    const { limit, cursor } = parse(overrideQuery, req.query);
    if ((await findOnCall(database, alertType)) === null) throw unknownOnCall(alertType);
    const found = await listOverrides(database, alertType, {
      afterId: cursor ?? firstIdOf(0),
      limit: limit + 1,
    });
    sendPage(req, res, found, { limit, show: shownOverride });
  });

  router.post('/on-call/:alert_type/overrides', admins, ...body, async (req, res) => {
    const alertType = alertTypeIn(req);
    await keyed(req, res, async (keep) => {
      const given = parse(overrideBody, req.body);
      const added = await withDirectory(notifier, () =>
        addOverride(database, alertType, given, callerOf(req), (one) => keep(201, shownOverride(one))),
      );
      if (added.kind === 'taken') return { kind: 'taken' };
      if (added.kind !== 'added') throw whyNot(added, alertType, given);
      return { kind: 'done', status: 201, body: shownOverride(added.override) };
    });
  });

  router.delete('/on-call/:alert_type/overrides/:id', admins, async (req, res) => {
    const [alertType, id] = [alertTypeIn(req), idIn(req)];
    if (!(await removeOverride(database, alertType, id, callerOf(req)))) throw unknownOverride(id);
    res.status(204).end();
  });

  return router;
}

type NotAdded = Exclude<OverrideAdded, { kind: 'added' | 'taken' }>;

function whyNot(
  outcome: NotAdded,
  alertType: string,
  given: { user_id: string; replaces: string | null },
): Refusal {
  switch (outcome.kind) {
    case 'unknown_type':
      return unknownOnCall(alertType);
    case 'not_in_it':
      return notOnCall();
    case 'too_many':
      return tooManyOverrides();
    case 'unknown_people':
      return unknownPeople(outcome.ids, [
        ['user_id', given.user_id],
        ['replaces', given.replaces ?? ''],
      ]);
  }
}

export function notOnCall(): Refusal {
  const message =
    'is on no list and in no layer of this type, and stands in for nobody: there is nothing to replace';
  return invalid([{ path: 'replaces', message }], undefined, 'not_on_call');
}

export function tooManyOverrides(): Refusal {
  return new Refusal('conflict', `${MOST_OVERRIDES} overrides are still to end: take some away first.`, {
    reason: 'too_many_overrides',
  });
}

export function unknownOverride(id: string): Refusal {
  return new Refusal('not_found', `Override with ID ${id} not found.`, { reason: 'unknown_override' });
}
