import type { AlertLevel, AlertStatus } from '../domain/alert.js';
import { type Channel, PRIORITIES, type Priority } from '../domain/channel.js';
import type { DeliveryState } from '../domain/delivery-state.js';
import type { Platform, PushKeys } from '../domain/device.js';
import type { Wishes } from '../domain/wishes.js';
import type { NotificationContent } from './accept.js';
import type { Database } from './database.js';
import { retryTransient } from './retry-transient.js';
import { isWaiting } from './states.js';
import { keptAddressSql } from './suppressed-address.js';

/** A delivery that this worker alone may send, with everything that is needed to do so. */
export interface Claimed {
  readonly kind: 'claimed';
  readonly deliveryId: string;
  readonly notificationId: string;
  readonly channel: Channel;
  readonly priority: Priority;
  /** Where it goes: a person's address as it is now, not as it was when it was accepted; empty when there is none. */
  readonly address: string;
  /** The state it was in: `sending` means that another worker was lost with it. */
  readonly was: DeliveryState;
  /** The number of this claim; nothing can be recorded under an older one. */
  readonly claim: number;
  readonly attempts: number;
  readonly round: number;
  readonly interruptions: number;
  /** An earlier try may have been taken, and nobody has found out. */
  readonly inDoubt: boolean;
  /** How long ago this round's first try began. */
  readonly heldMs: number;
  readonly expired: boolean;
  /** It is part of a broadcast that has been cancelled. */
  readonly calledOff: boolean;
  readonly expiresAt: Date | null;
  /** When it was claimed, by the database's clock. */
  readonly claimedAt: Date;
  /** It has been tried before, and a call, a replay or a sweep has brought it forward. */
  readonly recalled: boolean;
  readonly firstAttemptAt: Date;
  readonly createdAt: Date;
  readonly notification: ClaimedNotification;
  /** Null for a mail or text message to a bare address, and for somebody who was erased since. */
  readonly person: ClaimedPerson | null;
  /** What a push goes to; null on the other channels, and for a device that is not the person's any more. */
  readonly device: ClaimedDevice | null;
  readonly suppressed: string | null;
}

export interface ClaimedDevice {
  readonly platform: Platform;
  /** Only of a browser. */
  readonly keys: PushKeys | null;
}

export interface ClaimedNotification extends NotificationContent {
  readonly createdAt: Date;
  /** How long ago it was accepted, or came due when it was for later; by the database's clock. */
  readonly ageMs: number;
  /** The trace of the call that made it, as a W3C `traceparent`. */
  readonly traceparent: string | null;
  readonly digest: boolean; // it tells of several that were gathered
  /** The alert that it tells of, as it is now. */
  readonly alert: ClaimedAlert | null;
}

export interface ClaimedAlert {
  readonly id: string;
  readonly status: AlertStatus;
  readonly level: AlertLevel;
  /** Its source and type, the first of which passes whatever the limits are. */
  readonly origin: string;
}

export interface ClaimedPerson extends Wishes {
  readonly locale: string;
  readonly timezone: string;
  readonly active: boolean;
}

/** Why there is nothing to send now. `early` and `busy` are worth another look after `waitMs`. */
export type Unclaimed =
  | { readonly kind: 'early'; readonly waitMs: number }
  | { readonly kind: 'busy'; readonly waitMs: number }
  | { readonly kind: 'over' };

export type Claim = Claimed | Unclaimed;

/**
 * A delivery that was in the hands of this many lost workers may be what kills them. One loss proves nothing: everything
 * that the worker had in hand was lost with it.
 */
const SUSPECT_AFTER = 2;

/** True for a delivery that a worker takes only one of at a time, so that it does not go down with another's poison. */
export function isSuspect(claim: Claimed): boolean {
  return claim.interruptions >= SUSPECT_AFTER;
}

/** How long a suspect waits for its turn on average; jittered, so that they do not all come back at once. */
const TURN_MS = 700;

/**
 * Law 3: one statement takes the deliveries and loads them. A row that is due, or whose worker let its lease lapse, is
 * taken; a lost worker's try is written down as ambiguous on the way. Everything is judged by the database's clock (law 9).
 * Of the suspects at most one is taken, the most urgent.
 *
 * @param owner this worker process; @param leaseMs how long the claim holds without being renewed; @param suspects whether
 * this worker may take a suspect now.
 */
