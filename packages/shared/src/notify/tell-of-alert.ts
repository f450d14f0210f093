import type { AlertTargets } from '../domain/alert.js';
import { newId } from '../domain/ids.js';
import { acceptWithin, type NewNotification } from '../ledger/accept.js';
import { findAudience } from '../ledger/alert-audience.js';
import { type NewAlertEvent, recordAlertEvents } from '../ledger/alert-timeline.js';
import type { AlertRow } from '../ledger/alerts.js';
import type { Statements } from '../ledger/database.js';
import { alertNotification, type Telling } from './alert-notifications.js';

/**
 * Writes the notifications of one telling, and who is told into the timeline, in the transaction that holds the alert's row:
 * so everybody is told of it once, or the transaction never was.
 */
export async function tellOfAlert(
  transaction: Statements,
  alert: AlertRow,
  targets: AlertTargets,
  telling: Telling,
): Promise<NewNotification[]> {
  const { people, fellBack, leftOut } = await findAudience(transaction, alert.type, targets);
  const notifications = people.map((person) => alertNotification(alert, person, telling));
  await acceptWithin(transaction, [{ requestId: newId(), notifications, answer: null }]);
  const { step } = telling;
  const details = {
    ...(fellBack ? { instead: 'admins' } : {}),
    ...(leftOut > 0 ? { left_out: leftOut } : {}),
  };
  const told = notifications.map(
    ({ id, personId }): NewAlertEvent => ({
      kind: 'notified',
      step,
      details,
      notificationId: id,
      ...(personId === null ? {} : { personId }),
    }),
  );
  await recordAlertEvents(transaction, alert.id, told.length > 0 ? told : [{ kind: 'nobody', step }]);
  return notifications;
}
