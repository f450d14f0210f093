import type { Message } from '@belfry/shared/domain/message.js';
import { CALLED_OFF } from '@belfry/shared/domain/outcome.js';
import { withDeadline } from '@belfry/shared/service/deadline.js';
import type { Answer, Ask, Breaker } from './breaker.js';
import { byMissingAnswer } from './classify.js';
import type { Pace } from './pace.js';
import type { OpenProvider } from './providers.js';

/** An account as the sender keeps it: how it is reached, and what is known about it. */
export interface Account extends OpenProvider {
  readonly breaker: Breaker;
  readonly pace: Pace;
}

/** One message on its way to one account. */
export interface Errand extends Ask {
  readonly message: Message;
  readonly signal: AbortSignal;
}

/** Hands a message to one account, or says why the account was not asked. */
export type Carry = (to: Account, errand: Errand) => Promise<Answer>;
/** Wraps a carry with one concern. */
export type Stage = (next: Carry) => Carry;

/** After its deadline a provider has this long, in milliseconds, to say what it knows before it is left behind. */
const GRACE_MS = 1_000;
/** How long an account is left alone that asks to go slower and does not say for how long, in milliseconds. */
const PAUSE_MS = 1_000;

/** Does not bother an account that fails or refuses our settings, and takes no place of its pace. */
export const willing: Stage = (next) => async (to, errand) =>
  to.breaker.refusal(errand) ?? (await next(to, errand));

/** Keeps an account within its limit, and lets it rest when it asks for that. */
export const paced: Stage = (next) => async (to, errand) => {
  const slower = await to.pace.refusal();
  if (slower !== undefined) return slower;
  // The lease may have been lost while the store was asked.
  if (errand.signal.aborted) return byMissingAnswer(CALLED_OFF, false);
  const answer = await next(to, errand);
  if ('refused' in answer || answer.kind !== 'throttled') return answer;
  to.pace.pause(answer.afterMs ?? PAUSE_MS);
  return answer;
};

/** Lets the breaker learn from the answer. Whoever waited for a place may find that the account is not to be asked any more. */
export const watched: Stage = (next) => (to, errand) => to.breaker.run(errand, () => next(to, errand));

/**
 * An exception is a bug in the provider, and nobody knows how far the message got before it. Its text may hold anything,
 * so none of it is passed on.
 */
export const guarded: Stage = (next) => async (to, errand) => {
  try {
    return await next(to, errand);
  } catch {
    return { kind: 'ambiguous', code: 'internal', error: 'The provider failed in a way it should not.' };
  }
};

/** Gives the provider its deadline. */
export const inTime: Stage = (next) => (to, errand) =>
  bounded(to, errand.signal, (signal) => next(to, { ...errand, signal }), {
    kind: 'ambiguous',
    code: 'overdue',
    error: 'The provider did not stop at its deadline.',
  });

/** Runs `work` under the provider's deadline; `overdue` is the answer if it does not end even then. */
export async function bounded<T>(
  { abilities }: OpenProvider,
  outer: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
  overdue: T,
): Promise<T> {
  const deadline = withDeadline(outer, abilities.timeoutMs);
  let grace: NodeJS.Timeout | undefined;
  const left = new Promise<T>((resolve) => {
    const onAbort = () => {
      grace = setTimeout(() => resolve(overdue), GRACE_MS);
    };
    if (deadline.signal.aborted) onAbort();
    else deadline.signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work(deadline.signal), left]);
  } finally {
    clearTimeout(grace);
    deadline.release();
  }
}
