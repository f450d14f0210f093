import type { Database } from './database.js';
import { retryTransient } from './retry-transient.js';

/** A notification of an event that may go out no more than so often. */
export interface Passing {
  readonly personId: string;
  readonly eventType: string;
  readonly notificationId: string;
  /** Notifications that may go out to this person within any 60 minutes, on whatever channels. */
  readonly perHour: number;
}

/**
 * Lets a notification pass, or not. One that has passed within the hour passes again: on its next channel, or because its worker
 * was lost. The row is held meanwhile, so that of any number at once just as many pass as may. False for somebody who is gone.
 */
export async function mayPass(database: Database, passing: Passing): Promise<boolean> {
  const { personId, eventType, notificationId, perHour } = passing;
  const [row] = await retryTransient(() =>
    database.rows<{ passed: boolean }>(PASS, [personId, eventType, notificationId, perHour]),
  );
  return row?.passed === true;
}

/*
 * By the clock at the moment, not that of the transaction's beginning: it may have waited for the row. An upsert that finds
 * the row reads it as it is once it is held.
 */
const PASS = `
INSERT INTO hourly_pass AS held (person_id, event_type, passes)
SELECT id, $2, jsonb_build_object($3::text, extract(epoch FROM clock_timestamp()))
FROM (SELECT id FROM person WHERE id = $1 FOR KEY SHARE) AS living
ON CONFLICT (person_id, event_type) DO UPDATE SET passes = (
  SELECT coalesce(jsonb_object_agg(notification, at), '{}') || CASE
    WHEN bool_or(notification = $3::text) OR count(*) >= $4::int THEN '{}'
    ELSE jsonb_build_object($3::text, extract(epoch FROM clock_timestamp())) END
  FROM jsonb_each(held.passes) AS kept(notification, at)
  WHERE at::float8 > extract(epoch FROM clock_timestamp()) - 3600)
RETURNING passes ? $3::text AS passed`;
