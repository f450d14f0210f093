import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { type Answer, type Breaker, createBreaker } from '@belfry/channels/breaker.js';
import type { Outcome } from '@belfry/shared/domain/outcome.js';

const SENT: Outcome = { kind: 'sent', code: '250' };
const FAILED: Outcome = { kind: 'retry', code: 'http-500', error: 'As scripted.' };
const REFUSED: Outcome = { kind: 'misconfigured', code: '535', error: 'As scripted.' };
const ORDINARY = { forced: false, recalled: false };
const HOLD_MS = 300_000;

/** Runs `work` on a clock of its own. */
async function onClock(work: (pass: (ms: number) => void) => Promise<void>): Promise<void> {
  mock.timers.enable({ apis: ['Date'], now: Date.parse('2026-03-01T10:00:00Z') });
  try {
    await work((ms) => mock.timers.tick(ms));
  } finally {
    mock.timers.reset();
  }
}

/** A die that falls in the same way every time (mulberry32). */
function die(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const answers = (outcome: Outcome) => async (): Promise<Answer> => outcome;
const what = (answer: Answer) => ('refused' in answer ? answer.refused : answer.code);

async function times(count: number, breaker: Breaker, outcome: Outcome): Promise<string[]> {
  const said: string[] = [];
  for (let n = 0; n < count; n += 1) said.push(what(await breaker.run(ORDINARY, answers(outcome))));
  return said;
}

describe('the breaker of an account', () => {
  for (const [rate, processes] of [
    [2, 1],
    [3, 2],
    [5, 3],
    [20, 2],
    [200, 4],
    [400, 8],
  ] as const) {
    it(`gives an account that fails every second time less than a tenth after a minute, at ${rate}/s over ${processes} processes`, () =>
      onClock(async (pass) => {
        for (const seed of [1, 2, 3]) {
          const roll = die(seed);
          const fleet = Array.from({ length: processes }, () =>
            createBreaker({ holdMs: HOLD_MS, random: roll }),
          );
          let asked = 0;
          let all = 0;
          for (let n = 0; n < rate * 180; n += 1) {
            pass(1_000 / rate);
            const breaker = fleet[Math.floor(roll() * processes)];
            assert.ok(breaker);
            const answer = await breaker.run(ORDINARY, answers(roll() < 0.5 ? FAILED : SENT));
            if (n < rate * 60) continue;
            all += 1;
            if (!('refused' in answer)) asked += 1;
          }
          assert.ok(asked < all / 10, `seed ${seed}: ${asked} of ${all}`);
          assert.ok(asked > 0, 'and is not forgotten');
        }
      }));
  }

  it('stays closed for one that fails now and then', () =>
    onClock(async (pass) => {
      const roll = die(7);
      let opened = 0;
      const breaker = createBreaker({ holdMs: HOLD_MS, random: roll, onChange: () => opened++ });
      for (let n = 0; n < 2_000; n += 1) {
        pass(50);
        await breaker.run(ORDINARY, answers(roll() < 0.03 ? FAILED : SENT));
      }
      assert.equal(opened, 0);
    }));

  for (const [name, outcome] of [
    ['was rejected', { kind: 'rejected', code: '550', error: 'x' }],
    ['was throttled', { kind: 'throttled', code: 'http-429', error: 'x' }],
    ['met a full mailbox', { kind: 'retry', code: '452 4.2.2', error: 'x' }],
    ['met a busy mailbox', { kind: 'retry', code: '450', error: 'x' }],
    ['was called off by its own worker', { kind: 'ambiguous', code: 'aborted', error: 'x' }],
  ] as const) {
    it(`is not opened by what ${name}`, () =>
      onClock(async () => {
        const breaker = createBreaker({ holdMs: HOLD_MS });
        await times(100, breaker, outcome);
        assert.equal(breaker.standing().state, 'closed');
      }));
  }

  for (const outcome of [
    { kind: 'retry', code: '421', error: 'x' },
    { kind: 'retry', code: 'ECONNREFUSED', error: 'x' },
    { kind: 'retry', code: '451 4.3.0', error: 'x' },
    { kind: 'ambiguous', code: 'timeout', error: 'x' },
    { kind: 'ambiguous', code: 'http-504', error: 'x' },
  ] as const) {
    it(`is opened by ${outcome.kind} ${outcome.code}, and says why`, () =>
      onClock(async () => {
        const breaker = createBreaker({ holdMs: HOLD_MS });
        assert.deepEqual(await times(10, breaker, outcome), [
          ...Array<string>(8).fill(outcome.code),
          'failing',
          'failing',
        ]);
        const { state, code } = breaker.standing();
        assert.deepEqual([state, code], ['open', outcome.code]);
      }));
  }

  it('lets one message find out, and then all, but counts as open until ten have gone well', () =>
    onClock(async (pass) => {
      const changes: string[] = [];
      const breaker: Breaker = createBreaker({
        holdMs: HOLD_MS,
        onChange: () => changes.push(breaker.standing().state),
      });
      await times(8, breaker, FAILED);
      pass(3_000);
      let finish = (_: Outcome) => {};
      const first = breaker.run(ORDINARY, () => new Promise<Outcome>((resolve) => (finish = resolve)));
      assert.deepEqual(await times(3, breaker, SENT), Array<string>(3).fill('failing'));
      finish(SENT);
      assert.equal(what(await first), '250');
      assert.deepEqual(await times(9, breaker, SENT), Array<string>(9).fill('250'));
      assert.deepEqual(changes, ['open']);
      await times(1, breaker, SENT);
      assert.deepEqual(changes, ['open', 'closed']);
    }));

  it('can be asked all the same when nobody else is left, and closes by that', () =>
    onClock(async (pass) => {
      const breaker = createBreaker({ holdMs: HOLD_MS });
      await times(8, breaker, FAILED);
      const forced = { ...ORDINARY, forced: true };
      assert.equal(what(await breaker.run(forced, answers(FAILED))), 'http-500');
      pass(3_000);
      for (let n = 0; n < 11; n += 1) await breaker.run(forced, answers(SENT));
      assert.equal(breaker.standing().state, 'closed');
    }));
});

describe('an account that refuses our settings', () => {
  it('is asked by nobody until it is time to look, and then by one', () =>
    onClock(async (pass) => {
      const changes: string[] = [];
      const breaker: Breaker = createBreaker({
        holdMs: HOLD_MS,
        onChange: () => changes.push(breaker.standing().state),
      });
      assert.deepEqual(await times(1, breaker, REFUSED), ['535']);
      const refusal = breaker.refusal({ ...ORDINARY, forced: true });
      assert.deepEqual(refusal, { refused: 'misconfigured', code: '535', afterMs: HOLD_MS });
      pass(HOLD_MS - 1);
      assert.deepEqual(await times(1_000, breaker, SENT), Array<string>(1_000).fill('misconfigured'));
      pass(1);
      assert.deepEqual(await times(1_000, breaker, REFUSED), [
        '535',
        ...Array<string>(999).fill('misconfigured'),
      ]);
      pass(HOLD_MS);
      let finish = (_: Outcome) => {};
      const looking = breaker.run(ORDINARY, () => new Promise<Outcome>((resolve) => (finish = resolve)));
      const waiting = await breaker.run(ORDINARY, answers(SENT));
      assert.ok('refused' in waiting && waiting.refused === 'misconfigured' && waiting.afterMs <= 2_000);
      finish(SENT);
      await looking;
      assert.deepEqual(await times(3, breaker, SENT), ['250', '250', '250']);
      assert.deepEqual(changes, ['misconfigured', 'closed'], 'once each, whoever asked meanwhile');
    }));

  it('is looked at sooner by a message that somebody wants tried again, though not by each of a thousand', () =>
    onClock(async (pass) => {
      const breaker = createBreaker({ holdMs: HOLD_MS });
      const recalled = { ...ORDINARY, recalled: true };
      await times(1, breaker, REFUSED);
      let asked = 0;
      for (let n = 0; n < 1_000; n += 1) {
        await breaker.run(recalled, async () => {
          asked += 1;
          return REFUSED;
        });
      }
      assert.equal(asked, 1);
      pass(10_000);
      assert.equal(what(await breaker.run(recalled, answers(SENT))), '250');
      assert.equal(breaker.standing().state, 'closed');
    }));
});
