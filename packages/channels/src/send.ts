import type { Channel } from '@belfry/shared/domain/channel.js';
import type { Message } from '@belfry/shared/domain/message.js';
import type { Outcome } from '@belfry/shared/domain/outcome.js';
import type { Found } from './provider.js';
import type { OpenProvider } from './providers.js';
import { withDeadline } from './signals.js';

/** What one provider said within an attempt. */
export interface Try {
  readonly provider: string;
  readonly outcome: Outcome;
  readonly startedAt: Date;
  readonly finishedAt: Date;
}

/** One attempt at a delivery: every provider that was asked, in order, and what all of it comes to. */
export interface Attempt {
  /** Empty when no provider is set up for the channel. */
  readonly tries: readonly Try[];
  readonly outcome: Outcome;
}

export interface SendOptions {
  /** True when an earlier attempt ended `ambiguous`, or its worker died in mid-send: the message may be out. */
  readonly ambiguous: boolean;
  /** Calls the attempt off. */
  readonly signal: AbortSignal;
}

export interface Sender {
  /** Tries the channel's providers in order. Never throws, never waits between tries, and does not try one twice. */
  send(message: Message, options: SendOptions): Promise<Attempt>;
}

export interface SenderOptions {
  /** In order of preference within each channel. */
  readonly providers: readonly OpenProvider[];
  /** Stamps the tries; for people to read, nothing is decided by it. */
  readonly clock?: () => Date;
}

/** Makes the one function that a delivery goes out through. */
export function createSender({ providers, clock = () => new Date() }: SenderOptions): Sender {
  return {
    async send(message, { ambiguous, signal }) {
      const candidates = providers.filter(({ provider }) => provider.channel === message.channel);
      if (candidates.length === 0) return { tries: [], outcome: noProvider(message.channel) };
      const asked = ambiguous ? await askFirst(candidates, message, signal, clock) : undefined;
      if (asked !== undefined) return { tries: [asked], outcome: asked.outcome };
      const tries: Try[] = [];
      for (const candidate of candidates) {
        const one = await timed(candidate, clock, () => carry(candidate, message, signal));
        tries.push(one);
        if (!goesOn(one.outcome) || signal.aborted) break;
      }
      return { tries, outcome: sumUp(tries) };
    },
  };
}

/** Hands a message to one provider. */
type Carry = (to: OpenProvider, message: Message, signal: AbortSignal) => Promise<Outcome>;
/** Wraps a carry with one concern. */
type Stage = (next: Carry) => Carry;

/** After its deadline a provider has this long, in milliseconds, to say what it knows before it is left behind. */
const GRACE_MS = 1_000;

/** What happens around every call of a provider, the outermost first. */
const STAGES: readonly Stage[] = [guarded, inTime];

const carry: Carry = STAGES.reduceRight<Carry>(
  (next, stage) => stage(next),
  (to, message, signal) => to.provider.send(message, signal),
);

/**
 * An exception is a bug in the provider, and nobody knows how far the message got before it. Its text may hold anything,
 * so none of it is passed on.
 */
function guarded(next: Carry): Carry {
  return async (to, message, signal) => {
    try {
      return await next(to, message, signal);
    } catch {
      return { kind: 'ambiguous', code: 'internal', error: 'The provider failed in a way it should not.' };
    }
  };
}

function inTime(next: Carry): Carry {
  return (to, message, signal) =>
    bounded(to, signal, (inner) => next(to, message, inner), {
      kind: 'ambiguous',
      code: 'overdue',
      error: 'The provider did not stop at its deadline.',
    });
}

/** Runs `work` under the provider's deadline; `overdue` is the answer if it does not end even then. */
async function bounded<T>(
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

/**
 * Asks every provider that can be asked whether the message is out already: which of them had it is not known here.
 * Undefined when all are sure that it is not, or none can be asked.
 */
async function askFirst(
  candidates: readonly OpenProvider[],
  message: Message,
  signal: AbortSignal,
  clock: () => Date,
): Promise<Try | undefined> {
  for (const candidate of candidates) {
    if (candidate.abilities.afterAmbiguous !== 'ask-first') continue;
    const startedAt = clock();
    const found = await ask(candidate, message, signal);
    if (found.kind === 'absent') continue;
    // Not `retry`: as long as nobody knows, the next attempt has to ask again.
    const outcome: Outcome = found.kind === 'sent' ? found : { ...found, kind: 'ambiguous' };
    return { provider: candidate.provider.name, outcome, startedAt, finishedAt: clock() };
  }
  return undefined;
}

async function ask(candidate: OpenProvider, message: Message, signal: AbortSignal): Promise<Found> {
  const { provider } = candidate;
  if (provider.find === undefined) return unknown('cannot-ask', 'The provider cannot be asked.');
  const overdue = unknown('overdue', 'The provider did not stop at its deadline.');
  try {
    return await bounded(
      candidate,
      signal,
      async (inner) => (await provider.find?.(message, inner)) ?? overdue,
      overdue,
    );
  } catch {
    return unknown('internal', 'The provider failed in a way it should not.');
  }
}

function unknown(code: string, error: string): Found {
  return { kind: 'unknown', code, error };
}

async function timed(to: OpenProvider, clock: () => Date, work: () => Promise<Outcome>): Promise<Try> {
  const startedAt = clock();
  const outcome = await work();
  return { provider: to.provider.name, outcome, startedAt, finishedAt: clock() };
}

/** Another provider may do better only where this one surely does not have the message and the message is not at fault. */
function goesOn({ kind }: Outcome): boolean {
  return kind === 'retry' || kind === 'throttled' || kind === 'misconfigured';
}

/** The end of the last try, if it was one; otherwise the most hopeful of what the providers said, the preferred one first. */
function sumUp(tries: readonly Try[]): Outcome {
  const outcomes = tries.map((one) => one.outcome);
  const last = outcomes.at(-1);
  if (last !== undefined && !goesOn(last)) return last;
  const best = (['retry', 'throttled', 'misconfigured'] as const)
    .map((kind) => outcomes.find((outcome) => outcome.kind === kind))
    .find((outcome) => outcome !== undefined);
  return best ?? { kind: 'retry', code: 'internal', error: 'No provider was tried.' };
}

function noProvider(channel: Channel): Outcome {
  return { kind: 'misconfigured', code: 'no-provider', error: `No provider is set up for ${channel}.` };
}
