import { ALERT_LEVELS, type AlertLevel } from '../domain/alert.js';
import type { Channel, Priority } from '../domain/channel.js';
import { newId } from '../domain/ids.js';
import type { Claimed } from './claim.js';
import type { Statements } from './database.js';
import type { GatheredItem } from './gather.js';
import { handOver } from './hand-over.js';
import { isOpen } from './states.js';
import { type JobSeed, SEED } from './waiting.js';

/** Whose bundle it is, the one that is open, and when one that is begun now is to be sent, in epoch seconds. */
export interface BundleOf {
  readonly personId: string;
  readonly channel: Channel;
  readonly priority: Priority;
  readonly open: string | null;
  readonly dueAt: number;
}

/** What became of the deliveries that were to be put into a bundle. */
export interface Bundling {
  /** The bundle that is open now; null when there is none. */
  readonly bundleId: string | null;
  /** The deliveries that are in it; all others are in somebody else's hands by now. */
  readonly taken: ReadonlySet<string>;
  readonly seeds: readonly JobSeed[];
}

/**
 * Puts claimed deliveries into the open bundle of a person, channel and priority, whose row of `alert_pass` the caller holds, or into one
 * that is begun, and ends them.
 */
export async function bundleAlerts(
  transaction: Statements,
  owner: string,
  claims: readonly Claimed[],
  of: BundleOf,
): Promise<Bundling> {
  if (claims.length === 0) return { bundleId: of.open, taken: new Set(), seeds: [] };
  const rows = await holdDeliveries(transaction, owner, claims, of.open);
  const held = new Set(rows.filter((row) => row.held).map(({ id }) => id));
  const mine = claims.filter(({ deliveryId }) => held.has(deliveryId));
  // A bundle that will not be sent any more takes nothing on.
  const carriers = rows.filter(({ bundle, open }) => bundle && open);
  const still = carriers.length > 0 ? of.open : null;
  if (mine.length === 0) return { bundleId: still, taken: held, seeds: [] };
  const bundleId = still ?? (await begin(transaction, of));
  const seeds = await addDeliveries(transaction, bundleId, of, missing(mine, carriers));
  await transaction.rows(ADD, [
    bundleId,
    mine.map(({ notification }) => notification.alert?.id ?? null),
    mine.map(({ notificationId }) => notificationId),
  ]);
  const places = new Map(
    [...carriers.map((one) => ({ ...one, deliveryId: one.id })), ...seeds].map((one) => [
      targetOf(of.channel, one.address),
      one.deliveryId,
    ]),
  );
  const handed = mine.map(({ deliveryId, address }) => ({
    deliveryId,
    carrierId: places.get(targetOf(of.channel, address)) ?? bundleId,
  }));
  await handOver(transaction, handed, 'bundle', bundleId);
  return { bundleId, taken: held, seeds };
}

/** One alert may be told of by several: on each of the devices, and by each step of its escalation. The newest is answered. */
export const TOLD_ONCE = `ON CONFLICT (bundle_id, alert_id)
  DO UPDATE SET notification_id = greatest(alert_bundled.notification_id, excluded.notification_id)`;

const ADD = `
INSERT INTO alert_bundled (bundle_id, alert_id, notification_id)
SELECT DISTINCT ON (alert_id) $1::uuid, alert_id, notification_id
FROM unnest($2::uuid[], $3::uuid[]) AS given(alert_id, notification_id)
WHERE alert_id IS NOT NULL ORDER BY alert_id, notification_id DESC ${TOLD_ONCE}`;

interface HeldDelivery extends Record<string, unknown> {
  readonly id: string;
  readonly address: string | null;
  readonly channel: Channel;
  /** It is one of the bundle's. */
  readonly bundle: boolean;
  readonly open: boolean;
  /** It is still in this worker's hands. */
  readonly held: boolean;
}

