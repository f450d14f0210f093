import { stepAfter } from '../domain/alert.js';
import type { AlertLimits } from '../domain/alert-limit.js';
import type { OperatorMail } from '../domain/operator-mail.js';
import { recordAlertEvents } from '../ledger/alert-timeline.js';
import type { AlertRow } from '../ledger/alerts.js';
import type { Database, Statements } from '../ledger/database.js';
import { type DueAlert, endStep, holdDueAlert, holdOverdueAlert } from '../ledger/escalations.js';
import { retryTransient } from '../ledger/retry-transient.js';
import type { Enqueuer } from '../queue/enqueuer.js';
import type { Events } from '../service/events.js';
import type { Turn } from '../service/one-by-one.js';
import { bundleTold, depart } from './bundle-told.js';
import { mailNobody } from './nobody-mail.js';
import { type Told, tellOfAlert } from './tell-of-alert.js';

export interface EscalationParts {
  readonly database: Database;
  readonly enqueuer: Pick<Enqueuer, 'enqueue' | 'setAlarms'>;
  readonly events: Pick<
    Events,
    'escalated' | 'escalationExhausted' | 'escalationFailed' | 'moved' | 'nobodyToTell'
  >;
  /** How many messages about alerts may reach one person. */
  readonly alertLimits: AlertLimits;
  /** Who is told by mail when there is nobody to tell, or the last step was taken; null for nobody. */
  readonly operatorMail: OperatorMail | null;
}

/** What came of it. */
export type Escalated =
  | { readonly kind: 'taken'; readonly step: number }
  | { readonly kind: 'early'; readonly waitMs: number }
  /** There is nothing to do, now or later: it was acknowledged, or this step has been taken. */
  | { readonly kind: 'over' };

/**
 * Takes the next step of an alert's escalation, if it is time and nobody has acknowledged it. Who is told, that the step was
 * taken and when the next one is due are one commit, made while the alert's row is held: so a step is taken once or not yet,
 * and never after an acknowledgement. The jobs come after it.
 *
 * @param step the step that is expected to be the next one; null for whichever it is.
 */
export function escalationStep(
  parts: EscalationParts,
  alertId: string,
  step: number | null,
): Promise<Escalated> {
  return takeStep(parts, { id: alertId }, (transaction) => holdDueAlert(transaction, alertId, step));
}

/**
 * The same for the alert that has waited the longest beyond the time of its step, of those that nobody is about to take.
 *
 * @param graceMs how late a step must be at least, in milliseconds.
 * @param except alerts that are left alone.
 * @param turn is told which alert it is, also when its step fails.
 */
export function overdueStep(
  parts: EscalationParts,
  graceMs: number,
  except: readonly string[],
  turn: Turn,
): Promise<Escalated> {
  return takeStep(parts, turn, async (transaction) => {
    const due = await holdOverdueAlert(transaction, graceMs, except);
    if (due.kind === 'due') turn.id = due.alert.id;
    return due;
  });
}

/** What fails is reported here, whoever rang for it, and is for the caller to try again. */
async function takeStep(
  { database, enqueuer, events, operatorMail, alertLimits }: EscalationParts,
  turn: Readonly<Turn>,
  hold: (transaction: Statements) => Promise<DueAlert>,
): Promise<Escalated> {
  const found = await retryTransient(() =>
    database.transaction(async (transaction) => {
      const due = await hold(transaction);
      if (due.kind !== 'due') return due;
      const taken = await take(transaction, due.alert, operatorMail);
      const departures = await bundleTold(transaction, alertLimits, taken.alert, taken.notifications);
      return { kind: 'taken' as const, lateMs: due.lateMs, ...taken, departures };
    }),
  ).catch((error: unknown) => {
    if (turn.id !== undefined) events.escalationFailed({ alertId: turn.id, error });
    throw error;
  });
  if (found.kind !== 'taken') return found;
  const { alert, step, nextMs, notified, nobody, departures, lateMs } = found;
  depart({ enqueuer, events }, departures);
  if (nextMs !== null) void enqueuer.setAlarms([{ alertId: alert.id, step: step + 1, delayMs: nextMs }]);
  const facts = { alertId: alert.id, level: alert.level, step };
  events.escalated({ ...facts, notified, lateMs });
  if (nobody) events.nobodyToTell(facts);
  if (nextMs === null) events.escalationExhausted(facts);
  return { kind: 'taken', step };
}

interface Taken extends Told {
  readonly alert: AlertRow;
  readonly step: number;
  /** Milliseconds until the next one; null after the last. */
  readonly nextMs: number | null;
}

async function take(
  transaction: Statements,
  alert: AlertRow,
  operatorMail: OperatorMail | null,
): Promise<Taken> {
  const step = alert.steps + 1;
  const now = alert.policy === null ? null : stepAfter(alert.policy, alert.steps);
  const next = alert.policy === null ? null : stepAfter(alert.policy, step);
  if (now === null) throw new Error('An alert waits for a step that its policy does not have.');
  const { name, notify, channels } = now;
  const details = {
    ...(name === undefined ? {} : { name }),
    ...(channels === undefined ? {} : { channels }),
  };
  const told = await tellOfAlert(transaction, alert, notify, { step, channels });
  await recordAlertEvents(transaction, alert.id, [
    { kind: 'escalated', step, details },
    ...told.events,
    ...(next === null ? [{ kind: 'exhausted' as const, step }] : []),
  ]);
  await endStep(transaction, alert.id, next?.after_ms ?? null);
  const mails = told.nobody || next === null ? await mailNobody(transaction, operatorMail) : [];
  return {
    alert,
    step,
    nextMs: next?.after_ms ?? null,
    ...told,
    notifications: [...told.notifications, ...mails],
  };
}
