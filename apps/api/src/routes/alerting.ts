import { type AlertRequest, alertLevel, alertRequest } from '@belfry/shared/channels/alert.js';
import { externalId } from '@belfry/shared/channels/fields.js';
import type { AlertLevel } from '@belfry/shared/domain/alert.js';
import { type AlertingParts, type Raised, raiseAlert } from '@belfry/shared/notify/raise-alert.js';
import { Router } from 'express';
import { z } from 'zod';
import { allow, callerOf } from '../middleware/authenticate.js';
import { jsonBody } from '../middleware/body.js';
import type { Keyed } from '../middleware/once.js';
import { parse, parseMessage } from '../middleware/parse.js';

const alertPath = z.object({ level: alertLevel, alert_type: externalId });

/** Raises alerts. */
export function alertingRoutes(parts: AlertingParts & { readonly keyed: Keyed }): Router {
  const router = Router({ caseSensitive: true });

  router.post(
    '/notifications/alerts/:level/:alert_type',
    allow('admin', 'internal'),
    ...jsonBody('256kb'),
    (req, res) =>
      parts.keyed(req, res, async (keep) => {
        const { level, alert_type } = parse(alertPath, req.params);
        const request = parseMessage(alertRequest, req.body);
        const raised = { ...contentOf(level, alert_type, request), caller: callerOf(req).sub };
        const raising = await raiseAlert(parts, raised, (outcome) => keep(202, answerTo(outcome)));
        if (raising.kind === 'taken') return raising;
        return { kind: 'done', status: 202, body: answerTo(raising) };
      }),
  );

  return router;
}

function contentOf(level: AlertLevel, type: string, request: AlertRequest) {
  return {
    type,
    level,
    severity: request.severity ?? level,
    message: request.message,
    source: request.source ?? null,
    affectedSystems: request.affected_systems ?? [],
    dedupKey: request.dedup_key ?? null,
    details: request.details ?? {},
    policy: request.escalation_policy ?? null,
  };
}

/** What whoever raised an alert is told. */
function answerTo({ alert, opened, notified }: Raised) {
  return {
    status: `${alert.level}_alert_queued`,
    alert_id: alert.id,
    notified_users: notified,
    opened,
    count: alert.count,
  };
}
