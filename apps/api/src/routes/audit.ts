import { externalId, moment } from '@belfry/shared/channels/fields.js';
import { isId } from '@belfry/shared/domain/ids.js';
import { AUDIT_ACTIONS, type AuditEvent, auditTargetOf, listAudit } from '@belfry/shared/ledger/audit.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import { Router } from 'express';
import { z } from 'zod';
import { allow } from '../middleware/authenticate.js';
import { cursorOf, pageLimit, sendPage } from '../middleware/paging.js';
import { parse } from '../middleware/parse.js';

/** The query of `GET /audit`. */
export const auditQuery = z.object({
  actor: z.string().max(128).optional().meta({ description: 'By the subject of this token' }),
  action: z.enum(AUDIT_ACTIONS, `must be one of ${AUDIT_ACTIONS.join(', ')}`).optional(),
  target: z.string().max(256).optional().meta({ description: 'To this, as the trail names it' }),
  user_id: externalId.optional().meta({ description: 'To this person; nobody is found who was erased' }),
  from: moment.optional().meta({ description: 'At this time or after it' }),
  to: moment.optional().meta({ description: 'Before this time' }),
  limit: pageLimit,
  cursor: cursorOf(isId).optional(),
});

/** The trail of administrative acts. */
export function auditRoutes(database: Database): Router {
  const router = Router({ caseSensitive: true });

  router.get('/audit', allow('admin'), async (req, res) => {
    const query = parse(auditQuery, req.query);
    const { limit, cursor, user_id: userId, ...filter } = query;
    const target = userId === undefined ? filter.target : await targetOf(userId, filter.target);
    const found =
      target === null
        ? []
        : await listAudit(database, { ...filter, target }, { beforeId: cursor, limit: limit + 1 });
    sendPage(req, res, found, { limit, show: shownEvent });
  });

  /** What the trail calls this person; null when nothing can be about them: they are erased, or another target is asked for. */
  async function targetOf(userId: string, target: string | undefined): Promise<string | null> {
    const theirs = await auditTargetOf(database, userId);
    return target === undefined || target === theirs ? theirs : null;
  }

  return router;
}

function shownEvent({ id, at, actor, role, action, target, details }: AuditEvent) {
  return { id, at, actor, role, action, target, details };
}
