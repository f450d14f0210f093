import { type Escalated, type EscalationParts, escalationStep } from '@belfry/shared/notify/escalate.js';
import { putBack } from '@belfry/shared/queue/backoff-strategy.js';
import { escalationJob } from '@belfry/shared/queue/jobs.js';
import type { JobProcessor } from '@belfry/shared/queue/queue-engine.js';

/** After an error that the alert cannot be blamed for, such as a database that is away. */
const PAUSE_MS = 1_000;

/** Takes a step of an escalation when its alarm clock rings. One that rings early is put back (law 9). */
export function createEscalate(parts: EscalationParts): JobProcessor {
  return async (job, token) => {
    const { alert_id, step } = escalationJob.parse(job.data);
    const came = await escalationStep(parts, alert_id, step).catch(
      (): Escalated => ({ kind: 'early', waitMs: PAUSE_MS }),
    );
    if (came.kind === 'early') return putBack(job, token, came.waitMs);
  };
}
