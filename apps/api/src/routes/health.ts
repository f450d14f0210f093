import type { Database } from '@belfry/shared/ledger/database.js';
import type { QueueEngine } from '@belfry/shared/queue/queue-engine.js';
import { within } from '@belfry/shared/service/within.js';
import { Router } from 'express';

/** What a process answers when it is asked how it is. No token: load balancers have none. */
export function healthRoutes(parts: {
  database: Database;
  engine: QueueEngine;
  migrated: () => boolean;
}): Router {
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
    const [database, queue] = await Promise.all([
      answers(parts.database.rows('SELECT 1')),
      answers(parts.engine.ping()),
    ]);
    const up = { database, schema: parts.migrated(), queue };
    const failing = Object.entries(up).flatMap(([part, isUp]) => (isUp ? [] : [part]));
    const usable = up.database && up.schema;
    const status = failing.length === 0 ? 'ready' : usable ? 'degraded' : 'unavailable';
    if (!usable) res.set('Retry-After', '2');
    res.status(usable ? 200 : 503).json({ status, failing, engine: parts.engine.kind });
  });

  return router;
}

const PATIENCE_MS = 2_000;

async function answers(question: Promise<unknown>): Promise<boolean> {
  let answered = false;
  await within(
    PATIENCE_MS,
    question.then(() => {
      answered = true;
    }),
  );
  return answered;
}
