import type { OperatorMail } from '../domain/operator-mail.js';
import {
  collectCanaries,
  keepWatch,
  measureOverdue,
  measureSilence,
  type Overdue,
  type Silence,
} from '../ledger/self-check.js';
import { takeTurn } from '../ledger/waiting.js';
import { mailNobodyLater } from '../notify/nobody-mail.js';
import type { Events } from '../service/events.js';
import { every, type Running } from '../service/lifecycle.js';
import { type CanaryParts, sendCanary } from './canary.js';
import { pingDeadMan } from './dead-man.js';
import { type Found, mailIncidents } from './incident-mail.js';

export interface SelfWatchParts extends CanaryParts {
  readonly events: Events;
}

export interface SelfWatchOptions {
  /** Between two canaries, in milliseconds; null for none. */
  readonly canaryMs: number | null;
  /** How late a step of an escalation may be, in milliseconds. */
  readonly lateMs: number;
  /** Who is told that all is well; null for nobody. */
  readonly deadManUrl: string | null;
  /** Where the operator is told of what nobody else can be; null for nowhere. */
  readonly operatorMail: OperatorMail | null;
}

/** How often the fleet looks at itself at most and at least, in milliseconds, and how often between two canaries. */
const SLOWEST_MS = 10_000;
const FASTEST_MS = 250;
const LOOKS = 6;

/**
 * The fleet looks at itself: whether an alert is overdue that the workers should have escalated, and whether a notification still
 * comes through. Every API process runs it, and none of what it watches; the ledger gives one of them the turn. When all is
 * well it says so to the outside, and when it is not, or nobody is left to look, it does not: that is what is noticed there.
 */
export function startSelfWatch(parts: SelfWatchParts, options: SelfWatchOptions): Running {
  const { database, events } = parts;
  const lookMs = Math.max(FASTEST_MS, Math.min(SLOWEST_MS, (options.canaryMs ?? SLOWEST_MS * LOOKS) / LOOKS));
  const ending = new AbortController();
  // Asked more often than a turn comes, so that a turn whose holder died is not missed by a whole one.
  const loop = every(lookMs / 4, async () => {
    try {
      if (await takeTurn(database, 'self-watch', lookMs)) await look(parts, options, ending.signal);
    } catch (error) {
      events.upkeepFailed({ task: 'self-watch', error });
    }
  });
  return {
    async stop() {
      ending.abort();
      await loop.stop();
    },
  };
}

async function look(parts: SelfWatchParts, options: SelfWatchOptions, ending: AbortSignal): Promise<void> {
  const { database, events } = parts;
  const { canaryMs, operatorMail } = options;
  if (operatorMail !== null) await mailNobodyLater(parts, operatorMail);
  const overdue = await measureOverdue(database, options.lateMs);
  if (overdue.alerts > 0) events.alertsOverdue(overdue);
  if (canaryMs !== null) await keepWatch(database, canaryMs);
  const arrived = canaryMs === null ? 0 : await collectCanaries(database);
  const silence = canaryMs === null ? null : await measureSilence(database, canaryMs);
  if (silence?.missing === true) events.canaryMissing({ seconds: silence.seconds });
  if (operatorMail !== null) await mailIncidents(parts, operatorMail, foundIn(overdue, silence));
  if (canaryMs === null) return;
  if (await takeTurn(database, 'canary', canaryMs)) await sendCanary(parts);
  if (arrived > 0 && overdue.alerts === 0) await ping(parts, options, ending);
}

function foundIn({ alerts, oldestSeconds }: Overdue, silence: Silence | null): Found {
  const waiting = alerts === 1 ? 'An open alert waits' : `${alerts} open alerts wait`;
  const late = `${waiting} for a step of the escalation that was due ${Math.round(oldestSeconds)} seconds ago: no worker takes it.`;
  const quiet = `Nothing that it sends to itself has arrived for ${Math.round(silence?.seconds ?? 0)} seconds: nothing may be going out.`;
  return {
    ...(alerts > 0 ? { alerts_overdue: late } : {}),
    ...(silence?.missing === true ? { canary_missing: quiet } : {}),
  };
}

/** Canaries arrive at even distances, give or take a look; the turn is a little shorter, so that none of them is passed over. */
const TURN = 0.75;

async function ping(
  { database, events }: SelfWatchParts,
  { canaryMs, deadManUrl }: SelfWatchOptions,
  ending: AbortSignal,
): Promise<void> {
  if (deadManUrl === null || canaryMs === null) return;
  if (!(await takeTurn(database, 'dead-man', canaryMs * TURN))) return;
  const why = await pingDeadMan(deadManUrl, ending);
  if (why === null || !ending.aborted) events.deadManPinged({ why });
}
