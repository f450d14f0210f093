import type { DeliveryState } from '../domain/delivery-state.js';
import type { FailureClass } from '../domain/failure.js';
import { CALLED_OFF, type Outcome, PACED } from '../domain/outcome.js';

/** The settings that decide when something is tried again. */
export interface RetryPolicy {
  /** Tries in one round (`MAX_ATTEMPTS`). */
  readonly maxAttempts: number;
  /** The first delay's upper bound (`RETRY_BASE_MS`); it doubles with every attempt. */
  readonly baseMs: number;
  /** How long a delivery is held while the settings are wrong (`RETRY_SWEEP_MS`). */
  readonly holdMs: number;
}

/** Where a delivery goes after an attempt, and when. */
export interface NextStep {
  readonly state: Extract<DeliveryState, 'sent' | 'retrying' | 'ambiguous' | 'dead'>;
  readonly reason: string | null;
  readonly dueInMs: number;
  readonly cost: 0 | 1;
  /** Dead for lack of attempts: the sweep or a retry may begin another round. */
  readonly retryable: boolean;
  /** Why it is dead; null in every other state. */
  readonly failure: FailureClass | null;
}

/** No delay is longer than this, whatever a provider asks for. */
export const LONGEST_DELAY_MS = 60 * 60 * 1000;
/** What costs no attempt (throttled, misconfigured) is given up after this long, so that nothing waits for ever. */
export const LONGEST_HOLD_MS = 3 * 24 * 60 * 60 * 1000;

/**
 * The one place that says when. Exponential backoff with full jitter, as in "Exponential Backoff And Jitter" of the AWS
 * Architecture Blog, never sooner than the provider's own `Retry-After`.
 *
 * @param attempts tries that counted before this one; @param heldMs how long ago this round's first try began.
 */
export function nextStep(
  outcome: Outcome,
  attempts: number,
  heldMs: number,
  policy: RetryPolicy,
  random: () => number = Math.random,
): NextStep {
  const over = { dueInMs: 0, retryable: false, failure: null } as const;
  const later = { retryable: false, failure: null } as const;
  switch (outcome.kind) {
    case 'sent':
      return { ...over, state: 'sent', reason: null, cost: 1 };
    case 'rejected':
      return { ...over, state: 'dead', reason: outcome.code, cost: 1, failure: 'rejected' };
    case 'retry':
    case 'ambiguous': {
      const state = outcome.kind === 'retry' ? 'retrying' : 'ambiguous';
      // Called off by us, when a worker stops or lost its lease: nobody's fault, so it costs nothing.
      if (outcome.code === CALLED_OFF && heldMs <= LONGEST_HOLD_MS) {
        return { ...later, state, reason: outcome.code, dueInMs: 0, cost: 0 };
      }
      if (attempts + 1 >= policy.maxAttempts) {
        const failure = outcome.kind === 'retry' ? 'exhausted' : 'uncertain';
        return { ...over, state: 'dead', reason: 'attempts_exhausted', cost: 1, retryable: true, failure };
      }
      const wish = outcome.kind === 'retry' ? outcome.afterMs : undefined;
      const dueInMs = backoff(attempts + 1, wish, policy.baseMs, random);
      return { ...later, state, reason: outcome.code, dueInMs, cost: 1 };
    }
    case 'throttled': {
      if (heldMs > LONGEST_HOLD_MS) {
        const failure = 'throttled';
        return { ...over, state: 'dead', reason: 'throttled_too_long', cost: 0, retryable: true, failure };
      }
      // Our own limit has spread out already who comes when.
      if (outcome.code === PACED) {
        const dueInMs = Math.min(LONGEST_DELAY_MS, outcome.afterMs ?? policy.baseMs);
        return { ...later, state: 'retrying', reason: PACED, dueInMs, cost: 0 };
      }
      const dueInMs = backoff(2, outcome.afterMs ?? policy.baseMs, policy.baseMs, random);
      return { ...later, state: 'retrying', reason: 'throttled', dueInMs, cost: 0 };
    }
    case 'misconfigured': {
      if (heldMs > LONGEST_HOLD_MS) {
        const failure = 'misconfigured';
        return { ...over, state: 'dead', reason: 'misconfigured', cost: 0, retryable: true, failure };
      }
      const dueInMs = outcome.afterMs ?? policy.holdMs;
      return { ...later, state: 'retrying', reason: 'misconfigured', dueInMs, cost: 0 };
    }
  }
}

/** A delay in milliseconds before try `attempt + 1`: the provider's wish plus a jittered, doubling part of our own. */
function backoff(attempt: number, wishMs: number | undefined, baseMs: number, random: () => number): number {
  const ceiling = Math.min(LONGEST_DELAY_MS, baseMs * 2 ** (attempt - 1));
  return Math.min(LONGEST_DELAY_MS, Math.max(0, wishMs ?? 0) + Math.floor(random() * ceiling));
}
