import { alertLevel } from '@belfry/shared/channels/alert.js';
import { externalId } from '@belfry/shared/channels/fields.js';
import { hashOfSourceToken, newSourceToken, SOURCE_KINDS } from '@belfry/shared/domain/alert-source.js';
import { Refusal } from '@belfry/shared/domain/refusal.js';
import {
  type AlertSource,
  findSource,
  listSources,
  putSource,
  putSourceToken,
  removeSource,
} from '@belfry/shared/ledger/alert-sources.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import { Router } from 'express';
import { z } from 'zod';
import { allow, callerOf } from '../middleware/authenticate.js';
import { jsonBody } from '../middleware/body.js';
import { cursorOf, pageLimit, sendPage } from '../middleware/paging.js';
import { parse } from '../middleware/parse.js';
import { nameIn } from './name-in.js';

export const sourceBody = z
  .object({
    kind: z
      .enum(SOURCE_KINDS, `must be one of ${SOURCE_KINDS.join(', ')}`)
      .meta({ description: 'What it speaks' }),
    level: alertLevel
      .default('warning')
      .meta({ description: 'What an alert is that does not say how loud it is' }),
  })
  .meta({ id: 'AlertSourceBody', description: 'Something that raises alerts with a token of its own.' });

export const namesQuery = z.object({
  limit: pageLimit,
  cursor: cursorOf((text) => externalId.safeParse(text).success).optional(),
});

/** Who may raise alerts without a person's or a service's token. A token is shown once, when it is made. */
export function alertSourceRoutes(database: Database): Router {
  const router = Router({ caseSensitive: true });
  const admins = allow('admin');

  router.get('/alert-sources', admins, async (req, res) => {
    const { limit, cursor } = parse(namesQuery, req.query);
    const found = await listSources(database, { afterName: cursor ?? '', limit: limit + 1 });
    const rows = found.map((source) => ({ ...source, id: source.name }));
    sendPage(req, res, rows, { limit, show: shownSource });
  });

  router.put('/alert-sources/:name', admins, ...jsonBody('256kb'), async (req, res) => {
    const { kind, level } = parse(sourceBody, req.body);
    const token = newSourceToken();
    const put = { kind, level, tokenHash: hashOfSourceToken(token) };
    const { created, source } = await putSource(database, nameIn(req), put, callerOf(req));
    if (created)
      res
        .status(201)
        .set('Cache-Control', 'no-store')
        .json({ ...shownSource(source), token });
    else res.json(shownSource(source));
  });

  router.post('/alert-sources/:name/token', admins, async (req, res) => {
    const name = nameIn(req);
    const token = newSourceToken();
    const source = await putSourceToken(database, name, hashOfSourceToken(token), callerOf(req));
    if (source === null) throw unknownSource(name);
    res.set('Cache-Control', 'no-store').json({ ...shownSource(source), token });
  });

  router.get('/alert-sources/:name', admins, async (req, res) => {
    const name = nameIn(req);
    const source = await findSource(database, name);
    if (source === null) throw unknownSource(name);
    res.json(shownSource(source));
  });

  router.delete('/alert-sources/:name', admins, async (req, res) => {
    const name = nameIn(req);
    if ((await removeSource(database, name, callerOf(req))) === null) throw unknownSource(name);
    res.status(204).end();
  });

  return router;
}

export function unknownSource(name: string): Refusal {
  return new Refusal('not_found', `There is no alert source "${name}".`);
}

function shownSource({ name, kind, level, createdAt, updatedAt, seenAt }: AlertSource) {
  return {
    name,
    kind,
    level,
    url: `/api/v1/inbound/${name}`,
    created_at: createdAt,
    updated_at: updatedAt,
    seen_at: seenAt,
  };
}