export async function claimDeliveries(
  database: Database,
  owner: string,
  leaseMs: number,
  ids: readonly string[],
  suspects = true,
): Promise<Claim[]> {
  const rows = await retryTransient(() => database.rows<ClaimRow>(CLAIM, [ids, owner, leaseMs, suspects]));
  const found = new Map(rows.map((row) => [row.id, row]));
  const given = new Set<string>();
  return ids.map((id): Claim => {
    const row = found.get(id);
    if (row === undefined) return { kind: 'over' };
    // Two jobs for one delivery in one batch: the claim belongs to the first of them alone.
    if (row.claimed && given.has(id)) return { kind: 'busy', waitMs: leaseMs };
    given.add(id);
    return toClaim(row);
  });
}

interface ClaimRow {
  id: string;
  claimed: boolean;
  kept_back: boolean;
  state: DeliveryState;
  wait_ms: number;
  notification_id: string;
  channel: Channel;
  priority: Priority;
  address: string | null;
  was: DeliveryState;
  claim: number;
  attempts: number;
  round: number;
  interruptions: number;
  in_doubt: boolean;
  held_ms: number;
  expired: boolean;
  called_off: boolean;
  expires_at: Date | null;
  claimed_at: Date;
  recalled: boolean;
  first_attempt_at: Date;
  created_at: Date;
  person_id: string | null;
  event_type: string | null;
  type: string;
  title: string | null;
  message: string | null;
  html: string | null;
  context: Record<string, unknown>;
  data: Record<string, unknown>;
  accepted_at: Date;
  age_ms: number;
  traceparent: string | null;
  digest: boolean;
  alert: ClaimedAlert | null;
  person: ClaimedPerson | null;
  device: ClaimedDevice | null;
  suppressed: string | null;
}

function toClaim(row: ClaimRow): Claim {
  if (row.kept_back) return { kind: 'busy', waitMs: TURN_MS * (0.5 + Math.random()) };
  if (!row.claimed) {
    if (row.state === 'sending') return { kind: 'busy', waitMs: row.wait_ms };
    return row.wait_ms > 0 ? { kind: 'early', waitMs: row.wait_ms } : { kind: 'over' };
  }
  return {
    kind: 'claimed',
    deliveryId: row.id,
    notificationId: row.notification_id,
    channel: row.channel,
    priority: row.priority,
    address: row.address ?? '',
    was: row.was,
    claim: row.claim,
    attempts: row.attempts,
    round: row.round,
    interruptions: row.interruptions,
    inDoubt: row.in_doubt,
    heldMs: row.held_ms,
    expired: row.expired,
    calledOff: row.called_off,
    expiresAt: row.expires_at,
    claimedAt: row.claimed_at,
    recalled: row.recalled,
    firstAttemptAt: row.first_attempt_at,
    createdAt: row.created_at,
    notification: {
      personId: row.person_id,
      eventType: row.event_type,
      type: row.type,
      title: row.title,
      message: row.message,
      html: row.html,
      context: row.context,
      data: row.data,
      createdAt: row.accepted_at,
      ageMs: row.age_ms,
      traceparent: row.traceparent,
      digest: row.digest,
      alert: row.alert,
    },
    person: row.person,
    device: row.device,
    suppressed: row.suppressed,
  };
}

/*
 * `was` locks the rows in the order of their ids, so that two overlapping batches never wait for each other. The last
 * SELECT reads the rows as they were before the statement; only `taken` has the new values. What few deliveries have is asked
 * for by itself: with each table that is joined, planning the statement takes longer than running it.
 */
