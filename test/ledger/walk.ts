import {
  type DeliveryState,
  isLegalMove,
  statusOf,
  WAITING_STATES,
} from '@belfry/shared/domain/delivery-state.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import type { Row } from './with-ledger.js';

/** A delivery with what only the database's clock can say of it. */
export interface Placed extends Row {
  /** Its time has come. */
  readonly due: boolean;
  /** Its worker has let the lease run out. */
  readonly lapsed: boolean;
  /** The numbers of its attempts. */
  readonly numbers: readonly number[];
  readonly person_id: string | null;
}

/** A notification with its derived columns. */
interface Whole {
  readonly id: string;
  readonly status: string;
  readonly counts: readonly number[];
}

/** The ledger at one moment. */
export interface Snapshot {
  readonly deliveries: readonly Placed[];
  readonly notifications: readonly Whole[];
}

export async function look(database: Database): Promise<Snapshot> {
  const deliveries = await database.rows<Placed>(
    `SELECT d.*, d.due_at <= now() AS due, coalesce(d.lease_until < now(), false) AS lapsed, n.person_id,
       ARRAY(SELECT a.n FROM attempt a WHERE a.delivery_id = d.id ORDER BY a.n) AS numbers
     FROM delivery d JOIN notification n ON n.id = d.notification_id ORDER BY d.id`,
  );
  const notifications = await database.rows<Whole & Record<string, unknown>>(
    'SELECT id, status, ARRAY[open_count, sent_count, dead_count, cancelled_count] AS counts FROM notification ORDER BY id',
  );
  return { deliveries, notifications };
}

const CLASSES: readonly (readonly DeliveryState[])[] = [
  ['scheduled', 'queued', 'sending', 'retrying', 'ambiguous'],
  ['sent', 'delivered'],
  ['dead'],
  ['cancelled'],
];

/** True for the states in which a delivery waits for a worker. */
export function isWaiting(state: DeliveryState): boolean {
  const waiting: readonly DeliveryState[] = WAITING_STATES;
  return waiting.includes(state);
}

/** Everything that must hold in the ledger at any moment; a sentence for each thing that does not. */
export function faultsOf({ deliveries, notifications }: Snapshot): string[] {
  const faults: string[] = [];
  for (const { id, status, counts } of notifications) {
    const states = deliveries.filter((one) => one.notification_id === id).map(({ state }) => state);
    const counted = CLASSES.map((members) => states.filter((state) => members.includes(state)).length);
    if (status !== statusOf(states)) faults.push(`${status} is not the status of [${states}]`);
    if (String(counts) !== String(counted)) faults.push(`[${counts}] does not count [${states}]`);
  }
  for (const one of deliveries) {
    const numbers = one.numbers.map((_, index) => index + 1);
    if (String(one.numbers) !== String(numbers) || one.tries !== numbers.length)
      faults.push(`attempts [${one.numbers}] with ${one.tries} tries`);
    if ((one.lease_owner !== null) !== (one.state === 'sending'))
      faults.push(`${one.state} with a lease of ${one.lease_owner}`);
    if ((one.sent_at !== null) !== (one.state === 'sent'))
      faults.push(`${one.state} with sent_at ${one.sent_at}`);
    if (one.retryable && one.state !== 'dead') faults.push(`${one.state} counts as failed`);
    for (const mark of [one.failure, one.dead_at])
      if ((mark !== null) !== (one.state === 'dead'))
        faults.push(`${one.state} with the failure mark ${mark}`);
    if (one.interruptions > one.tries || one.interruptions >= Math.max(1, one.claim))
      faults.push(`${one.interruptions} interruptions in ${one.claim} claims and ${one.tries} tries`);
  }
  return faults;
}

/** What must hold between two moments. `visited` counts the moves. */
export function faultsBetween(before: Snapshot, after: Snapshot, visited: Map<string, number>): string[] {
  const faults: string[] = [];
  const now = new Map(after.deliveries.map((one) => [one.id, one]));
  for (const old of before.deliveries) {
    const one = now.get(old.id);
    if (one === undefined) {
      faults.push('a delivery vanished');
      continue;
    }
    const moved = one.state !== old.state || one.claim !== old.claim;
    const move = `${old.state} → ${one.state}`;
    if (moved) visited.set(move, (visited.get(move) ?? 0) + 1);
    if (moved && !isLegalMove(old.state, one.state)) faults.push(`${old.state} → ${one.state} is not legal`);
    const back = old.state === 'dead' && one.state === 'queued';
    const counters = [
      'claim',
      'generation',
      'tries',
      ...(back ? [] : (['round', 'interruptions'] as const)),
    ] as const;
    for (const counter of counters)
      if (one[counter] < old[counter]) faults.push(`${counter} went from ${old[counter]} to ${one[counter]}`);
    if (one.state === 'sending' && moved && one.claim !== old.claim + 1)
      faults.push('claimed without a new number');
    if (back && one.generation !== old.generation + 1) faults.push('brought back without a new job');
    if (back && one.in_doubt !== old.in_doubt) faults.push('brought back with another doubt');
    if (back && one.round === 1 && one.attempts + one.interruptions > 0 && one.reason === 'replayed')
      faults.push(`replayed with ${one.attempts} attempts and ${one.interruptions} interruptions`);
  }
  return faults;
}
