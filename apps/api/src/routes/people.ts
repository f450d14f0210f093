import { emailAddress, externalId, locale, phoneNumber, timezone } from '@belfry/shared/channels/fields.js';
import { CHANNELS } from '@belfry/shared/domain/channel.js';
import { Refusal } from '@belfry/shared/domain/refusal.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import {
  erasePerson,
  findPerson,
  listPeople,
  type Person,
  putPerson,
  putPreferences,
} from '@belfry/shared/ledger/people.js';
import { effectivePreferences } from '@belfry/shared/routing/preferences.js';
import { type Request, Router } from 'express';
import { z } from 'zod';
import { allow, allowSelf } from '../middleware/authenticate.js';
import { jsonBody } from '../middleware/body.js';
import { parse } from '../middleware/parse.js';

export const personBody = z.object({
  email: emailAddress.nullish(),
  phone: phoneNumber.nullish(),
  locale: locale.optional(),
  timezone: timezone.optional(),
  roles: z.array(externalId).max(50).optional(),
  active: z.boolean().optional(),
  groups: z.array(externalId).max(1_000).optional(),
});

export const preferencesBody = z
  .partialRecord(z.enum(CHANNELS, `must be one of ${CHANNELS.join(', ')}`), z.boolean())
  .refine((preferences) => Object.keys(preferences).length > 0, 'must name at least one channel');

export const listQuery = z.object({
  limit: z.coerce.number('must be a number from 1 to 200').int().min(1).max(200).default(50),
  cursor: externalId.optional(),
});

/** The people that can be told something, and what they wish. */
export function peopleRoutes(database: Database): Router {
  const router = Router();
  const admins = allow('admin');
  const body = jsonBody('256kb');

  router.get('/users', admins, async (req, res) => {
    const { limit, cursor } = parse(listQuery, req.query);
    const found = await listPeople(database, { afterId: cursor ?? '', limit: limit + 1 });
    const shown = found.slice(0, limit);
    const last = shown.at(-1);
    if (found.length > limit && last !== undefined) {
      res.set(
        'Link',
        `<${req.baseUrl}/users?limit=${limit}&cursor=${encodeURIComponent(last.id)}>; rel="next"`,
      );
    }
    res.json(shown.map(shownPerson));
  });

  router.put('/users/:id', admins, ...body, async (req, res) => {
    const { created, person } = await putPerson(database, personIn(req), parse(personBody, req.body));
    res.status(created ? 201 : 200).json(shownPerson(person));
  });

  router.get('/users/:id', admins, async (req, res) => {
    res.json(shownPerson(await load(database, personIn(req))));
  });

  router.delete('/users/:id', admins, async (req, res) => {
    const id = personIn(req);
    if (!(await erasePerson(database, id))) throw unknownPerson(id);
    res.status(204).end();
  });

  router.get('/users/:id/preferences', allowSelf('id'), async (req, res) => {
    res.json(effectivePreferences((await load(database, personIn(req))).preferences));
  });

  router.put('/users/:id/preferences', allowSelf('id'), ...body, async (req, res) => {
    const id = personIn(req);
    const stored = await putPreferences(database, id, parse(preferencesBody, req.body));
    if (stored === null) throw unknownPerson(id);
    res.json(effectivePreferences(stored));
  });

  return router;
}

function personIn(req: Request): string {
  return parse(z.object({ id: externalId }), { id: req.params.id }).id;
}

async function load(database: Database, id: string): Promise<Person> {
  const person = await findPerson(database, id);
  if (person === null) throw unknownPerson(id);
  return person;
}

export function unknownPerson(id: string): Refusal {
  return new Refusal('not_found', `User with ID ${id} not found.`, { reason: 'unknown_person' });
}

function shownPerson(person: Omit<Person, 'groups'> & { groups?: readonly string[] }) {
  const { id, email, phone, roles, active, groups, createdAt, updatedAt } = person;
  return {
    id,
    email,
    phone,
    locale: person.locale,
    timezone: person.timezone,
    roles,
    active,
    ...(groups === undefined ? {} : { groups }),
    created_at: createdAt,
    updated_at: updatedAt,
  };
}
