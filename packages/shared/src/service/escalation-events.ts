import type { AlertLevel } from '../domain/alert.js';
import type { Complain } from './complain.js';
import type { Logger } from './log.js';

/** What happens to alerts while nobody has acknowledged them. */
export interface EscalationEvents {
  /** A step of an escalation was committed, so long after it was due. */
  escalated(facts: {
    alertId: string;
    level: AlertLevel;
    step: number;
    notified: number;
    lateMs: number;
  }): void;
  /** There is nobody whom an alert could tell: no one on call, and no admin. */
  nobodyToTell(facts: { alertId: string; level: AlertLevel; step: number }): void;
  /** The last step of an escalation was taken, and nobody has acknowledged the alert. */
  escalationExhausted(facts: { alertId: string; level: AlertLevel; step: number }): void;
  escalationFailed(facts: { alertId: string; error: unknown }): void;
}

/** They as log lines. */
export function escalationLines(log: Logger, complain: Complain): EscalationEvents {
  return {
    escalated: ({ alertId, level, step, notified, lateMs }) =>
      log.info(
        { event: 'escalated', alert_id: alertId, level, step, notified, late_ms: Math.round(lateMs) },
        'alert escalated',
      ),
    nobodyToTell: ({ alertId, level, step }) =>
      log.error(
        { event: 'nobody_to_tell', alert_id: alertId, level, step },
        'an alert tells nobody: put people on call, or give somebody the role admin',
      ),
    escalationExhausted: ({ alertId, level, step }) =>
      log.error(
        { event: 'escalation_exhausted', alert_id: alertId, level, step },
        'nobody has acknowledged an alert, and its escalation has come to its end',
      ),
    escalationFailed: ({ alertId, error }) =>
      complain(
        `escalation:${alertId}`,
        { event: 'escalation_failed', alert_id: alertId, err: error },
        'a step of an escalation could not be taken; it is tried again',
      ),
  };
}
