import { type AlertLevel, LEVEL_RULES, tellsOfSeveralAlerts } from '../domain/alert.js';
import { CHANNELS, type Channel } from '../domain/channel.js';
import type { FailureClass } from '../domain/failure.js';
import type { Claimed } from '../ledger/claim.js';
import { wishAgainst } from './preferences.js';
import { quietFor } from './quiet-hours.js';

/** Why a claimed delivery must not be sent after all, or not yet. */
export interface Objection {
  readonly state: 'suppressed' | 'cancelled' | 'expired' | 'dead' | 'scheduled';
  readonly reason: string;
  /** Only of a scheduled one: when to look again, from its claim on. */
  readonly dueInMs?: number;
  /** Only of a dead one. */
  readonly failure?: FailureClass;
}

export interface GuardRules {
  /** A delivery that lost this many workers is taken to be what kills them. */
  readonly poisonAfter: number;
  /** The channels on which an event goes out whatever people have switched off. */
  readonly mandatory: (eventType: string | null) => readonly Channel[];
}

/**
 * Law 10: a person's wish is checked again right before the send, since minutes or months may lie between. Null when
 * nothing stands against it. Somebody who has quiet hours now is told when they end, and of what would expire before, never.
 */
export function objectionTo(claim: Claimed, { poisonAfter, mandatory }: GuardRules): Objection | null {
  if (claim.expired) return { state: 'expired', reason: 'expired' };
  if (claim.calledOff) return { state: 'cancelled', reason: 'broadcast_cancelled' };
  if (claim.address === '')
    return { state: 'suppressed', reason: claim.person === null ? 'person_erased' : 'no_address' };
  if (claim.suppressed !== null) return { state: 'suppressed', reason: claim.suppressed };
  if (claim.interruptions >= poisonAfter)
    return { state: 'dead', reason: 'lost_too_many_workers', failure: 'poison' };
  const { alert } = claim.notification;
  if (alert !== null && alert.status !== 'open')
    return { state: 'cancelled', reason: `alert_${alert.status}` };
  if (claim.notification.personId === null) return null;
  if (claim.person === null) return { state: 'suppressed', reason: 'person_erased' };
  if (!claim.person.active) return { state: 'suppressed', reason: 'person_inactive' };
  const { eventType } = claim.notification;
  const whatever = mandatoryOn(claim, mandatory(eventType));
  const unwished = wishAgainst(claim.channel, { eventType, mandatory: whatever }, claim.person);
  if (unwished !== null) return { state: 'suppressed', reason: unwished };
  // Taken away, or registered by somebody else since: whoever holds it now must not read this.
  if (claim.channel === 'push' && claim.device === null)
    return { state: 'suppressed', reason: 'device_gone' };
  const { priority, claimedAt: at, expiresAt } = claim;
  const quiet = quietFor(claim.person, { priority, at, expiresAt });
  if (quiet === null) return null;
  if (quiet.expires) return { state: 'expired', reason: 'expires_in_quiet_hours' };
  return { state: 'scheduled', reason: 'quiet_hours', dueInMs: quiet.until.getTime() - at.getTime() };
}

/** What was held back was wished for, alert by alert, when it was. */
function mandatoryOn({ notification }: Claimed, ofEvent: readonly Channel[]): readonly Channel[] {
  if (notification.alert !== null) return mandatoryFor(notification.alert.level);
  return tellsOfSeveralAlerts(notification) ? CHANNELS : ofEvent;
}

/** The channels on which an alert of a level is told whatever people have switched off. */
export function mandatoryFor(level: AlertLevel): readonly Channel[] {
  return LEVEL_RULES[level].mandatory ? CHANNELS : [];
}
