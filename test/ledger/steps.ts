import type { DeliveryState } from '@belfry/shared/domain/delivery-state.js';
import { newId } from '@belfry/shared/domain/ids.js';
import { cancelNotification } from '@belfry/shared/ledger/cancel.js';
import { type Claimed, claimDeliveries } from '@belfry/shared/ledger/claim.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import { replayDead } from '@belfry/shared/ledger/dead-letters.js';
import { erasePerson } from '@belfry/shared/ledger/erase.js';
import { renewLeases } from '@belfry/shared/ledger/leases.js';
import { putPerson } from '@belfry/shared/ledger/people.js';
import { type DeliveryRecord, recordOutcomes } from '@belfry/shared/ledger/record.js';
import { beginRetries, type JobSeed, MAX_ROUNDS, renewGenerations } from '@belfry/shared/ledger/waiting.js';
import fc from 'fast-check';
import { isWaiting, type Placed, type Snapshot } from './walk.js';
import { ALL_CHANNELS, accept, letLeaseLapse, notification, OPS, recordFor } from './with-ledger.js';

/** Two workers. */
const OWNERS = [newId(), newId()] as const;
const PERSON = 'sara';

/** Where the walk is: the ledger, what it looked like before the step, and every claim that was ever made. */
export interface Walk {
  readonly database: Database;
  readonly before: Snapshot;
  readonly claims: Claimed[];
}

/** One thing that somebody does to the ledger. Returns the states that the deliveries named in it must be in afterwards. */
export interface Step {
  readonly name: string;
  run(walk: Walk): Promise<ReadonlyMap<string, DeliveryState>>;
}

type Moves = Map<string, DeliveryState>;
const nat = fc.noBias(fc.nat(1_000));
const owner = fc.constantFrom(...OWNERS);

/** One of the deliveries, of those that are `fit` if there are any; at random every fourth time, so that the unfit are tried too. */
function pick({ before }: Walk, n: number, fit: (one: Placed) => boolean = () => true): Placed | undefined {
  const fitting = n % 4 === 0 ? [] : before.deliveries.filter(fit);
  const among = fitting.length > 0 ? fitting : before.deliveries;
  return among[n % Math.max(1, among.length)];
}

/** The moves of all deliveries for which `condition` holds. */
function allTo(state: DeliveryState, { before }: Walk, condition: (one: Placed) => boolean): Moves {
  return new Map(before.deliveries.filter(condition).map(({ id }) => [id, state]));
}

const acceptStep = fc
  .record({
    channels: fc.subarray([...ALL_CHANNELS], { minLength: 1, maxLength: 3 }),
    state: fc.constantFrom('queued', 'scheduled', 'skipped' as const),
  })
  .map(({ channels, state }): Step => {
    return {
      name: `accept ${state} ${channels}`,
      async run({ database }) {
        await putPerson(database, PERSON, {}, OPS);
        const sendAt = state === 'scheduled' ? new Date(Date.now() + 3_600_000) : null;
        const given = notification({ personId: PERSON, channels, state, sendAt });
        await accept(database, given);
        return new Map(given.deliveries.map(({ id }) => [id, state]));
      },
    };
  });

/** Of those that lost two workers one is taken, the oldest; none by a worker that has one already. */
const claimStep = fc
  .record({ picks: fc.array(nat, { minLength: 1, maxLength: 4 }), by: owner, suspects: fc.boolean() })
  .map(
    ({ picks, by, suspects }): Step => ({
      name: `claim ${picks}${suspects ? '' : ' but no suspect'}`,
      async run(walk) {
        const rows = picks.flatMap((n) => pick(walk, n, mayBeClaimed) ?? []);
        const asked = rows.map(({ id }) => id);
        const claims = await claimDeliveries(walk.database, by, 60_000, asked, suspects);
        const [oldest] = rows.filter((row) => mayBeClaimed(row) && lostTwo(row)).sort(byId);
        const moves: Moves = new Map();
        for (const [index, row] of rows.entries()) {
          const claim = claims[index];
          const taken = mayBeClaimed(row) && (!lostTwo(row) || (suspects && row.id === oldest?.id));
          const first = asked.indexOf(row.id) === index;
          expect(claim?.kind, taken && first ? 'claimed' : mayBeClaimed(row) ? 'busy' : waitOf(row));
          if (claim?.kind !== 'claimed') continue;
          walk.claims.push(claim);
          moves.set(row.id, 'sending');
        }
        return moves;
      },
    }),
  );

