import type { JobsOptions } from 'bullmq';
import { z } from 'zod';
import { jobId } from '../domain/ids.js';
import type { JobSeed } from '../ledger/waiting.js';

/** What a delivery's job carries: ids and nothing else (law 8). `v` is the version of this shape. */
export const deliveryJob = z.object({ v: z.literal(1), delivery_id: z.uuid(), notification_id: z.uuid() });

/** What the job of a broadcast's fan-out carries: no more than which one it is. */
export const fanOutJob = z.object({ v: z.literal(1), broadcast_id: z.uuid() });

/** What the alarm clock of an escalation carries: which step of which alert it rings for. */
export const escalationJob = z.object({ v: z.literal(1), alert_id: z.uuid(), step: z.int().min(1) });

export type JobData = z.infer<typeof deliveryJob> | z.infer<typeof fanOutJob> | z.infer<typeof escalationJob>;

/** A job as it is handed to a queue. */
export interface NewJob {
  readonly name: string;
  readonly data: JobData;
  readonly opts: JobsOptions;
}

const HOUR_S = 3600;

/**
 * The job for a delivery. Attempts and backoff are BullMQ's, so that operators see retries where they look; the delays
 * come from `retry.ts` through the backoff strategy of this name.
 */
export function jobFor(seed: JobSeed, maxAttempts: number, traceparent: string | null = null): NewJob {
  // BullMQ hands this to its telemetry, whose worker's span follows it.
  const telemetry = traceparent === null ? {} : { telemetry: { metadata: JSON.stringify({ traceparent }) } };
  return {
    name: seed.channel,
    data: { v: 1, delivery_id: seed.deliveryId, notification_id: seed.notificationId },
    opts: {
      jobId: jobId(seed.deliveryId, seed.generation),
      attempts: maxAttempts,
      backoff: { type: BACKOFF },
      delay: Math.ceil(seed.delayMs),
      removeOnComplete: { age: HOUR_S, count: 1_000 },
      removeOnFail: { age: 7 * 24 * HOUR_S, count: 10_000 },
      ...telemetry,
    },
  };
}

/** The name of the custom backoff strategy. */
const BACKOFF = 'ledger';
