import { setTimeout as sleep } from 'node:timers/promises';
import type { MqttOutcome } from '@belfry/shared/service/events.js';
import { INTERNAL } from '../middleware/problem.js';
import type { Call, InnerAnswer, InnerCall } from './inner-call.js';

/** What came of a message. */
export interface Ending {
  readonly answer: InnerAnswer;
  readonly outcome: MqttOutcome;
}

export interface Patience {
  /** For how long a message is tried again that alone is refused for the moment. */
  readonly patienceMs: number;
  /** Takes a place among those that wait so; false when there is none left. It is given back by `leave`. */
  enter(): boolean;
  leave(): void;
  /** Ends all waiting. */
  readonly signal: AbortSignal;
}

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 30_000;

/**
 * Makes the call until its answer is final. An answer that says "later" is not: the call is made again, after the time that it names or a
 * growing one, and the message stays unacknowledged meanwhile. While the database is away, and says so, there is no end to that. What is true of
 * this message alone, such as a limit, an error of ours or no answer, is waited for as long as `patienceMs` and by half of the places at most: a
 * message that can never work ends, and a flood of one publisher leaves room for the others. Null when it was told to stop.
 */
export async function carryOut(call: Call, message: InnerCall, patience: Patience): Promise<Ending | null> {
  const endsAt = performance.now() + patience.patienceMs;
  let waiting = false;
  try {
    for (let tries = 1; ; tries += 1) {
      const answer = await call(message).catch(unanswered);
      if (isFinal(answer)) return { answer, outcome: outcomeOf(answer) };
      if (!isOutage(answer)) {
        waiting = waiting || patience.enter();
        if (!waiting || performance.now() >= endsAt) return { answer, outcome: 'given_up' };
      }
      await sleep(pause(answer, tries), undefined, { signal: patience.signal }).catch(() => undefined);
      if (patience.signal.aborted) return null;
    }
  } finally {
    if (waiting) patience.leave();
  }
}

/** Nobody knows what came of it. The key makes it safe to ask again, but it may be this message that cannot be answered. */
function unanswered(): InnerAnswer {
  const headers = { 'content-type': 'application/problem+json' };
  return { status: INTERNAL.status, headers, body: Buffer.from(JSON.stringify(INTERNAL)) };
}

/** 5xx, and whatever else names a time: too many calls, or another call with the same key that is still running. */
function isFinal({ status, headers }: InnerAnswer): boolean {
  return status < 500 && headers['retry-after'] === undefined;
}

/** Nothing can be taken at present. A user directory that does not answer has another name: it may know others. */
function isOutage({ status, body }: InnerAnswer): boolean {
  return status === 503 && body.includes('"code":"unavailable"');
}

function outcomeOf({ status, headers }: InnerAnswer): MqttOutcome {
  if (headers['idempotency-replayed'] !== undefined) return 'repeated';
  return status < 400 ? 'accepted' : 'refused';
}

/** In milliseconds. Up to twice as long as is asked for: those that wait do not all come back at once. */
function pause({ headers }: InnerAnswer, tries: number): number {
  const named = Number(headers['retry-after'] ?? 0) * 1_000;
  const growing = Math.min(FIRST_PAUSE_MS * 2 ** (tries - 1), LONGEST_PAUSE_MS);
  return named > 0 ? named + Math.random() * Math.min(growing, named) : growing * (0.5 + Math.random() / 2);
}