function lostTwo({ interruptions, state }: Placed): boolean {
  return interruptions + (state === 'sending' ? 1 : 0) >= 2;
}

function byId(a: Placed, b: Placed): number {
  return a.id < b.id ? -1 : 1;
}

function mayBeClaimed(row: Placed): boolean {
  return row.state === 'sending' ? row.lapsed : isWaiting(row.state) && row.due;
}

function waitOf(row: Placed): string {
  if (row.state === 'sending') return 'busy';
  return isWaiting(row.state) ? 'early' : 'over';
}

const ENDS: readonly Partial<DeliveryRecord>[] = [
  { state: 'sent' },
  { state: 'retrying', dueInMs: 3_600_000, reason: 'http-503' },
  { state: 'retrying', cost: 0, reason: 'throttled' },
  { state: 'ambiguous', reason: 'timeout' },
  { state: 'dead', retryable: true, reason: 'attempts_exhausted', failure: 'exhausted' },
  { state: 'dead', retryable: true, reason: 'throttled_too_long', failure: 'throttled' },
  { state: 'dead', reason: '550', failure: 'rejected' },
  { state: 'suppressed', cost: 0, tries: [], reason: 'preference_off' },
  { state: 'cancelled', cost: 0, tries: [], reason: 'broadcast_cancelled' },
  { state: 'expired', cost: 0, tries: [], reason: 'expired' },
  { state: 'scheduled', cost: 0, tries: [], reason: 'quiet_hours', dueInMs: 3_600_000 },
];

/** Mostly under a claim that still holds, now and then under one of long ago or by somebody else. */
const recordStep = fc
  .record({
    n: nat,
    end: fc.constantFrom(...ENDS),
    by: fc.option(owner, { nil: null, freq: 1 }),
    late: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  })
  .map(({ n, end, by, late }): Step => {
    return {
      name: `record ${end.state}`,
      async run({ database, before, claims }) {
        const rows = new Map(before.deliveries.map((one) => [one.id, one]));
        const current = claims.filter(({ deliveryId, claim }) => {
          const row = rows.get(deliveryId);
          return late || (row?.state === 'sending' && row.claim === claim);
        });
        const claim = current[n % Math.max(1, current.length)];
        if (claim === undefined) return new Map();
        const row = rows.get(claim.deliveryId);
        const claimant = (late ? by : null) ?? row?.lease_owner ?? OWNERS[0];
        const [result] = await recordOutcomes(database, claimant, [recordFor(claim, end)]);
        const holds = row?.state === 'sending' && row.claim === claim.claim && row.lease_owner === claimant;
        expect(result, holds ? 'recorded' : 'superseded');
        return new Map(holds && end.state !== undefined ? [[row.id, end.state]] : []);
      },
    };
  });

const cancelStep = nat.map(
  (n): Step => ({
    name: 'cancel',
    async run(walk) {
      const tried = ({ state }: Placed) => state === 'retrying' || state === 'ambiguous';
      const target = pick(walk, n, tried)?.notification_id ?? newId();
      const moves = allTo('cancelled', walk, (one) => one.notification_id === target && isWaiting(one.state));
      const result = await cancelNotification(walk.database, target, OPS);
      const known = walk.before.notifications.some(({ id }) => id === target);
      expect(result.kind, moves.size > 0 ? 'cancelled' : known ? 'nothing_left' : 'unknown');
      return moves;
    },
  }),
);

const retryStep = fc.boolean().map(
  (includeWaiting): Step => ({
    name: `retry${includeWaiting ? ' all' : ''}`,
    async run(walk) {
      const moves = allTo('queued', walk, ({ state, retryable, round, reason }) =>
        state === 'dead'
          ? retryable && round < MAX_ROUNDS
          : includeWaiting && state === 'retrying' && reason !== 'throttled',
      );
      const seeds = await beginRetries(walk.database, { includeWaiting, limit: 100 });
      expect(seeds.map(({ deliveryId }) => deliveryId).sort(), [...moves.keys()].sort());
      return moves;
    },
  }),
);

