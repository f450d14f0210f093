import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CHANNELS, PRIORITIES } from '@belfry/shared/domain/channel.js';
import {
  concurrencyOf,
  DELIVERY_QUEUES,
  partsOf,
  queueOf,
  selectQueues,
} from '@belfry/shared/queue/topology.js';
import fc from 'fast-check';

describe('the queues', () => {
  it('are one for each channel and priority, without a colon, and can be taken apart again', () => {
    assert.equal(new Set(DELIVERY_QUEUES).size, CHANNELS.length * PRIORITIES.length);
    for (const name of DELIVERY_QUEUES) {
      assert.ok(!name.includes(':'));
      assert.equal(queueOf(partsOf(name)), name);
    }
  });
});

describe('the concurrency of a channel', () => {
  it('is shared out 8:4:2:1', () => {
    assert.deepEqual(
      PRIORITIES.map((priority) => concurrencyOf(priority, 30)),
      [16, 8, 4, 2],
    );
  });

  it('leaves every priority at least one, gives the more urgent no less, and is not exceeded when there is enough', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000 }), (channel) => {
        const shares = PRIORITIES.map((priority) => concurrencyOf(priority, channel));
        assert.ok(shares.every((share) => Number.isInteger(share) && share >= 1));
        assert.deepEqual(
          shares,
          shares.toSorted((a, b) => b - a),
        );
        if (channel >= 15) assert.ok(shares.reduce((sum, share) => sum + share, 0) <= channel);
      }),
    );
  });
});

describe('WORKER_QUEUES', () => {
  for (const [patterns, count, upkeep] of [
    ['*', DELIVERY_QUEUES.length, true],
    ['email.*', 4, false],
    ['*.critical', 5, false],
    ['email.*,*.critical,upkeep', 8, true],
    [' sms.high , sms.high ', 1, false],
    ['upkeep', 0, true],
    ['e*.c*l', 1, false],
    ['**', DELIVERY_QUEUES.length, true],
    ['', 0, false],
  ] as const) {
    it(`"${patterns}" chooses ${count} queues${upkeep ? ' and the upkeep' : ''}`, () => {
      const chosen = selectQueues(patterns);
      assert.deepEqual(
        [chosen.queues.length, new Set(chosen.queues).size, chosen.upkeep, chosen.unknown],
        [count, count, upkeep, []],
      );
    });
  }

  it('names the patterns that match nothing', () => {
    assert.deepEqual(selectQueues('email.*,fax.*,email,EMAIL.high,').unknown, [
      'fax.*',
      'email',
      'EMAIL.high',
    ]);
  });

  it('means by * any run of characters, and nothing else by any other', () => {
    const piece = fc.constantFrom(
      '*',
      'e',
      'email',
      '.',
      'high',
      'critical',
      'sms',
      'l',
      'c',
      '[',
      '.*',
      '+',
    );
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 5 }), (pieces) => {
        const pattern = pieces.join('');
        const literal = pattern.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
        const model = new RegExp(`^${literal.join('.*')}$`);
        assert.deepEqual(
          selectQueues(pattern).queues,
          DELIVERY_QUEUES.filter((name) => model.test(name)),
        );
      }),
    );
  });
});
