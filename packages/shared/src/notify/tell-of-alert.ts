import { type AlertTargets, LEVEL_RULES } from '../domain/alert.js';
import type { Channel } from '../domain/channel.js';
import { newId } from '../domain/ids.js';
import { acceptWithin, type NewNotification } from '../ledger/accept.js';
import { type AlertAudience, findAudience } from '../ledger/alert-audience.js';
import type { NewAlertEvent } from '../ledger/alert-timeline.js';
import type { AlertRow } from '../ledger/alerts.js';
import type { Statements } from '../ledger/database.js';
import { keepUntold } from '../ledger/unheard-alerts.js';
import { alertNotification, type Telling } from './alert-notifications.js';

/** What one telling of an alert came to. */
export interface Told {
  /** Everything that was written and needs jobs. */
  readonly notifications: readonly NewNotification[];
  /** How many people are told. */
  readonly notified: number;
  /** Nobody is: there is no one, or none of them can be reached but in an inbox. */
  readonly nobody: boolean;
  /** What the timeline is to say of it. */
  readonly events: readonly NewAlertEvent[];
}

/**
 * Writes the notifications of one telling in the transaction that holds the alert's row: so everybody is told of it once, or the
 * transaction never was. The events are to follow, and `mailNobody` when nobody can be told.
 */
export async function tellOfAlert(
  transaction: Statements,
  alert: AlertRow,
  targets: AlertTargets,
  telling: Telling,
): Promise<Told> {
  const { step } = telling;
  const audience = await findAudience(transaction, alert.type, targets);
  const told = notificationsFor(alert, audience, telling);
  const isReached = reachedOn(telling.channels ?? LEVEL_RULES[alert.level].channels);
  // Whoever was named may have no address on any of the channels: that is as good as nobody.
  const others =
    told.some(isReached) || audience.fellBack || targets.admins === true
      ? []
      : await toAdmins(transaction, alert, audience, telling);
  const notifications = [...told, ...others];
  const nobody = !notifications.some(isReached);
  await acceptWithin(transaction, [{ requestId: newId(), notifications, answer: null }]);
  if (nobody || alert.untold) await keepUntold(transaction, alert.id, nobody);
  const events = [
    ...told.map((one) => notified(one, step, detailsOf(audience))),
    ...others.map((one) => notified(one, step, { instead: 'admins' })),
    ...(nobody ? [{ kind: 'nobody' as const, step }] : []),
  ];
  return { notifications, notified: notifications.length, nobody, events };
}

function notificationsFor(
  alert: AlertRow,
  { people }: Pick<AlertAudience, 'people'>,
  telling: Telling,
): NewNotification[] {
  return people.map((person) => alertNotification(alert, person, telling));
}

async function toAdmins(
  transaction: Statements,
  alert: AlertRow,
  before: AlertAudience,
  telling: Telling,
): Promise<NewNotification[]> {
  const known = new Set(before.people.map(({ id }) => id));
  const { people } = await findAudience(transaction, alert.type, { admins: true });
  return notificationsFor(alert, { people: people.filter(({ id }) => !known.has(id)) }, telling);
}

/**
 * Whether a notification reaches its person: everybody has an inbox, and perhaps nobody looks at it, so that counts only where
 * the alert is to be told nowhere else.
 */
function reachedOn(channels: readonly Channel[]): (notification: NewNotification) => boolean {
  const others = channels.filter((channel) => channel !== 'realtime');
  return ({ reason, deliveries }) =>
    reason === null &&
    (others.length === 0 ||
      deliveries.some(({ channel, state }) => channel !== 'realtime' && state !== 'skipped'));
}

function detailsOf({ fellBack, leftOut }: AlertAudience): Record<string, unknown> {
  return { ...(fellBack ? { instead: 'admins' } : {}), ...(leftOut > 0 ? { left_out: leftOut } : {}) };
}

function notified(
  { id, personId }: NewNotification,
  step: number,
  details: Record<string, unknown>,
): NewAlertEvent {
  const person = personId === null ? {} : { personId };
  return { kind: 'notified', step, details, notificationId: id, ...person };
}