/** An operator brings dead letters back, whatever they died of; what is not dead stays where it is. */
const replayStep = fc.record({ picks: fc.array(nat, { minLength: 1, maxLength: 3 }), rate: fc.nat(999) }).map(
  ({ picks, rate }): Step => ({
    name: `replay ${picks}`,
    async run(walk) {
      const rows = new Map(
        picks.flatMap((n) => {
          const row = pick(walk, n, ({ state }) => state === 'dead');
          return row === undefined ? [] : [[row.id, row] as const];
        }),
      );
      const dead = [...rows.values()].filter(({ state }) => state === 'dead');
      const pace = { rate: rate + 1, after: null };
      const seeds = await replayDead(walk.database, [...rows.keys()], pace);
      expect(
        seeds.map(({ deliveryId, generation }) => [deliveryId, generation]).sort(),
        dead.map(({ id, generation }) => [id, generation + 1]).sort(),
      );
      return new Map(dead.map(({ id }) => [id, 'queued']));
    },
  }),
);

const eraseStep = fc.constant<Step>({
  name: 'erase',
  async run(walk) {
    const moves = allTo('cancelled', walk, (one) => one.person_id === PERSON && isWaiting(one.state));
    const erased = await erasePerson(walk.database, PERSON, OPS);
    return erased ? moves : new Map();
  },
});

/** Time goes by: a lease runs out, or what was to wait is due. */
const timeStep = fc.record({ n: nat, lapses: fc.boolean() }).map(
  ({ n, lapses }): Step => ({
    name: lapses ? 'a lease lapses' : 'time comes',
    async run(walk) {
      const row = pick(walk, n, (one) =>
        lapses ? one.state === 'sending' : isWaiting(one.state) && !one.due,
      );
      if (row === undefined) return new Map();
      if (lapses && row.state === 'sending') await letLeaseLapse(walk.database, row.id);
      if (!lapses)
        await walk.database.rows("UPDATE delivery SET due_at = now() - interval '1 second' WHERE id = $1", [
          row.id,
        ]);
      return new Map();
    },
  }),
);

/** The reconciler gives a row another job, or comes too late to. */
const renewStep = fc.record({ n: nat, late: fc.boolean() }).map(
  ({ n, late }): Step => ({
    name: 'another job',
    async run(walk) {
      const row = pick(walk, n);
      if (row === undefined) return new Map();
      const { id, notification_id, channel, generation, state } = row;
      const seed: JobSeed = {
        deliveryId: id,
        notificationId: notification_id,
        channel,
        priority: 'normal',
        generation: late ? generation - 1 : generation,
        delayMs: 0,
      };
      const renewed = await renewGenerations(walk.database, [seed]);
      const wanted = !late && (isWaiting(state) || state === 'sending');
      expect(
        renewed.map((one) => one.generation),
        wanted ? [generation + 1] : [],
      );
      return new Map();
    },
  }),
);

const leaseStep = fc.record({ n: nat, by: owner }).map(
  ({ n, by }): Step => ({
    name: 'renew a lease',
    async run(walk) {
      const row = pick(walk, n);
      if (row === undefined) return new Map();
      const kept = await renewLeases(walk.database, by, 60_000, [row.id]);
      expect([...kept], row.state === 'sending' && row.lease_owner === by ? [row.id] : []);
      return new Map();
    },
  }),
);

/** Any step; those without which nothing else happens are more frequent. */
export const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: acceptStep },
  { weight: 10, arbitrary: claimStep },
  { weight: 12, arbitrary: recordStep },
  { weight: 2, arbitrary: cancelStep },
  { weight: 3, arbitrary: retryStep },
  { weight: 3, arbitrary: replayStep },
  { weight: 1, arbitrary: eraseStep },
  { weight: 5, arbitrary: timeStep },
  { weight: 2, arbitrary: renewStep },
  { weight: 1, arbitrary: leaseStep },
);

function expect(found: unknown, wanted: unknown): void {
  const [a, b] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (a !== b) throw new Error(`it answered ${a}, and ${b} was right`);
}
