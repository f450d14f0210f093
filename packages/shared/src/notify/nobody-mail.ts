import { newId } from '../domain/ids.js';
import type { OperatorMail } from '../domain/operator-mail.js';
import { acceptWithin, type NewNotification } from '../ledger/accept.js';
import type { AlertRow } from '../ledger/alerts.js';
import type { Database, Statements } from '../ledger/database.js';
import { retryTransient } from '../ledger/retry-transient.js';
import { takeUnmailed, type UnheardAlerts } from '../ledger/unheard-alerts.js';
import type { Enqueuer } from '../queue/enqueuer.js';
import { alertTitle } from './alert-notifications.js';
import { noteToOperator } from './note-to-operator.js';
import { seedsOf } from './notifier.js';

/**
 * Writes the mail to the operator about the open alerts that nobody could be told of, or that nobody has acknowledged by the
 * end of their escalation, if there are any and it is time for one: at once and critical, in the transaction of the telling, and
 * one for all that come until the next may be written. It returns what was written. The mail of one alert is called off like
 * everything that tells of it once somebody has acknowledged it.
 */
export async function mailNobody(
  transaction: Statements,
  operator: OperatorMail | null,
): Promise<readonly NewNotification[]> {
  if (operator === null) return [];
  const unheard = await takeUnmailed(transaction, operator.everyMs);
  if (unheard === null) return [];
  const mail = mailOf(unheard, operator.to);
  await acceptWithin(transaction, [{ requestId: newId(), notifications: [mail], answer: null }]);
  return [mail];
}

/** The same for what came while no mail was to be written. */
export async function mailNobodyLater(
  { database, enqueuer }: { readonly database: Database; readonly enqueuer: Pick<Enqueuer, 'enqueue'> },
  operator: OperatorMail,
): Promise<void> {
  const written = await retryTransient(() =>
    database.transaction((transaction) => mailNobody(transaction, operator)),
  );
  enqueuer.enqueue(written.flatMap(seedsOf));
}

const KIND = { type: 'alert_without_receiver', priority: 'critical' } as const;

function mailOf({ alerts, total, untold }: UnheardAlerts, to: string): NewNotification {
  const what = untold ? 'NOBODY WAS TOLD' : 'NOBODY HAS ACKNOWLEDGED';
  const [alert] = alerts;
  if (alert === undefined || total > 1)
    return noteToOperator(to, {
      ...KIND,
      title: `${what}: ${total} alerts`,
      lines: severalIn(alerts, total),
    });
  const mail = noteToOperator(to, { ...KIND, title: `${what}: ${alertTitle(alert)}`, lines: oneIn(alert) });
  return { ...mail, alertId: alert.id, alertStep: alert.steps };
}

function oneIn(alert: AlertRow): string[] {
  const { id, type, severity, source, openedAt, message, untold, exhausted } = alert;
  return [
    saidOf(alert),
    '',
    message,
    '',
    `Type: ${type}`,
    `Severity: ${severity}`,
    ...(source === null ? [] : [`Source: ${source}`]),
    `Opened: ${openedAt.toISOString()}`,
    `Alert: ${id}`,
    '',
    `Until somebody acknowledges it (POST /api/v1/alerts/${id}/acknowledge), ${exhausted ? 'it stays open; nothing more is told of it' : 'it goes on as its policy says'}.`,
    ...(untold
      ? [
          `Put somebody on call with PUT /api/v1/on-call/${type}, or give a person the role admin, and an address.`,
        ]
      : []),
  ];
}

function saidOf({ steps, untold }: AlertRow): string {
  if (!untold)
    return `Nobody has acknowledged an alert, and step ${steps} of its escalation was the last one.`;
  return steps === 0
    ? 'An alert was opened, and there is nobody whom Belfry could tell: no one on call and no admin can be reached.'
    : `Step ${steps} of the escalation of an alert found nobody whom Belfry could tell: neither those who were named nor an admin can be reached.`;
}

function severalIn(alerts: readonly AlertRow[], total: number): string[] {
  return [
    `${total} alerts are open of which Belfry could tell nobody, or which nobody has acknowledged by the end of their escalation.`,
    '',
    ...alerts.map(lineOf),
    ...(total > alerts.length ? [`and ${total - alerts.length} others: GET /api/v1/alerts?status=open`] : []),
  ];
}

function lineOf({ level, type, source, message, id, untold }: AlertRow): string {
  const from = source === null ? '' : ` (${source})`;
  return `${level.toUpperCase()} ${type}${from} ${message} [${untold ? 'told nobody' : 'not acknowledged'}, ${id}]`;
}
