import { alertLevel } from '@belfry/shared/channels/alert.js';
import { externalId } from '@belfry/shared/channels/fields.js';
import { ALERT_STATUSES, ALERT_VERBS } from '@belfry/shared/domain/alert.js';
import { isId } from '@belfry/shared/domain/ids.js';
import { Refusal } from '@belfry/shared/domain/refusal.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import { findAlert, listAlerts, wasTold } from '@belfry/shared/ledger/read-alerts.js';
import { moveAlert } from '@belfry/shared/notify/move-alert.js';
import type { Events } from '@belfry/shared/service/events.js';
import { type Request, Router } from 'express';
import { z } from 'zod';
import { callerOf } from '../middleware/authenticate.js';
import { cursorOf, pageLimit, sendPage } from '../middleware/paging.js';
import { idIn, parse } from '../middleware/parse.js';
import { alertDetails, shownAlert } from './alert-shape.js';

export const alertQuery = z.object({
  status: z.enum(ALERT_STATUSES, `must be one of ${ALERT_STATUSES.join(', ')}`).optional(),
  level: alertLevel.optional(),
  type: externalId.optional().meta({ description: 'Of this type' }),
  limit: pageLimit,
  cursor: cursorOf(isId).optional(),
});

export interface AlertParts {
  readonly database: Database;
  readonly events: Events;
}

/** What has become of alerts, and taking them. People see those that they were told of, and no others. */
export function alertRoutes({ database, events }: AlertParts): Router {
  const router = Router({ caseSensitive: true });

  router.get('/alerts', async (req, res) => {
    const { limit, cursor, ...filter } = parse(alertQuery, req.query);
    const { sub, role } = callerOf(req);
    const told = role === 'user' ? sub : undefined;
    const found = await listAlerts(database, { ...filter, told }, { beforeId: cursor, limit: limit + 1 });
    sendPage(req, res, found, { limit, show: shownAlert });
  });

  router.get('/alerts/:id', async (req, res) => {
    const id = await visibleId(req);
    const found = await findAlert(database, id);
    if (found === null) throw unknownAlert(id);
    res.json(alertDetails(found));
  });

  for (const verb of ALERT_VERBS)
    router.post(`/alerts/:id/${verb}`, async (req, res) => {
      const id = await visibleId(req);
      const actor = { name: callerOf(req).sub, via: 'api' } as const;
      const alert = await moveAlert({ database, events }, verb, id, actor);
      if (alert === null) throw unknownAlert(id);
      res.json({ alert_id: id, ...shownAlert(alert) });
    });

  /** To somebody who was not told of it, an alert is not there. */
  async function visibleId(req: Request): Promise<string> {
    const id = idIn(req);
    const { sub, role } = callerOf(req);
    if (role === 'user' && !(await wasTold(database, id, sub))) throw unknownAlert(id);
    return id;
  }

  return router;
}

export function unknownAlert(id: string): Refusal {
  return new Refusal('not_found', `Alert with ID ${id} not found.`);
}
