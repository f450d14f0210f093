import type { Channel } from '@belfry/shared/domain/channel.js';
import type { Message } from '@belfry/shared/domain/message.js';
import { type Outcome, PACED } from '@belfry/shared/domain/outcome.js';
import type { ProviderStanding } from '@belfry/shared/domain/provider-standing.js';
import { type Answer, createBreaker, createTrustingBreaker, type Refusal } from './breaker.js';
import { askFirst } from './doubt.js';
import { createPace, type MakeLimiter, type Slower, UNPACED } from './pace.js';
import type { OpenProvider } from './providers.js';
import {
  type Account,
  type Carry,
  type Errand,
  guarded,
  inTime,
  paced,
  type Stage,
  watched,
  willing,
} from './stages.js';

/** What one account said within an attempt. */
export interface Try {
  /** The account's name: `smtp`, `smtp-2`. */
  readonly provider: string;
  readonly outcome: Outcome;
  readonly startedAt: Date;
  readonly finishedAt: Date;
}

/** One attempt at a delivery: every account that was asked, in order, and what all of it comes to. */
export interface Attempt {
  /** Empty when no account is set up for the channel, or none may be asked now: then `outcome` says why, and costs nothing. */
  readonly tries: readonly Try[];
  readonly outcome: Outcome;
}

export interface SendOptions {
  /** True when an earlier attempt ended `ambiguous`, or its worker died in mid-send: the message may be out. */
  readonly ambiguous: boolean;
  /** Somebody wants it tried again now: settings that were refused may be looked at sooner. */
  readonly recalled?: boolean;
  /** Calls the attempt off. */
  readonly signal: AbortSignal;
}

export interface Sender {
  /** Tries the channel's accounts in order. Never throws, never waits between tries, and does not try one twice. */
  send(message: Message, options: SendOptions): Promise<Attempt>;
  /** How this process finds each account. */
  standings(): ProviderStanding[];
}

export interface SenderOptions {
  /** In order of preference within each channel. */
  readonly providers: readonly OpenProvider[];
  /** Stamps the tries; for people to read, nothing is decided by it. */
  readonly clock?: () => Date;
  /** How long an account is left alone that refuses our settings, in milliseconds (5 minutes). */
  readonly holdMs?: number;
  /** For limits and pauses that hold over all processes; without it a pause is this process's own, and nothing is limited. */
  readonly makeLimiter?: MakeLimiter;
  /** Called when an account is found in another state than before. */
  readonly onStanding?: (standing: ProviderStanding) => void;
  /** Called once for a channel that nobody carries, when the first message for it comes. */
  readonly onUncarried?: (channel: Channel) => void;
}

/** What happens around every call of a provider, the outermost first. */
const STAGES: readonly Stage[] = [willing, paced, watched, guarded, inTime];

const carry: Carry = STAGES.reduceRight<Carry>(
  (next, stage) => stage(next),
  (to, { message, signal }) => to.provider.send(message, signal),
);

/** Makes the one function that a delivery goes out through. */
export function createSender(options: SenderOptions): Sender {
  const { providers, clock = () => new Date() } = options;
  const accounts = providers.map((provider) => toAccount(provider, options));
  const uncarried = new Set<Channel>();
  return {
    async send(message, { ambiguous, recalled = false, signal }) {
      const candidates = accounts.filter((account) => reaches(account, message));
      if (candidates.length === 0) {
        if (!uncarried.has(message.channel)) options.onUncarried?.(message.channel);
        uncarried.add(message.channel);
        return { tries: [], outcome: noProvider(message) };
      }
      const round: Round = { tries: [], refusals: [], clock };
      const errand: Errand = { message, signal, recalled, forced: false };
      if (ambiguous && (await askedFirst(round, candidates, errand))) return ended(round);
      await inTurn(round, candidates, errand);
      const failing = candidates[round.refusals.findIndex(({ refused }) => refused === 'failing')];
      // Nobody works well, nobody has a place soon: the preferred one is tried all the same, as often as retries come.
      if (round.tries.length === 0 && failing !== undefined && !round.refusals.some(isSlower)) {
        await inTurn(round, [failing], { ...errand, forced: true });
      }
      return ended(round);
    },
    standings: () => accounts.map(standingOf),
  };
}

/** What has been said so far within one attempt. */
interface Round {
  readonly tries: Try[];
  /** One for each account that was not asked. */
  readonly refusals: (Refusal | Slower)[];
  readonly clock: () => Date;
}

