import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Claimed } from '@belfry/shared/ledger/claim.js';
import fc from 'fast-check';
import { anyStep, type Step } from './steps.js';
import { faultsBetween, faultsOf, look } from './walk.js';
import { withLedger } from './with-ledger.js';

/** The moves that today's statements can make; a receipt from a provider will add those out of `sent`. */
const MADE = [
  ...['scheduled', 'queued', 'retrying', 'ambiguous', 'sending'].map((from) => `${from} → sending`),
  ...['sent', 'scheduled', 'retrying', 'ambiguous', 'dead', 'suppressed', 'cancelled', 'expired'].map(
    (to) => `sending → ${to}`,
  ),
  ...['scheduled', 'queued', 'retrying', 'ambiguous'].map((from) => `${from} → cancelled`),
  'retrying → queued',
  'dead → queued',
];

describe('the ledger', () => {
  const ledger = withLedger();
  const visited = new Map<string, number>();

  it('makes only legal moves, and counts right after each of them, whatever is done in whatever order', async () => {
    const walk = fc.array(anyStep, { minLength: 80, maxLength: 120, size: 'max' });
    const property = fc.asyncProperty(walk, async (steps) => {
      await ledger.one.rows('TRUNCATE notification, delivery, attempt, person, suppression CASCADE');
      const done: string[] = [];
      const claims: Claimed[] = [];
      let before = await look(ledger.one);
      for (const step of steps) {
        done.push(step.name);
        before = await take(step, before, claims).catch((error: Error) => {
          throw new Error(`${error.message}\nafter: ${done.join(', ')}`, { cause: error });
        });
      }
    });
    // One round makes every move almost always; chance must not decide whether this test passes.
    for (let round = 0; round < 5 && visited.size < MADE.length; round += 1)
      await fc.assert(property, { numRuns: 20, endOnFailure: true });
  });

  it('made every move that the walk was to make, and no other', () => {
    assert.deepEqual([...visited.keys()].sort(), MADE.toSorted());
  });

  async function take(step: Step, before: Awaited<ReturnType<typeof look>>, claims: Claimed[]) {
    const moves = await step.run({ database: ledger.one, before, claims });
    const after = await look(ledger.one);
    const was = new Map(before.deliveries.map(({ id, state }) => [id, state]));
    for (const { id, state } of after.deliveries) assert.equal(state, moves.get(id) ?? was.get(id));
    assert.deepEqual([...faultsOf(after), ...faultsBetween(before, after, visited)], []);
    return after;
  }
});
