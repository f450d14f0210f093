import {
  type AlertContent,
  builtInPolicy,
  type EscalationPolicy,
  FIRST_TARGETS,
  LEVEL_RULES,
  stepAfter,
} from '../domain/alert.js';
import type { AlertLimits } from '../domain/alert-limit.js';
import { newId } from '../domain/ids.js';
import type { OperatorMail } from '../domain/operator-mail.js';
import { invalid, type Refusal } from '../domain/refusal.js';
import type { KeptAnswer } from '../ledger/accept.js';
import { recordAlertEvents } from '../ledger/alert-timeline.js';
import { type AlertRow, openAlert } from '../ledger/alerts.js';
import type { Database, Statements } from '../ledger/database.js';
import { choosePolicy } from '../ledger/escalation-policies.js';
import { keepAnswer } from '../ledger/idempotency.js';
import { retryTransient } from '../ledger/retry-transient.js';
import type { Enqueuer } from '../queue/enqueuer.js';
import type { Events } from '../service/events.js';
import { bundleTold, type Departures, depart } from './bundle-told.js';
import { mailNobody } from './nobody-mail.js';
import { type Told, tellOfAlert } from './tell-of-alert.js';

export interface AlertingParts {
  readonly database: Database;
  readonly enqueuer: Enqueuer;
  readonly events: Events;
  /** Milliseconds between the steps of the built-in policy. */
  readonly escalationStepMs: number;
  /** Who is told by mail when there is nobody to tell; null for nobody. */
  readonly operatorMail: OperatorMail | null;
  /** How many messages about alerts may reach one person. */
  readonly alertLimits: AlertLimits;
}

/** An alert as somebody raises it. */
export interface RaisedAlert extends AlertContent {
  /** The subject of the token, or `source:<name>`, `heartbeat:<name>`. */
  readonly caller: string;
  /** The escalation policy that it asks for; the one of its type when null. */
  readonly policy: string | null;
  /** Whether it is raised all the same, and follows the one of its type, when nobody has written the policy that it asks for. */
  readonly withoutPolicy?: boolean;
}

/** What came of it. */
export interface Raised {
  readonly alert: AlertRow;
  /** False when it was one more of an alert that is not resolved: nobody is told again. */
  readonly opened: boolean;
  /** How many people are told. */
  readonly notified: number;
}

export type Raising = ({ readonly kind: 'raised' } & Raised) | { readonly kind: 'taken' };

class Taken extends Error {}

/**
 * Opens an alert and tells people, or counts one more for the one that has its key. All of it, and the answer to the call, is one
 * commit (law 1); the jobs come after it.
 *
 * @param answer the answer to keep for the call's `Idempotency-Key`; null when it has none.
 * @throws Refusal 422 when it asks for a policy that nobody has written, and is not to be raised without it.
 */
export async function raiseAlert(
  parts: AlertingParts,
  raised: RaisedAlert,
  answer: (raised: Raised) => KeptAnswer | null,
): Promise<Raising> {
  try {
    const written = await retryTransient(() =>
      parts.database.transaction(async (transaction) => {
        const written = await raiseWithin(transaction, parts, raised);
        const kept = answer(written);
        if (kept !== null && !(await keepAnswer(transaction, kept))) throw new Taken();
        return bundleWritten(transaction, parts, written);
      }),
    );
    announceRaised(parts, written);
    return { kind: 'raised', ...written };
  } catch (error) {
    if (error instanceof Taken) return { kind: 'taken' };
    throw error;
  }
}

/** An alert that was raised, with what was written to tell of it: the operator's mail, too, when there was nobody. */
export type WrittenAlert = Raised & Told & { readonly firstStepMs: number | null };

/** Raises an alert in the transaction of what it tells of: `bundleWritten` has to end it, and `announceRaised` to follow the commit. */
export async function raiseWithin(
  transaction: Statements,
  { escalationStepMs, operatorMail }: Pick<AlertingParts, 'escalationStepMs' | 'operatorMail'>,
  raised: RaisedAlert,
): Promise<WrittenAlert> {
  const policy = await policyFor(transaction, escalationStepMs, raised);
  const firstStepMs = policy === null ? null : (stepAfter(policy, 0)?.after_ms ?? null);
  const { alert, opened } = await openAlert(transaction, {
    ...raised,
    id: newId(),
    policy,
    askedPolicy: raised.policy,
    firstStepMs,
  });
  const told = opened ? await tellOfAlert(transaction, alert, FIRST_TARGETS, { step: 0 }) : NOT_AGAIN;
  await recordAlertEvents(transaction, alert.id, told.events);
  const mails = told.nobody ? await mailNobody(transaction, operatorMail) : [];
  return { alert, opened, firstStepMs, ...told, notifications: [...told.notifications, ...mails] };
}

/** What ends the transaction of `raiseWithin`: what would only be held back goes into the bundles that are open. */
export async function bundleWritten(
  transaction: Statements,
  { alertLimits }: Pick<AlertingParts, 'alertLimits'>,
  written: WrittenAlert,
): Promise<WrittenAlert & Departures> {
  const departures = await bundleTold(transaction, alertLimits, written.alert, written.notifications);
  return { ...written, ...departures };
}

const NOT_AGAIN: Told = { notifications: [], notified: 0, nobody: false, events: [] };

/** What follows the commit: the jobs, and that it is known. */
export function announceRaised(
  { enqueuer, events }: Pick<AlertingParts, 'enqueuer' | 'events'>,
  { alert, opened, notified, nobody, firstStepMs, ...departures }: WrittenAlert & Departures,
): void {
  depart({ enqueuer, events }, departures);
  if (opened && firstStepMs !== null)
    void enqueuer.setAlarms([{ alertId: alert.id, step: 1, delayMs: firstStepMs }]);
  events.alertRaised({ alertId: alert.id, level: alert.level, opened, notified });
  if (nobody) events.nobodyToTell({ alertId: alert.id, level: alert.level, step: 0 });
}

async function policyFor(
  transaction: Statements,
  stepMs: number,
  { level, type, policy: asked, withoutPolicy }: RaisedAlert,
): Promise<EscalationPolicy | null> {
  if (asked === null && !LEVEL_RULES[level].escalates) return null;
  const written = await choosePolicy(transaction, { asked, alertType: type });
  if (written !== null) return written;
  if (asked === null) return builtInPolicy(stepMs);
  if (withoutPolicy !== true) throw unknownPolicy(asked);
  const other = await choosePolicy(transaction, { asked: null, alertType: type });
  return other ?? builtInPolicy(stepMs);
}

export function unknownPolicy(name: string): Refusal {
  const message = `There is no escalation policy "${name}": write it with PUT /api/v1/escalation-policies/${name}, or leave it out.`;
  return invalid([{ path: 'escalation_policy', message }], message, 'unknown_escalation_policy');
}
