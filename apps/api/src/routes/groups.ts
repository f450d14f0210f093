import { externalId, line } from '@belfry/shared/channels/fields.js';
import { Refusal } from '@belfry/shared/domain/refusal.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import {
  addMember,
  countMembers,
  listGroups,
  listMembers,
  removeMember,
} from '@belfry/shared/ledger/groups.js';
import { type Request, Router } from 'express';
import { z } from 'zod';
import { allow, callerOf } from '../middleware/authenticate.js';
import { cursorOf, linkNext, pageLimit, sendPage } from '../middleware/paging.js';
import { parse } from '../middleware/parse.js';
import { unknownPerson } from './known-person.js';

const cursor = cursorOf((text) => externalId.safeParse(text).success).optional();

export const groupQuery = z.object({
  search: line(128).optional().meta({ description: 'A part of the id, in any case' }),
  limit: pageLimit,
  cursor,
});

export const memberQuery = z.object({ limit: pageLimit, cursor });

/** Who belongs together. A group is there for as long as somebody is in it. */
export function groupRoutes(database: Database): Router {
  const router = Router({ caseSensitive: true });
  const admins = allow('admin');

  router.get('/groups', admins, async (req, res) => {
    const { limit, cursor, search } = parse(groupQuery, req.query);
    const found = await listGroups(database, { search }, { afterId: cursor ?? '', limit: limit + 1 });
    sendPage(req, res, found, { limit, show: ({ id, members }) => ({ id, member_count: members }) });
  });

  router.get('/groups/:id', admins, async (req, res) => {
    const { id } = parse(z.object({ id: externalId }), { id: req.params.id });
    const { limit, cursor } = parse(memberQuery, req.query);
    const [count, found] = await Promise.all([
      countMembers(database, id),
      listMembers(database, id, { afterId: cursor ?? '', limit: limit + 1 }),
    ]);
    if (count === 0) throw unknownGroup(id);
    const shown = found.slice(0, limit);
    linkNext(req, res, found.length > limit ? (shown.at(-1)?.id ?? null) : null);
    res.json({
      id,
      member_count: count,
      members: shown.map(({ id, active, joinedAt }) => ({ user_id: id, active, joined_at: joinedAt })),
    });
  });

  router.put('/groups/:id/members/:user_id', admins, async (req, res) => {
    const { id, user_id } = membershipIn(req);
    const change = await addMember(database, id, user_id, callerOf(req));
    if (change === null) throw unknownPerson(user_id);
    res.status(change.changed ? 201 : 200).json({ group_id: id, user_id, joined_at: change.joinedAt });
  });

  router.delete('/groups/:id/members/:user_id', admins, async (req, res) => {
    const { id, user_id } = membershipIn(req);
    if ((await removeMember(database, id, user_id, callerOf(req))) === null) throw unknownPerson(user_id);
    res.status(204).end();
  });

  return router;
}

function membershipIn(req: Request) {
  const { id, user_id } = req.params;
  return parse(z.object({ id: externalId, user_id: externalId }), { id, user_id });
}

export function unknownGroup(id: string): Refusal {
  return new Refusal('not_found', `Group with ID ${id} not found.`, { reason: 'unknown_group' });
}
