import { failingOf, type Parts, partsUp } from '@belfry/shared/service/parts-up.js';
import { Router } from 'express';

/** What a process answers when it is asked how it is. No token: load balancers have none. */
export function healthRoutes(parts: Parts): Router {
  const router = Router();

  /** The process is alive, whatever has become of its databases. */
  router.get('/health', (_req, res) => {
    res.json({ status: 'ok' });
  });

  /**
   * Whether calls should be sent here. Without the database nothing can be accepted: 503. Without the queue everything
   * is accepted and delivered later: 200, but degraded.
   */
  router.get('/ready', async (_req, res) => {
    const up = await partsUp(parts);
    const failing = failingOf(up);
    const usable = up.database && up.schema;
    const status = failing.length === 0 ? 'ready' : usable ? 'degraded' : 'unavailable';
    if (!usable) res.set('Retry-After', '2');
    res.status(usable ? 200 : 503).json({ status, failing, engine: parts.engine.kind });
  });

  return router;
}
