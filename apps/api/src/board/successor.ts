import { jobId } from '@belfry/shared/domain/ids.js';
import { standingOf } from '@belfry/shared/ledger/board.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import type { QueueEngine } from '@belfry/shared/queue/queue-engine.js';
import { DELIVERY_QUEUES } from '@belfry/shared/queue/topology.js';
import type { RequestHandler } from 'express';

/** A job's id: that of its delivery, from its second job on with the generation. */
export const JOB_ID = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:-g\d{1,9})?$/;

/**
 * For `GET /api/queues/:queue/:job`: whoever looks at a job that has gone, since its delivery was retried, promoted or found
 * by the reconciler, is led to the one that took its place.
 *
 * @param base where the board is.
 */
export function leadToSuccessor(engine: QueueEngine, database: Database, base: string): RequestHandler {
  return async (req, res, next) => {
    const queue = DELIVERY_QUEUES.find((one) => one === req.params.queue);
    const [job, deliveryId] = JOB_ID.exec(String(req.params.job)) ?? [];
    if (queue === undefined || job === undefined || deliveryId === undefined) return next();
    if ((await engine.queue(queue).getJob(job)) !== undefined) return next();
    const standing = await standingOf(database, deliveryId);
    const successor = jobId(deliveryId, standing?.generation ?? 1);
    if (standing === null || successor === job) return next();
    res.redirect(307, `${base}/api/queues/${queue}/${successor}`);
  };
}
