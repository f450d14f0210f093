import type { DeliveryRecord, RecordResult } from '@belfry/shared/ledger/record.js';
import { giveUp, putBack, RetryLater } from '@belfry/shared/queue/backoff-strategy.js';
import type { Job } from 'bullmq';

/** A record with what the ledger made of it. */
export interface Recorded {
  readonly record: DeliveryRecord;
  readonly result: RecordResult;
}

/**
 * Ends a BullMQ job the way its row in the ledger has ended, after the row is on disk (law 4). A dead delivery is a
 * failed job, so that operators see it where they look; a retry that costs an attempt is one of BullMQ's attempts.
 */
export async function endJob(job: Job, token: string, { record, result }: Recorded): Promise<void> {
  if (result === 'superseded') return;
  const reason = record.reason ?? record.state;
  switch (record.state) {
    case 'dead':
      return giveUp(reason);
    case 'retrying':
    case 'ambiguous':
      if (record.cost === 1) throw new RetryLater(reason, record.dueInMs);
      return putBack(job, token, record.dueInMs);
    default:
      return;
  }
}
