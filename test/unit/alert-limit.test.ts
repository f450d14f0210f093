import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { limits } from '@belfry/shared/config/fields.js';
import { builtInPolicy, type EscalationPolicy, stepAfter } from '@belfry/shared/domain/alert.js';
import {
  type AlertLimit,
  freeAt,
  letPass,
  MOST_FIRSTS,
  type PassBook,
} from '@belfry/shared/domain/alert-limit.js';
import fc from 'fast-check';

const SMS: readonly AlertLimit[] = [
  { points: 1, seconds: 60 },
  { points: 5, seconds: 900 },
];
const EMPTY: PassBook = { passes: {}, origins: {} };
const passed = (...times: readonly number[]): PassBook => ({
  passes: Object.fromEntries(times.map((at, n) => [`n${n}`, at])),
  origins: {},
});

describe('the limit of alerts', () => {
  it('frees when the oldest that counts is out of its window, the latest of all windows', () => {
    assert.equal(freeAt(SMS, EMPTY, 1_000), 1_000);
    assert.equal(freeAt(SMS, passed(990), 1_000), 1_050);
    assert.equal(freeAt(SMS, passed(900), 1_000), 1_000);
    assert.equal(freeAt(SMS, passed(100, 200, 300, 400, 500), 600), 1_000);
    assert.equal(freeAt(SMS, passed(100, 200, 300, 400, 980), 985), 1_040);
    assert.equal(freeAt([], passed(999), 1_000), 1_000);
  });

  it('never holds back the first of an origin, and of a known one as many as are too many', () => {
    const asking = ['a', 'a', 'b', 'a', 'c'].map((origin, n) => ({ notificationId: String(n), origin }));
    const { book, passed } = letPass(EMPTY, asking, { limits: SMS, bundling: false, now: 1_000 });
    assert.deepEqual([...passed], ['0', '2', '4']);
    assert.deepEqual(book.origins, { a: 1_000, b: 1_000, c: 1_000 });
    const later = { limits: SMS, bundling: false, now: 1_061 };
    assert.deepEqual([...letPass(book, [{ notificationId: '9', origin: 'a' }], later).passed], ['9']);
  });

  it('lets no more first ones pass than may be, so that new origins for each alert are of no use, and its row stays small', () => {
    let book = EMPTY;
    const passing: string[] = [];
    for (let n = 0; n < 100; n += 1) {
      const asking = [{ notificationId: `n${n}`, origin: `made up ${n}` }];
      const step = letPass(book, asking, { limits: SMS, bundling: false, now: 1_000 + n });
      book = step.book;
      passing.push(...step.passed);
    }
    assert.deepEqual(
      passing,
      Array.from({ length: MOST_FIRSTS }, (_, n) => `n${n}`),
    );
    assert.equal(Object.keys(book.origins).length, MOST_FIRSTS);
    const later = { limits: SMS, bundling: false, now: 2_000 };
    assert.equal(letPass(book, [{ notificationId: 'x', origin: 'x' }], later).passed.size, 1);
  });

  it('takes an origin for what it is, also when it is called like a member of every object', () => {
    for (const origin of ['constructor', '__proto__', 'toString']) {
      const known = passed(990);
      const ask = [{ notificationId: 'x', origin }];
      const { book, passed: may } = letPass(known, ask, { limits: SMS, bundling: true, now: 1_000 });
      assert.deepEqual([...may], ['x'], origin);
      const again = [{ notificationId: 'y', origin }];
      assert.equal(letPass(book, again, { limits: SMS, bundling: true, now: 1_000 }).passed.size, 0, origin);
    }
  });

  it('lets pass again who has passed, and nobody past what is held back already', () => {
    const book: PassBook = { passes: { old: 100 }, origins: { a: 100 } };
    const ask = (...ids: readonly string[]) => ids.map((notificationId) => ({ notificationId, origin: 'a' }));
    const at = { limits: SMS, now: 500 };
    assert.deepEqual([...letPass(book, ask('old', 'new'), { ...at, bundling: true }).passed], ['old']);
    assert.deepEqual([...letPass(book, ask('new'), { ...at, bundling: false }).passed], ['new']);
  });

  it('forgets what no window looks back to, so that its row stays small', () => {
    const book: PassBook = { passes: { old: 99, young: 101 }, origins: { a: 99, b: 101 } };
    const { book: kept } = letPass(book, [], { limits: SMS, bundling: false, now: 1_000 });
    assert.deepEqual(kept, { passes: { young: 101 }, origins: { b: 101 } });
  });

  it('holds in every window, whatever comes when, but for the first of each origin', () => {
    const moments = fc.array(
      fc.record({ wait: fc.integer({ min: 0, max: 200 }), origin: fc.constantFrom('a', 'b', 'c') }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(moments, (given) => {
        let [book, now] = [EMPTY, 10_000];
        const all: number[] = [];
        for (const [n, { wait, origin }] of given.entries()) {
          now += wait;
          const first = (book.origins[origin] ?? 0) <= now - 900;
          const asking = [{ notificationId: String(n), origin }];
          const step = letPass(book, asking, { limits: SMS, bundling: false, now });
          book = step.book;
          if (step.passed.size === 0) {
            assert.ok(!first, 'the first of an origin was held back');
            continue;
          }
          all.push(now);
          for (const { points, seconds } of SMS) {
            const within = all.filter((at) => at > now - seconds).length;
            assert.ok(first || within <= points, `${within} within ${seconds} s`);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is read from a setting, of one window or several, or is off', () => {
    assert.deepEqual(limits.parse('1/60s,5/900s'), SMS);
    assert.deepEqual(limits.parse('off'), []);
    for (const wrong of ['', '1/60', '0/60s', '1/0s', '1/60s,', '1/60s;5/900s', 'off,1/60s'])
      assert.equal(limits.safeParse(wrong).success, false, wrong);
  });
});

describe('the steps of a policy', () => {
  it('come in order, and again as often as they repeat', () => {
    const steps = ['a', 'b', 'c'].map((name, n) => ({ name, after_ms: n, notify: { admins: true } }));
    const policy: EscalationPolicy = { name: 'p', steps, repeat: 2 };
    const names = Array.from({ length: 11 }, (_, taken) => stepAfter(policy, taken)?.name ?? null);
    assert.deepEqual(names.join(''), 'abcabcabc');
    assert.equal(stepAfter({ ...policy, repeat: 0 }, 3), null);
    assert.equal(stepAfter({ ...policy, steps: [] }, 0), null);
  });

  it('that are built in are three, as far apart as the setting says', () => {
    const policy = builtInPolicy(700);
    assert.deepEqual(
      [0, 1, 2, 3].map((taken) => stepAfter(policy, taken)?.after_ms),
      [700, 700, 700, undefined],
    );
  });
});
