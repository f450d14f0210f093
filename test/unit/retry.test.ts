import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Outcome } from '@belfry/shared/domain/outcome.js';
import { LONGEST_DELAY_MS, LONGEST_HOLD_MS, nextStep } from '@belfry/shared/queue/retry.js';
import fc from 'fast-check';

const POLICY = { maxAttempts: 3, baseMs: 1_000, holdMs: 300_000 };
const least = () => 0;
const most = () => 1 - Number.EPSILON;
const error = 'It did not work.';
const RETRY = { kind: 'retry', code: 'http-503', error } as const;
const AMBIGUOUS = { kind: 'ambiguous', code: 'timeout', error } as const;
const THROTTLED = { kind: 'throttled', code: 'http-429', error } as const;
const MISCONFIGURED = { kind: 'misconfigured', code: 'http-401', error } as const;

describe('the next step', () => {
  it('ends a delivery that was sent', () => {
    assert.deepEqual(nextStep({ kind: 'sent', code: '250' }, 0, 0, POLICY), {
      state: 'sent',
      reason: null,
      failure: null,
      dueInMs: 0,
      cost: 1,
      retryable: false,
    });
  });

  it('gives up what was rejected, for good and with the reason of the provider', () => {
    assert.deepEqual(nextStep({ kind: 'rejected', code: 'twilio-21211', error }, 0, 0, POLICY), {
      state: 'dead',
      reason: 'twilio-21211',
      failure: 'rejected',
      dueInMs: 0,
      cost: 1,
      retryable: false,
    });
  });

  it('puts back what our own limit kept at exactly its turn, for nothing and with its own reason', () => {
    const paced = { kind: 'throttled', code: 'paced', error, afterMs: 700 } as const;
    assert.deepEqual(nextStep(paced, 2, 0, POLICY, most), {
      state: 'retrying',
      reason: 'paced',
      failure: null,
      dueInMs: 700,
      cost: 0,
      retryable: false,
    });
    const far = { ...paced, afterMs: 10 * LONGEST_DELAY_MS };
    assert.equal(nextStep(far, 0, 0, POLICY).dueInMs, LONGEST_DELAY_MS);
    assert.equal(nextStep(paced, 0, LONGEST_HOLD_MS + 1, POLICY).state, 'dead');
  });

  it('holds what wrong settings keep until somebody looks again, where that is known', () => {
    assert.equal(nextStep(MISCONFIGURED, 0, 0, POLICY).dueInMs, POLICY.holdMs);
    assert.equal(nextStep({ ...MISCONFIGURED, afterMs: 1_500 }, 0, 0, POLICY).dueInMs, 1_500);
  });

  it('doubles the delay with every attempt, with full jitter', () => {
    const patient = { ...POLICY, maxAttempts: 100 };
    for (const [attempts, ceiling] of [
      [0, 1_000],
      [1, 2_000],
      [2, 4_000],
      [5, 32_000],
      [90, LONGEST_DELAY_MS],
    ] as const) {
      assert.equal(nextStep(RETRY, attempts, 0, patient, least).dueInMs, 0);
      assert.equal(nextStep(RETRY, attempts, 0, patient, most).dueInMs, ceiling - 1);
    }
  });

  it('keeps apart what was not taken and what may have been', () => {
    assert.deepEqual(nextStep(RETRY, 0, 0, POLICY, least), {
      state: 'retrying',
      reason: 'http-503',
      failure: null,
      dueInMs: 0,
      cost: 1,
      retryable: false,
    });
    assert.equal(nextStep(AMBIGUOUS, 0, 0, POLICY, least).state, 'ambiguous');
  });

  it('gives up when the attempts are used up, and says that another round may help', () => {
    for (const [outcome, failure] of [
      [RETRY, 'exhausted'],
      [AMBIGUOUS, 'uncertain'],
    ] as const) {
      assert.notEqual(nextStep(outcome, 1, 0, POLICY).state, 'dead');
      assert.deepEqual(nextStep(outcome, 2, 0, POLICY), {
        state: 'dead',
        reason: 'attempts_exhausted',
        failure,
        dueInMs: 0,
        cost: 1,
        retryable: true,
      });
    }
  });

  it('never comes sooner than the provider asks, and adds jitter so that not all come at once', () => {
    assert.equal(nextStep({ ...RETRY, afterMs: 7_000 }, 0, 0, POLICY, least).dueInMs, 7_000);
    assert.equal(nextStep({ ...RETRY, afterMs: 7_000 }, 0, 0, POLICY, most).dueInMs, 7_999);
    assert.equal(nextStep({ ...THROTTLED, afterMs: 7_000 }, 0, 0, POLICY, least).dueInMs, 7_000);
    assert.equal(nextStep(THROTTLED, 0, 0, POLICY, least).dueInMs, POLICY.baseMs);
  });

  it('costs no attempt when it was too fast or our settings are wrong, however often', () => {
    for (const outcome of [THROTTLED, MISCONFIGURED]) {
      const step = nextStep(outcome, 2, LONGEST_HOLD_MS, POLICY);
      assert.equal(step.cost, 0);
      assert.equal(step.state, 'retrying');
      assert.equal(step.reason, outcome.kind);
    }
    assert.equal(nextStep(MISCONFIGURED, 0, 0, POLICY).dueInMs, POLICY.holdMs);
  });

  it('gives up what was held for three days, so that nothing waits for ever', () => {
    for (const [outcome, reason, failure] of [
      [THROTTLED, 'throttled_too_long', 'throttled'],
      [MISCONFIGURED, 'misconfigured', 'misconfigured'],
    ] as const) {
      assert.deepEqual(nextStep(outcome, 0, LONGEST_HOLD_MS + 1, POLICY), {
        state: 'dead',
        reason,
        failure,
        dueInMs: 0,
        cost: 0,
        retryable: true,
      });
    }
  });

  it('keeps within its bounds for every outcome, wish and policy', () => {
    const afterMs = fc.option(fc.integer({ min: 0, max: 10 * LONGEST_DELAY_MS }), { nil: null });
    const outcome = fc
      .tuple(fc.constantFrom<Outcome>(RETRY, AMBIGUOUS, THROTTLED, MISCONFIGURED), afterMs)
      .map(([one, wish]): [Outcome, number] =>
        wish !== null && (one.kind === 'retry' || one.kind === 'throttled')
          ? [{ ...one, afterMs: wish }, wish]
          : [one, 0],
      );
    const policy = fc.record({
      maxAttempts: fc.integer({ min: 1, max: 100 }),
      baseMs: fc.integer({ min: 1, max: 3_600_000 }),
      holdMs: fc.integer({ min: 100, max: LONGEST_DELAY_MS }),
    });
    fc.assert(
      fc.property(
        outcome,
        fc.nat(200),
        fc.nat(2 * LONGEST_HOLD_MS),
        policy,
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        ([one, wish], attempts, heldMs, given, random) => {
          const step = nextStep(one, attempts, heldMs, given, () => random);
          assert.ok(Number.isInteger(step.dueInMs) && step.dueInMs >= 0 && step.dueInMs <= LONGEST_DELAY_MS);
          assert.equal(step.cost, one.kind === 'retry' || one.kind === 'ambiguous' ? 1 : 0);
          const givenUp = step.cost === 1 ? attempts + 1 >= given.maxAttempts : heldMs > LONGEST_HOLD_MS;
          assert.equal(step.state === 'dead', givenUp);
          assert.equal(step.retryable, givenUp);
          if (!givenUp) assert.ok(step.dueInMs >= Math.min(wish, LONGEST_DELAY_MS));
        },
      ),
    );
  });
});