/** Hands the message to one account after the other, for as long as another may do better. */
async function inTurn(round: Round, candidates: readonly Account[], errand: Errand): Promise<void> {
  for (const account of candidates) {
    const startedAt = round.clock();
    note(round, account, startedAt, await carry(account, errand));
    const last = round.tries.at(-1);
    if (errand.signal.aborted || (last !== undefined && !goesOn(last.outcome))) return;
  }
}

/** True when a message that may be out already is not to be sent now. */
async function askedFirst(round: Round, candidates: readonly Account[], errand: Errand): Promise<boolean> {
  const startedAt = round.clock();
  const asked = await askFirst(candidates, errand);
  if (asked === undefined) return false;
  note(round, asked.account, startedAt, asked.answer);
  return true;
}

function note({ tries, refusals, clock }: Round, account: Account, startedAt: Date, answer: Answer): void {
  if ('refused' in answer) refusals.push(answer);
  else tries.push({ provider: account.account, outcome: answer, startedAt, finishedAt: clock() });
}

/** Another account may do better only where this one surely does not have the message and the message is not at fault. */
function goesOn({ kind }: Outcome): boolean {
  return kind === 'retry' || kind === 'throttled' || kind === 'misconfigured';
}

function ended(round: Round): Attempt {
  return { tries: round.tries, outcome: sumUp(round) };
}

/**
 * The end of the last try, if it was one; otherwise the most hopeful of what the accounts said, the preferred one first. Of
 * those that have to be waited for it is the one that is there soonest.
 */
function sumUp({ tries, refusals }: Round): Outcome {
  const last = tries.at(-1)?.outcome;
  if (last !== undefined && !goesOn(last)) return last;
  const outcomes = [...tries.map((one) => one.outcome), ...refusals.flatMap(outcomesOf)];
  const best = (['retry', 'throttled', 'misconfigured'] as const)
    .map((kind) =>
      outcomes.filter((outcome) => outcome.kind === kind).reduce<Outcome | undefined>(sooner, undefined),
    )
    .find((outcome) => outcome !== undefined);
  return best ?? { kind: 'retry', code: 'internal', error: 'No provider was tried.' };
}

/** The earlier of two that wait for a time; otherwise the one that was said first. */
function sooner(first: Outcome | undefined, next: Outcome): Outcome {
  if (first === undefined) return next;
  if (first.kind === 'retry' || !('afterMs' in first && 'afterMs' in next)) return first;
  return (next.afterMs ?? 0) < (first.afterMs ?? 0) ? next : first;
}

const isSlower = (refusal: Refusal | Slower): refusal is Slower =>
  refusal.refused === 'paced' || refusal.refused === 'paused';

/** What it comes to when this was the only account; nothing for one that fails, which is tried when it is the only one. */
function outcomesOf(refusal: Refusal | Slower): Outcome[] {
  const { refused } = refusal;
  if (refused === 'failing') return [];
  const { afterMs } = refusal;
  if (refused === 'misconfigured') {
    const error = 'The provider refuses the settings.';
    return [{ kind: 'misconfigured', code: refusal.code, error, afterMs }];
  }
  return [{ kind: 'throttled', code: refused, error: SLOWER[refused], afterMs }];
}

const SLOWER = {
  [PACED]: 'The limit of the account is reached.',
  paused: 'The provider has asked to go slower.',
} as const;

function noProvider({ channel, device }: Message): Outcome {
  const whom = device === undefined ? channel : `${channel} to ${device.platform}`;
  return { kind: 'misconfigured', code: 'no-provider', error: `No provider is set up for ${whom}.` };
}

function reaches({ provider, abilities }: Account, { channel, device }: Message): boolean {
  if (provider.channel !== channel) return false;
  return device === undefined || abilities.platforms?.includes(device.platform) === true;
}

const HOLD_MS = 300_000;

function toAccount(provider: OpenProvider, options: SenderOptions): Account {
  const { holdMs = HOLD_MS, makeLimiter, onStanding } = options;
  if (provider.abilities.perReceiver === true) {
    return { ...provider, pace: UNPACED, breaker: createTrustingBreaker() };
  }
  const account: Account = {
    ...provider,
    pace: createPace(provider.account, provider.rate, makeLimiter),
    breaker: createBreaker({ holdMs, onChange: () => onStanding?.(standingOf(account)) }),
  };
  return account;
}

function standingOf({ account, provider, breaker }: Account): ProviderStanding {
  return { account, channel: provider.channel, ...breaker.standing() };
}
