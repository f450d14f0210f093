import { type FanOutBounds, type FanOutParts, fanOutStep, type Step } from '@belfry/shared/notify/fan-out.js';
import { putBack } from '@belfry/shared/queue/backoff-strategy.js';
import { fanOutJob } from '@belfry/shared/queue/jobs.js';
import type { JobProcessor } from '@belfry/shared/queue/queue-engine.js';

/** Then it is another broadcast's turn. */
const TURN_MS = 3_000;
/** After an error that a chunk cannot be blamed for, such as a database that is away. */
const PAUSE_MS = 2_000;

/**
 * Tells the people of a broadcast, chunk by chunk. What is left is in the ledger: a job that is put back, lost or doubled
 * changes nothing but the time.
 *
 * @param stopping aborts when the worker is to end: the chunk in hand is finished, and others go on.
 */
export function createFanOut(parts: FanOutParts, bounds: FanOutBounds, stopping: AbortSignal): JobProcessor {
  return async (job, token) => {
    const { broadcast_id } = fanOutJob.parse(job.data);
    const turnEnds = performance.now() + TURN_MS;
    for (;;) {
      const step = await fanOutStep(parts, broadcast_id, bounds).catch((error: unknown): Step => {
        parts.events.fanOutFailed({ broadcastId: broadcast_id, error });
        return { kind: 'later', waitMs: PAUSE_MS };
      });
      if (step.kind === 'over') return;
      if (step.kind === 'later') return putBack(job, token, step.waitMs);
      if (stopping.aborted || performance.now() >= turnEnds) return putBack(job, token, 1);
    }
  };
}
