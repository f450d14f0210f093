import type { DeliveryRecord, RecordResult } from '@belfry/shared/ledger/record.js';
import { giveUp, putBack, RetryLater } from '@belfry/shared/queue/backoff-strategy.js';
import type { Job } from 'bullmq';

/** A record with what the ledger made of it. */
export interface Recorded {
  readonly record: DeliveryRecord;
  readonly result: RecordResult;
}

/** Somebody else has moved the row on: the next claim tells whether anything is left to do for this job. */
const LOOK_AGAIN_MS = 1_000;

/**
 * Ends a BullMQ job the way its row in the ledger has ended, after the row is on disk (law 4). A dead delivery is a
 * failed job, so that operators see it where they look; a retry that costs an attempt is one of BullMQ's attempts.
 */
export async function endJob(job: Job, token: string, { record, result }: Recorded): Promise<void> {
  if (result === 'superseded') return putBack(job, token, LOOK_AGAIN_MS);
  const reason = record.reason ?? record.state;
  switch (record.state) {
    case 'dead':
      return giveUp(reason);
    case 'retrying':
    case 'ambiguous':
      if (record.cost === 1 && hasAttemptsLeft(job)) throw new RetryLater(reason, record.dueInMs);
      return putBack(job, token, record.dueInMs);
    case 'scheduled':
      return putBack(job, token, record.dueInMs);
    default:
      return;
  }
}

/** BullMQ fails a job on its last attempt. The ledger alone decides that, and it may count otherwise. */
function hasAttemptsLeft(job: Job): boolean {
  return job.attemptsMade + 1 < (job.opts.attempts ?? 1);
}
