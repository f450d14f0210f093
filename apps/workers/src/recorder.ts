import { setTimeout as sleep } from 'node:timers/promises';
import type { Claimed } from '@belfry/shared/ledger/claim.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import { isOutage } from '@belfry/shared/ledger/outage.js';
import { type DeliveryRecord, type RecordResult, recordOutcomes } from '@belfry/shared/ledger/record.js';
import { createBatcher } from '@belfry/shared/service/batcher.js';
import type { Events } from '@belfry/shared/service/events.js';
import type { Recorded } from './processors/job-ending.js';

/** Writes outcomes to the ledger, many in one commit, and does not let go of one while the ledger is away. */
export interface Recorder {
  record(claim: Claimed, record: DeliveryRecord): Promise<Recorded>;
}

/** How long an outcome is kept in memory for a ledger that is away. What was sent and never recorded is sent again. */
const PATIENCE_MS = 60_000;
const PAUSE_MS = 250;

export function createRecorder(database: Database, owner: string, events: Events): Recorder {
  const batcher = createBatcher<DeliveryRecord, RecordResult>({
    batch: 300,
    flights: 2,
    waiting: 20_000,
    splittable: (error) => !isOutage(error),
    run: (records) => recordOutcomes(database, owner, records),
  });

  async function patiently(record: DeliveryRecord): Promise<RecordResult> {
    const giveUpAt = performance.now() + PATIENCE_MS;
    for (;;) {
      try {
        return await batcher.add(record);
      } catch (error) {
        if (!isOutage(error) || performance.now() > giveUpAt) throw error;
        events.connectionFailed({ part: 'database', error });
        await sleep(PAUSE_MS);
      }
    }
  }

  return {
    async record({ notificationId, deliveryId, channel }, record) {
      const result = await patiently(record);
      const { state, reason, failure } = record;
      const dueInMs = Math.round(record.dueInMs);
      if (result === 'recorded')
        events.moved({ notificationId, deliveryId, channel, state, reason, failure, dueInMs });
      return { record, result };
    },
  };
}
