import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { glanceAt } from '@belfry/api/metrics/glance.js';

const LONG = 600_000;
/** Answers at once, unless the test holds them back. */
function question() {
  const asked: { answer(value: number): void; fail(): void }[] = [];
  const ask = () =>
    new Promise<number>((resolve, reject) => {
      asked.push({ answer: resolve, fail: () => reject(new Error('away')) });
    });
  return { asked, ask };
}

describe('a glance', () => {
  it('asks once for all who ask at the same time, and keeps the answer while it is fresh', async () => {
    const { asked, ask } = question();
    const glance = glanceAt(ask, { freshMs: LONG, patienceMs: LONG, usableMs: LONG });
    const answers = [glance(), glance(), glance()];
    asked[0]?.answer(7);
    assert.deepEqual(await Promise.all(answers), [7, 7, 7]);
    assert.equal(await glance(), 7);
    assert.equal(asked.length, 1);
  });

  it('asks again when the answer is old', async () => {
    const { asked, ask } = question();
    const glance = glanceAt(ask, { freshMs: 0, patienceMs: LONG, usableMs: LONG });
    for (const value of [1, 2]) {
      const answer = glance();
      asked.at(-1)?.answer(value);
      assert.equal(await answer, value);
    }
  });

  it('has no answer when asking failed, not even the one from before', async () => {
    const { asked, ask } = question();
    const glance = glanceAt(ask, { freshMs: 0, patienceMs: LONG, usableMs: LONG });
    const first = glance();
    asked[0]?.answer(1);
    assert.equal(await first, 1);
    const second = glance();
    asked[1]?.fail();
    assert.equal(await second, null);
  });

  it('keeps nobody waiting for a slow answer, gives the one from before, and asks no second time meanwhile', async () => {
    const { asked, ask } = question();
    const glance = glanceAt(ask, { freshMs: 0, patienceMs: 5, usableMs: LONG });
    assert.equal(await glance(), null);
    assert.equal(await glance(), null);
    assert.equal(asked.length, 1);
    asked[0]?.answer(1);
    assert.equal(await glance(), 1);
    assert.equal(await glance(), 1, 'while the second is on its way');
    assert.equal(asked.length, 2);
    asked[1]?.answer(2);
  });
});
