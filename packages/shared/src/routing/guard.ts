import type { FailureClass } from '../domain/failure.js';
import type { Claimed } from '../ledger/claim.js';
import { effectivePreferences } from './preferences.js';

/** Why a claimed delivery must not be sent after all. */
export interface Objection {
  readonly state: 'suppressed' | 'expired' | 'dead';
  readonly reason: string;
  /** Only of a dead one. */
  readonly failure?: FailureClass;
}

/**
 * Law 10: a person's wish is checked again right before the send, since minutes or months may lie between. Null when
 * nothing stands against it.
 *
 * @param poisonAfter a delivery that lost this many workers is taken to be what kills them.
 */
export function objectionTo(claim: Claimed, poisonAfter: number): Objection | null {
  if (claim.expired) return { state: 'expired', reason: 'expired' };
  if (claim.address === '')
    return { state: 'suppressed', reason: claim.person === null ? 'person_erased' : 'no_address' };
  if (claim.suppressed !== null) return { state: 'suppressed', reason: claim.suppressed };
  if (claim.interruptions >= poisonAfter)
    return { state: 'dead', reason: 'lost_too_many_workers', failure: 'poison' };
  if (claim.notification.personId === null) return null;
  if (claim.person === null) return { state: 'suppressed', reason: 'person_erased' };
  if (!claim.person.active) return { state: 'suppressed', reason: 'person_inactive' };
  if (!effectivePreferences(claim.person.preferences)[claim.channel]) {
    return { state: 'suppressed', reason: 'preference_off' };
  }
  // Taken away, or registered by somebody else since: whoever holds it now must not read this.
  if (claim.channel === 'push' && claim.device === null)
    return { state: 'suppressed', reason: 'device_gone' };
  return null;
}
