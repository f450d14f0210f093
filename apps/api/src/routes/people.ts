import { externalId, line } from '@belfry/shared/channels/fields.js';
import { personBody, preferencesBody, wishesIn } from '@belfry/shared/channels/person.js';
import { invalid } from '@belfry/shared/domain/refusal.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import { erasePerson } from '@belfry/shared/ledger/erase.js';
import { findPerson, listPeople, putPerson, putPreferences } from '@belfry/shared/ledger/people.js';
import type { Notifier } from '@belfry/shared/notify/notifier.js';
import type { Catalogue } from '@belfry/shared/templates/catalogue.js';
import { type Request, Router } from 'express';
import { z } from 'zod';
import { allow, allowSelf, callerOf } from '../middleware/authenticate.js';
import { jsonBody } from '../middleware/body.js';
import { cursorOf, pageLimit, sendPage } from '../middleware/paging.js';
import { parse } from '../middleware/parse.js';
import { unknownPerson, withKnown } from './known-person.js';
import { changeOf, shownPerson, shownWishes } from './person-shape.js';
import { unknownEventsIn } from './wished-events.js';

export const listQuery = z.object({
  search: line(254).optional().meta({ description: 'A part of the id, the email or the phone, in any case' }),
  active: z
    .enum(['true', 'false'], 'must be true or false')
    .transform((text) => text === 'true')
    .optional()
    .meta({ description: 'Who is switched on, or who is off' }),
  group: externalId.optional().meta({ description: 'Who is in this group' }),
  role: externalId.optional().meta({ description: 'Who has this role' }),
  limit: pageLimit,
  cursor: cursorOf((text) => externalId.safeParse(text).success).optional(),
});

export interface PeopleParts {
  readonly database: Database;
  readonly catalogue: Catalogue;
  readonly notifier: Pick<Notifier, 'knows'>;
}

/** The people that can be told something, and what they wish. */
export function peopleRoutes({ database, catalogue, notifier }: PeopleParts): Router {
  const router = Router({ caseSensitive: true });
  const admins = allow('admin');
  const body = jsonBody('256kb');

  router.get('/users', admins, async (req, res) => {
    const { limit, cursor, ...filter } = parse(listQuery, req.query);
    const found = await listPeople(database, filter, { afterId: cursor ?? '', limit: limit + 1 });
    sendPage(req, res, found, { limit, show: shownPerson });
  });

  router.put('/users/:id', admins, ...body, async (req, res) => {
    const change = changeOf(parse(personBody, req.body));
    const { created, person } = await putPerson(database, personIn(req), change, callerOf(req));
    res.status(created ? 201 : 200).json(shownPerson(person));
  });

  router.get('/users/:id', admins, async (req, res) => {
    const id = personIn(req);
    const person = await findPerson(database, id);
    if (person === null) throw unknownPerson(id);
    res.json(shownPerson(person));
  });

  router.delete('/users/:id', admins, async (req, res) => {
    const id = personIn(req);
    if (!(await erasePerson(database, id, callerOf(req)))) throw unknownPerson(id);
    res.status(204).end();
  });

  router.get('/users/:id/preferences', allowSelf('id'), async (req, res) => {
    const id = personIn(req);
    res.json(shownWishes(await withKnown(notifier, id, () => findPerson(database, id))));
  });

  router.put('/users/:id/preferences', allowSelf('id'), ...body, async (req, res) => {
    const id = personIn(req);
    const wishes = parse(preferencesBody, req.body);
    const unknown = unknownEventsIn(wishes, catalogue);
    if (unknown.length > 0) throw invalid(unknown, undefined, 'unknown_event');
    const put = () => putPreferences(database, id, wishesIn(wishes), callerOf(req));
    const stored = await withKnown(notifier, id, put);
    res.json(shownWishes(stored));
  });

  return router;
}

function personIn(req: Request): string {
  return parse(z.object({ id: externalId }), { id: req.params.id }).id;
}