/** In the order of their ids, as everybody takes them. */
function holdDeliveries(
  transaction: Statements,
  owner: string,
  claims: readonly Claimed[],
  bundleId: string | null,
): Promise<HeldDelivery[]> {
  return transaction.rows<HeldDelivery>(
    `SELECT d.id, d.address, d.channel, c.id IS NULL AS bundle, ${isOpen('d.state')} AS open,
       coalesce(d.state = 'sending' AND d.lease_owner = $3 AND d.claim = c.claim, false) AS held
     FROM delivery d LEFT JOIN unnest($1::uuid[], $2::int[]) AS c(id, claim) ON c.id = d.id
     WHERE d.id = ANY($1::uuid[]) OR d.notification_id = $4 ORDER BY d.id FOR UPDATE OF d`,
    [claims.map(({ deliveryId }) => deliveryId), claims.map(({ claim }) => claim), owner, bundleId],
  );
}

/** A push goes to each device by itself; on the other channels a person has one address, whatever it is by then. */
function targetOf(channel: Channel, address: string | null): string {
  return channel === 'push' ? (address ?? '') : '';
}

/** Where the bundle is to go and does not yet. */
function missing(mine: readonly Claimed[], carriers: readonly HeldDelivery[]): string[] {
  const known = new Set(carriers.map(({ channel, address }) => targetOf(channel, address)));
  const wanted = new Map(mine.map(({ channel, address }) => [targetOf(channel, address), address]));
  return [...wanted].filter(([target]) => !known.has(target)).map(([, address]) => address);
}

async function begin(transaction: Statements, { personId, priority }: BundleOf): Promise<string> {
  const id = newId();
  await transaction.rows(
    `INSERT INTO notification (id, person_id, type, priority, caller, digest) VALUES ($1, $2, 'alerts', $3, 'bundle', true)`,
    [id, personId, priority],
  );
  return id;
}

type AddedSeed = JobSeed & { readonly address: string };

async function addDeliveries(
  transaction: Statements,
  bundleId: string,
  { channel, priority, dueAt }: BundleOf,
  addresses: readonly string[],
): Promise<AddedSeed[]> {
  if (addresses.length === 0) return [];
  await transaction.rows('UPDATE notification SET open_count = open_count + $2 WHERE id = $1', [
    bundleId,
    addresses.length,
  ]);
  return transaction.rows<AddedSeed & Record<string, unknown>>(
    `INSERT INTO delivery (id, notification_id, channel, priority, address, state, reason, due_at)
     SELECT id, $1, $3, $4, address, 'scheduled', 'alert_limit', to_timestamp($5)
     FROM unnest($2::uuid[], $6::text[]) AS a(id, address)
     RETURNING ${SEED}, address`,
    [bundleId, addresses.map(() => newId()), channel, priority, dueAt, addresses],
  );
}

/** A message has no room for more; the others are counted. */
const MOST_TOLD = 50;

interface BundledAlert extends Record<string, unknown> {
  readonly level: AlertLevel;
  readonly type: string;
  readonly severity: string;
  readonly message: string;
  readonly source: string | null;
  readonly affected_systems: readonly string[];
  readonly code: string;
  readonly step: number;
  readonly at: Date;
  readonly notificationId: string;
  readonly count: number;
}

/** What a bundle tells of now: its alerts that are open, the loudest first and of those the newest. */
export async function openAlertsOf(
  transaction: Statements,
  bundleId: string,
): Promise<{ readonly items: readonly GatheredItem[]; readonly count: number }> {
  const rows = await transaction.rows<BundledAlert>(
    `SELECT a.level, a.type, a.severity, a.message, a.source, a.affected_systems, a.code::text AS code, a.steps AS step,
       a.opened_at AS at, b.notification_id AS "notificationId", count(*) OVER ()::int AS count
     FROM alert_bundled b JOIN alert a ON a.id = b.alert_id WHERE b.bundle_id = $1 AND a.status = 'open'
     ORDER BY array_position('{${ALERT_LEVELS}}'::text[], a.level), a.opened_at DESC, a.id LIMIT ${MOST_TOLD}`,
    [bundleId],
  );
  return {
    items: rows.map(({ at, notificationId, count: _, ...context }) => ({ context, at, notificationId })),
    count: rows[0]?.count ?? 0,
  };
}
