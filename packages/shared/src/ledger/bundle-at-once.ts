import type { Channel, Priority } from '../domain/channel.js';
import { TOLD_ONCE } from './alert-bundles.js';
import type { Statements } from './database.js';
import { handingOver } from './hand-over.js';
import { isLockTimeout } from './outage.js';
import { isOpen } from './states.js';

/** A delivery that tells one person of an alert, that the transaction has just written, and that nobody has seen yet. */
export interface FreshDelivery {
  readonly deliveryId: string;
  readonly notificationId: string;
  readonly personId: string;
  readonly channel: Channel;
  /** How long the person remembers that they were told of an origin, in seconds. */
  readonly windowS: number;
}

/** The alert that they tell of. */
export interface ToldAlert {
  readonly id: string;
  readonly origin: string;
  readonly priority: Priority;
}

/** A delivery that a bundle tells of, and that bundle. */
export interface BundledAtOnce {
  readonly deliveryId: string;
  readonly bundleId: string;
}

/**
 * In a storm, puts what a worker would only hold back into the bundle where it would end, before there is a job for it: where a
 * bundle of the person, channel and priority is open, and the person knows the origin. All others are for a worker to look at, and
 * so are those whose rows somebody holds for longer than a storm explains, such as a worker that was frozen.
 *
 * It takes the rows by which a person's bundles are begun and ended, so it is to be the last statement before the commit.
 */
export async function bundleAtOnce(
  transaction: Statements,
  alert: ToldAlert,
  fresh: readonly FreshDelivery[],
): Promise<BundledAtOnce[]> {
  const bundle = (statement: string) =>
    transaction.rows<BundledAtOnce & Record<string, unknown>>(statement, [
      fresh.map(({ deliveryId }) => deliveryId),
      fresh.map(({ notificationId }) => notificationId),
      fresh.map(({ personId }) => personId),
      fresh.map(({ channel }) => channel),
      fresh.map(({ windowS }) => windowS),
      alert.priority,
      alert.origin,
      alert.id,
    ]);
  await transaction.rows(impatiently(fresh.length));
  try {
    return await bundle(BUNDLE);
  } catch (error) {
    if (!isLockTimeout(error)) throw error;
    await transaction.rows('ROLLBACK TO SAVEPOINT bundling');
    return bundle(BUNDLE_WHAT_IS_FREE);
  }
}

/** How long an alert waits for one row, and for all of them, in milliseconds. */
const LONGEST_MS = 300;
const ALTOGETHER_MS = 2_000;

function impatiently(rows: number): string {
  const each = Math.max(2, Math.min(LONGEST_MS, Math.floor(ALTOGETHER_MS / rows)));
  return `SAVEPOINT bundling; SET LOCAL lock_timeout = '${each}ms'`;
}

/*
 * The rows are taken in the order of their keys, and the deliveries of the bundles in the order of their ids, as by all who take
 * several. What `held` and `carrier` waited for is seen as it is then; a bundle that was begun meanwhile has no delivery yet as
 * this statement sees it, and takes nothing.
 */
const bundling = (unless: 'SKIP LOCKED' | '') => `
WITH held AS MATERIALIZED (
  SELECT f.id, f.notification_id, p.bundle_id AS "into"
  FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::float8[]) AS f(id, notification_id, person_id, channel, seconds)
  JOIN alert_pass p USING (person_id, channel)
  WHERE p.priority = $6 AND p.bundle_id IS NOT NULL
    AND (p.origins ->> $7)::float8 > extract(epoch FROM clock_timestamp()) - f.seconds
  ORDER BY person_id, channel FOR UPDATE OF p ${unless}
), carrier AS MATERIALIZED (
  SELECT d.id, d.notification_id FROM held JOIN delivery d ON d.notification_id = held."into"
  WHERE ${isOpen('d.state')} ORDER BY d.id FOR SHARE OF d ${unless}
), carried AS MATERIALIZED (
  SELECT held.*, carrier.id::text AS carrier FROM held JOIN carrier ON carrier.notification_id = held."into"
), ${handingOver('carried', 'bundle')}, bundled AS (
  INSERT INTO alert_bundled (bundle_id, alert_id, notification_id)
  SELECT "into", $8::uuid, notification_id FROM carried ${TOLD_ONCE}
)
SELECT carried.id AS "deliveryId", "into" AS "bundleId" FROM carried JOIN ended USING (id)`;

const BUNDLE = bundling('');
const BUNDLE_WHAT_IS_FREE = bundling('SKIP LOCKED');
