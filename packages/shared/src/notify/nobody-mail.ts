import { newId } from '../domain/ids.js';
import type { NewNotification } from '../ledger/accept.js';
import type { AlertRow } from '../ledger/alerts.js';
import { alertTitle } from './alert-notifications.js';

/**
 * The mail to the operator about an alert that nobody could be told of: at once and critical, one for each telling that found
 * nobody. Like everything that tells of an alert it is called off once somebody has acknowledged it.
 *
 * @param step 0 for the opening.
 */
export function nobodyMail(alert: AlertRow, step: number, to: string): NewNotification {
  return {
    id: newId(),
    personId: null,
    eventType: null,
    templateVersion: null,
    type: 'alert_without_receiver',
    title: `NOBODY WAS TOLD: ${alertTitle(alert)}`,
    message: textOf(alert, step),
    html: null,
    context: {},
    data: {},
    priority: 'critical',
    caller: 'belfry',
    reason: null,
    sendAt: null,
    expiresAt: null,
    alertId: alert.id,
    alertStep: step,
    deliveries: [{ id: newId(), channel: 'email', address: to, state: 'queued', reason: null }],
  };
}

function textOf({ id, type, severity, source, openedAt, message }: AlertRow, step: number): string {
  return [
    step === 0
      ? 'An alert was opened, and there is nobody whom Belfry could tell: no one on call and no admin can be reached.'
      : `Step ${step} of the escalation of an alert found nobody whom Belfry could tell: neither those who were named nor an admin can be reached.`,
    '',
    message,
    '',
    `Type: ${type}`,
    `Severity: ${severity}`,
    ...(source === null ? [] : [`Source: ${source}`]),
    `Opened: ${openedAt.toISOString()}`,
    `Alert: ${id}`,
    '',
    `Until somebody acknowledges it (POST /api/v1/alerts/${id}/acknowledge), it goes on as its policy says, and /ready is degraded.`,
    `Put somebody on call with PUT /api/v1/on-call/${type}, or give a person the role admin, and an address.`,
  ].join('\n');
}
