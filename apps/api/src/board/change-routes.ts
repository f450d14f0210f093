import { Refusal } from '@belfry/shared/domain/refusal.js';
import { DELIVERY_QUEUES, type DeliveryQueue } from '@belfry/shared/queue/topology.js';
import { type Request, type RequestHandler, Router } from 'express';
import { type Acts, CLEANABLE } from './acts.js';
import { onlyReads } from './request-kind.js';
import { JOB_ID } from './successor.js';
import { visitorOf } from './visitor.js';

/**
 * The buttons of the board that Belfry has: none of them reaches Bull Board's own code, which knows no ledger. Every other
 * changing request is refused, and so is every one of a viewer.
 */
export function changeRoutes(acts: Acts): Router {
  const router = Router({ caseSensitive: true });
  router.use(onlyAdminsChange);

  router.put('/queues/pause', async (req, res) => {
    await acts.pause(visitorOf(req), null);
    res.json({});
  });
  router.put('/queues/resume', async (req, res) => {
    await acts.resume(visitorOf(req), null);
    res.json({});
  });
  router.put('/queues/:queue/pause', async (req, res) => {
    await acts.pause(visitorOf(req), queueIn(req));
    res.json({});
  });
  router.put('/queues/:queue/resume', async (req, res) => {
    await acts.resume(visitorOf(req), queueIn(req));
    res.json({});
  });
  router.put('/queues/:queue/retry/failed', async (req, res) => {
    res.json(await acts.retryAll(visitorOf(req), queueIn(req)));
  });
  router.put('/queues/:queue/promote', async (req, res) => {
    await acts.promoteAll(visitorOf(req), queueIn(req));
    res.json({});
  });
  router.put('/queues/:queue/clean/:state', async (req, res) => {
    const state = CLEANABLE.find((one) => one === req.params.state);
    if (state === undefined) throw notHere();
    await acts.clean(visitorOf(req), queueIn(req), state);
    res.json({});
  });
  router.put('/queues/:queue/:job/retry', async (req, res) => {
    await acts.retry(visitorOf(req), queueIn(req), jobIn(req));
    res.status(204).end();
  });
  router.put('/queues/:queue/:job/promote', async (req, res) => {
    await acts.promote(visitorOf(req), queueIn(req), jobIn(req));
    res.status(204).end();
  });
  router.put('/queues/:queue/:job/clean', async (req, res) => {
    await acts.remove(visitorOf(req), queueIn(req), jobIn(req));
    res.status(204).end();
  });

  router.use((req, _res, next) => {
    if (!onlyReads(req)) throw notHere();
    next();
  });
  return router;
}

const onlyAdminsChange: RequestHandler = (req, _res, next) => {
  if (!onlyReads(req) && visitorOf(req).role !== 'admin') throw new Refusal('forbidden', 'Forbidden');
  next();
};

/** Adding, copying, editing and emptying would make jobs that no row stands behind, or part a row from its job. */
function notHere(): Refusal {
  return new Refusal('forbidden', 'Forbidden', { reason: 'not_on_this_board' });
}

function queueIn(req: Request): DeliveryQueue {
  const queue = DELIVERY_QUEUES.find((one) => one === req.params.queue);
  if (queue === undefined) throw new Refusal('not_found', 'There is no such queue.');
  return queue;
}

function jobIn(req: Request): string {
  const id = String(req.params.job);
  if (!JOB_ID.test(id)) throw new Refusal('not_found', 'There is no such job.');
  return id;
}
