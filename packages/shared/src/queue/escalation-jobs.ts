import type { Alarm } from '../ledger/escalations.js';
import type { NewJob } from './jobs.js';
import { ESCALATION } from './topology.js';

/**
 * The job that rings for a step. A step of an alert is taken once and never again, so its name is never used twice; should
 * somebody take the job away, the ledger still knows when the step is due.
 */
export function alarmJob({ alertId, step, delayMs }: Alarm): NewJob {
  return {
    name: ESCALATION,
    data: { v: 1, alert_id: alertId, step },
    opts: {
      jobId: alarmId({ alertId, step }),
      delay: Math.ceil(delayMs),
      removeOnComplete: true,
      removeOnFail: true,
    },
  };
}

/** The id of that job. */
export function alarmId({ alertId, step }: Pick<Alarm, 'alertId' | 'step'>): string {
  return `${alertId}-${step}`;
}
