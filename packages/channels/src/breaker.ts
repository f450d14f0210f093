import { CALLED_OFF, type Outcome } from '@belfry/shared/domain/outcome.js';
import type { ProviderStanding } from '@belfry/shared/domain/provider-standing.js';
import { BrokenCircuitError, CircuitState, CountBreaker, circuitBreaker, handleWhenResult } from 'cockatiel';
import { isProvidersFault } from './classify.js';
import type { Slower } from './pace.js';
import { growingPause, onTrial } from './readmission.js';

/** Why an account is not asked now. */
export type Refusal =
  /** It fails too often; others go first. */
  | { readonly refused: 'failing' }
  /** It refuses our settings; `afterMs` is when somebody will look again. */
  | { readonly refused: 'misconfigured'; readonly code: string; readonly afterMs: number };

/** How an account has answered, or why it was not asked. */
export type Answer = Outcome | Refusal | Slower;

export interface Ask {
  /** Nobody else is left: ask it even if it fails too often. */
  readonly forced: boolean;
  /** Somebody wants this message tried again now, maybe because the settings were mended. */
  readonly recalled: boolean;
}

/** Keeps what is sent away from an account that does not work, and finds out when it does again. One for each account and process. */
export interface Breaker {
  /** Why the account should not be asked now; undefined when it may. Changes nothing. */
  refusal(ask: Ask): Refusal | undefined;
  /** Asks the account and learns from its answer, unless it is not to be asked any more. */
  run(ask: Ask, work: () => Promise<Answer>): Promise<Answer>;
  standing(): Pick<ProviderStanding, 'state' | 'code' | 'since'>;
}

export interface BreakerOptions {
  /** How long an account is left alone that refuses our settings, in milliseconds. */
  readonly holdMs: number;
  /** Called when the standing has changed. */
  readonly onChange?: () => void;
  readonly random?: () => number;
}

/** Opens when more than a quarter of the last 20 calls failed, and there were at least eight. */
const WINDOW = { threshold: 0.25, size: 20, minimumNumberOfCalls: 8 };
/** How soon something comes back that waits for the answer of the one that was let through to look. */
const LOOKING_MS = 2_000;
/** However often somebody asks for another try, settings that were refused are tried no more often than this. */
const RECALL_PAUSE_MS = 10_000;

export function createBreaker({ holdMs, onChange, random = Math.random }: BreakerOptions): Breaker {
  const trial = onTrial(new CountBreaker(WINDOW));
  const pause = growingPause(random);
  const policy = circuitBreaker(
    handleWhenResult((outcome) => isProvidersFault(outcome as Outcome)),
    { breaker: trial, halfOpenAfter: pause },
  );
  policy.onReset(trial.begin);
  let refusing: { code: string; lookAt: number; recalledAt: number; looking: boolean } | undefined;
  let failure: string | null = null;
  let known = standingNow();

  function standingNow(): ReturnType<Breaker['standing']> {
    const since = new Date().toISOString();
    if (refusing !== undefined) return { state: 'misconfigured', code: refusing.code, since };
    const failing = policy.state !== CircuitState.Closed || trial.running();
    return failing ? { state: 'open', code: failure, since } : { state: 'closed', code: null, since };
  }

  function refusal({ forced, recalled }: Ask): Refusal | undefined {
    if (refusing !== undefined) {
      const now = Date.now();
      if (refusing.looking) return { refused: 'misconfigured', code: refusing.code, afterMs: LOOKING_MS };
      const due = now >= refusing.lookAt || (recalled && now >= refusing.recalledAt + RECALL_PAUSE_MS);
      return due
        ? undefined
        : { refused: 'misconfigured', code: refusing.code, afterMs: refusing.lookAt - now };
    }
    if (forced || policy.state === CircuitState.Closed) return undefined;
    // Somebody is finding out whether it works again, or it is too early to.
    return policy.state === CircuitState.Open && pause.isOver() ? undefined : { refused: 'failing' };
  }

  /** One message finds out whether the settings were mended; until it knows, all others wait. */
  async function look(recalled: boolean, work: () => Promise<Answer>): Promise<Answer> {
    const looking = refusing;
    if (looking === undefined) return work();
    looking.looking = true;
    if (recalled) looking.recalledAt = Date.now();
    try {
      return await work();
    } finally {
      looking.looking = false;
    }
  }

  /** What the account is asked in spite of its failures is not counted, unless it is the call that finds out. */
  async function count(forced: boolean, work: () => Promise<Answer>): Promise<Answer> {
    if (forced && policy.state === CircuitState.HalfOpen) return work();
    try {
      return await policy.execute(async () => {
        const answer = await work();
        if ('refused' in answer || saysNothing(answer)) throw new Unjudged(answer);
        if (isProvidersFault(answer)) failure = answer.code;
        return answer;
      });
    } catch (thrown) {
      if (thrown instanceof Unjudged) return thrown.answer;
      if (!(thrown instanceof BrokenCircuitError)) throw thrown;
      return forced ? work() : { refused: 'failing' };
    }
  }

  function learn(outcome: Outcome): void {
    if (outcome.kind === 'misconfigured') {
      const { recalledAt = 0 } = refusing ?? {};
      refusing = { code: outcome.code, lookAt: Date.now() + holdMs, recalledAt, looking: false };
    } else if (outcome.kind === 'sent' || outcome.kind === 'rejected') refusing = undefined;
    const now = standingNow();
    const same = now.state === known.state && now.code === known.code;
    if (same) return;
    const changed = now.state !== known.state;
    known = changed ? now : { ...now, since: known.since };
    if (changed) onChange?.();
  }

  return {
    refusal,
    async run(ask, work) {
      const refused = refusal(ask);
      if (refused !== undefined) return refused;
      const answer = await (refusing === undefined ? count(ask.forced, work) : look(ask.recalled, work));
      if (!('refused' in answer)) learn(answer);
      return answer;
    },
    standing: () => known,
  };
}

/** For an account whose answers are those of its recipients: it is always asked. */
export function createTrustingBreaker(): Breaker {
  const standing = { state: 'closed', code: null, since: new Date().toISOString() } as const;
  return { refusal: () => undefined, run: (_ask, work) => work(), standing: () => standing };
}

/** An answer by which nobody can tell how well the account works: our settings, our pace, or our own worker ended the call. */
function saysNothing({ kind, code }: Outcome): boolean {
  return kind === 'misconfigured' || kind === 'throttled' || code === CALLED_OFF;
}

/** Carries an answer past the policy, which counts only what is returned. */
class Unjudged extends Error {
  readonly answer: Answer;
  constructor(answer: Answer) {
    super('This answer is not counted.');
    this.answer = answer;
  }
}
