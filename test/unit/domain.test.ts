import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  DELIVERY_STATES,
  type DeliveryState,
  isLegalMove,
  LEGAL_MOVES,
  OPEN_STATES,
  STATUSES,
  statusOf,
  WAITING_STATES,
} from '@belfry/shared/domain/delivery-state.js';
import { isId, jobId, newId } from '@belfry/shared/domain/ids.js';
import { maskAddress } from '@belfry/shared/domain/mask.js';
import { deliveryJob, jobFor } from '@belfry/shared/queue/jobs.js';
import fc from 'fast-check';

const anyStates = fc.array(fc.constantFrom(...DELIVERY_STATES), { maxLength: 6 });

describe('the status of a notification', () => {
  for (const [states, status] of [
    [[], 'FAILED'],
    [['skipped'], 'FAILED'],
    [['suppressed', 'expired'], 'FAILED'],
    [['sent'], 'SENT'],
    [['delivered', 'skipped', 'suppressed'], 'SENT'],
    [['sent', 'dead'], 'FAILED'],
    [['sent', 'cancelled'], 'SENT'],
    [['cancelled', 'skipped'], 'CANCELLED'],
    [['cancelled', 'dead'], 'FAILED'],
    [['dead', 'retrying'], 'PENDING'],
    [['sent', 'ambiguous'], 'PENDING'],
    [['scheduled'], 'PENDING'],
  ] as const) {
    it(`of [${states.join(', ')}] is ${status}`, () => {
      assert.equal(statusOf(states), status);
    });
  }

  it('does not depend on the order of the deliveries, nor on channels that were not used', () => {
    fc.assert(
      fc.property(anyStates, (states) => {
        const status = statusOf(states);
        assert.ok(STATUSES.includes(status));
        assert.equal(statusOf(states.toReversed()), status);
        assert.equal(statusOf([...states, 'skipped']), status);
        assert.equal(
          status === 'PENDING',
          states.some((state) => OPEN_STATES.some((open) => open === state)),
        );
      }),
    );
  });
});

describe('the legal moves', () => {
  it('leave an open state always, and an end only where a replay or a receipt may', () => {
    const open: readonly DeliveryState[] = OPEN_STATES;
    for (const state of DELIVERY_STATES.filter((one) => !open.includes(one))) {
      const ways = LEGAL_MOVES[state];
      assert.deepEqual(ways, { dead: ['queued'], sent: ['delivered', 'dead'] }[String(state)] ?? []);
    }
    for (const state of open) assert.ok(LEGAL_MOVES[state].some((next) => !open.includes(next)));
  });

  it('let every waiting delivery be claimed or cancelled', () => {
    for (const state of WAITING_STATES) {
      assert.ok(isLegalMove(state, 'sending'));
      assert.ok(isLegalMove(state, 'cancelled'));
    }
  });

  it('reach every state from the two in which a delivery is born, but for the one in which it is born unused', () => {
    const reached = new Set<DeliveryState>(['scheduled', 'queued', 'skipped']);
    for (const state of reached) for (const next of LEGAL_MOVES[state]) reached.add(next);
    assert.deepEqual(
      DELIVERY_STATES.filter((state) => !reached.has(state)),
      [],
    );
  });
});

describe('ids', () => {
  it('sort by the order in which they were made', () => {
    const made = Array.from({ length: 2_000 }, newId);
    assert.deepEqual(made.toSorted(), made);
    assert.equal(new Set(made).size, made.length);
    assert.ok(made.every(isId));
  });

  for (const text of [
    '',
    'x',
    '0190d3e2-1111-7111-8111-11111111111',
    "0190d3e2-1111-7111-8111-111111111111'",
    '\n',
  ]) {
    it(`refuse ${JSON.stringify(text)}`, () => assert.equal(isId(text), false));
  }
});

describe('the job of a delivery', () => {
  const seed = {
    deliveryId: newId(),
    notificationId: newId(),
    channel: 'email',
    priority: 'high',
    generation: 1,
    delayMs: 0.2,
  } as const;

  it('has a name of its own in every generation, without a colon', () => {
    const names = [1, 2, 3, 11].map((generation) => jobId(seed.deliveryId, generation));
    assert.deepEqual(names, [seed.deliveryId, ...[2, 3, 11].map((n) => `${seed.deliveryId}-g${n}`)]);
    assert.ok(names.every((name) => !name.includes(':')));
  });

  it('holds ids and nothing else, and never rings before its time', () => {
    const job = jobFor(seed, 3);
    assert.deepEqual(job.data, { v: 1, delivery_id: seed.deliveryId, notification_id: seed.notificationId });
    assert.equal(job.opts.attempts, 3);
    assert.equal(job.opts.delay, 1);
    assert.ok(deliveryJob.safeParse(job.data).success);
    assert.ok(!deliveryJob.safeParse({ ...job.data, v: 2 }).success);
  });
});

describe('a masked address', () => {
  for (const [address, masked] of [
    ['abebe@example.org', 'a***e@example.org'],
    ['a@example.org', 'a***@example.org'],
    ['ab@example.org', 'a***@example.org'],
    ['+251911000001', '+2519*****001'],
    ['+1234567', '+***'],
    ['user-7', 'user-7'],
  ] as const) {
    it(`of ${address} is ${masked}`, () => assert.equal(maskAddress(address), masked));
  }

  it('never shows the address, nor how long its hidden part is', () => {
    const local = fc.string({ minLength: 1, maxLength: 40, unit: fc.constantFrom(...'abcxyz019._-+') });
    fc.assert(
      fc.property(local, (name) => {
        const masked = maskAddress(`${name}@example.org`);
        assert.notEqual(masked, `${name}@example.org`);
        assert.ok(name.length === 1 || !masked.split('@')[0]?.includes(name));
        assert.ok(masked.length <= 'a*****z@example.org'.length);
      }),
    );
  });
});
