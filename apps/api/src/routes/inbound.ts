import { externalId } from '@belfry/shared/channels/fields.js';
import { Refusal } from '@belfry/shared/domain/refusal.js';
import { type AlertSource, findSource } from '@belfry/shared/ledger/alert-sources.js';
import type { AlertingParts } from '@belfry/shared/notify/raise-alert.js';
import { type Request, Router } from 'express';
import { z } from 'zod';
import { takeAlerts } from '../inbound/take-alerts.js';
import { anyJsonBody } from '../middleware/body.js';
import { onceGone } from '../middleware/gone.js';
import { parse } from '../middleware/parse.js';
import { noSource, type SourceOf } from '../middleware/source-token.js';
import { unknownSource } from './alert-sources.js';

/** Takes in what sources send. No other token opens this, and nothing is read before the token was seen. */
export function inboundRoutes(parts: AlertingParts & { readonly sourceOf: SourceOf }): Router {
  const router = Router({ caseSensitive: true });
  const sources = new WeakMap<Request, AlertSource>();

  router.post(
    '/inbound/:name',
    async (req, _res, next) => {
      const source = await parts.sourceOf(req);
      if (source === null) throw noSource();
      const { name } = parse(z.object({ name: externalId }), { name: req.params.name });
      if (source.name !== name) {
        if ((await findSource(parts.database, name)) === null) throw unknownSource(name);
        throw new Refusal('forbidden', 'Forbidden');
      }
      sources.set(req, source);
      next();
    },
    ...anyJsonBody('4mb'),
    async (req, res) => {
      const source = sources.get(req);
      if (source === undefined) throw noSource();
      const gone = new AbortController();
      const forget = onceGone(req, res, () => gone.abort());
      const { outcomes, truncated, errors } = await takeAlerts(parts, source, req.body, gone.signal).finally(
        forget,
      );
      const { refused, ...done } = outcomes;
      const received = Object.values(outcomes).reduce((sum, count) => sum + count, 0);
      res.json({ received, ...done, refused, truncated, errors });
    },
  );

  return router;
}