const CLAIM = `
WITH was AS MATERIALIZED (
  SELECT id, state, claimed_at, tries, due_at, lease_until, priority,
    (${isWaiting('state')} AND due_at <= now()) OR (state = 'sending' AND lease_until < now()) AS free,
    interruptions + (state = 'sending')::int >= ${SUSPECT_AFTER} AS suspect
  FROM delivery WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE
), fit AS (
  SELECT * FROM was WHERE free AND NOT suspect
  UNION ALL
  (SELECT * FROM was WHERE free AND suspect AND $4 ORDER BY array_position('{${PRIORITIES}}'::text[], priority), id LIMIT 1)
), taken AS (
  UPDATE delivery d SET
    state = 'sending', lease_owner = $2, lease_until = now() + $3 * interval '1 millisecond',
    claim = d.claim + 1, claimed_at = now(), updated_at = now(),
    first_attempt_at = coalesce(d.first_attempt_at, now()), round_at = coalesce(d.round_at, now()),
    in_doubt = d.in_doubt OR was.state = 'sending',
    tries = d.tries + (was.state = 'sending')::int,
    interruptions = d.interruptions + (was.state = 'sending')::int
  FROM fit AS was
  WHERE d.id = was.id
  RETURNING d.*, was.state AS was, was.claimed_at AS lost_at
), lost AS (
  INSERT INTO attempt (delivery_id, n, provider, outcome, code, error, started_at, finished_at)
  SELECT id, tries, coalesce(provider, 'unknown'), 'ambiguous', 'worker-lost',
    'The worker stopped before it recorded how the attempt ended.', coalesce(lost_at, now()), now()
  FROM taken WHERE was = 'sending'
)
SELECT was.id, taken.id IS NOT NULL AS claimed, was.free AND taken.id IS NULL AS kept_back, was.state,
  greatest(0, ceil(extract(epoch FROM
    CASE WHEN was.state = 'sending' THEN was.lease_until
         WHEN ${isWaiting('was.state')} THEN was.due_at
         ELSE now() END - now()) * 1000))::float8 AS wait_ms,
  taken.notification_id, taken.channel, taken.priority, here.address, taken.was, taken.claim, taken.attempts,
  taken.round, taken.interruptions, taken.in_doubt,
  (extract(epoch FROM now() - taken.round_at) * 1000)::float8 AS held_ms, coalesce(taken.expires_at <= now(), false) AS expired,
  coalesce((SELECT status = 'cancelled' FROM broadcast WHERE id = n.broadcast_id), false) AS called_off, taken.expires_at, taken.claimed_at,
  taken.was = 'queued' AND taken.first_attempt_at < taken.claimed_at AS recalled, taken.first_attempt_at,
  taken.created_at, n.person_id, n.event_type, n.type, n.title, n.message, n.html, n.context, n.data,
  n.created_at AS accepted_at, n.traceparent, n.digest,
  (extract(epoch FROM clock_timestamp() - greatest(n.created_at, n.send_at,
    CASE WHEN was.state = 'scheduled' THEN was.due_at END)) * 1000)::float8 AS age_ms,
  (SELECT json_build_object('id', id, 'status', status, 'level', level, 'origin', concat_ws(' ', source, alert.type))
    FROM alert WHERE id = n.alert_id) AS alert,
  CASE WHEN p.id IS NULL THEN NULL ELSE json_build_object(
    'locale', p.locale, 'timezone', p.timezone, 'active', p.active, 'preferences', p.preferences,
    'eventPreferences', p.event_preferences, 'quietHours', p.quiet_hours) END AS person,
  CASE WHEN taken.channel = 'push' THEN (SELECT json_build_object('platform', platform, 'keys', keys)
    FROM device WHERE device.address = taken.address AND device.person_id = n.person_id) END AS device,
  s.reason AS suppressed
FROM was
LEFT JOIN taken ON taken.id = was.id
LEFT JOIN notification n ON n.id = taken.notification_id
LEFT JOIN person p ON p.id = n.person_id
LEFT JOIN LATERAL (SELECT CASE
    WHEN taken.address IS NULL OR p.id IS NULL THEN taken.address
    WHEN taken.channel = 'email' THEN p.email
    WHEN taken.channel = 'sms' THEN p.phone
    WHEN taken.channel = 'webhook' THEN p.webhook_url
    ELSE taken.address END AS address) here ON true
LEFT JOIN suppression s ON s.channel = taken.channel AND s.address = ${keptAddressSql('taken.channel', 'here.address')}`;
