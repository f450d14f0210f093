import { complainQuietly } from './complain.js';
import type { Logger } from './log.js';

/** What the fleet finds out about itself, and what strangers try at its doors. */
export interface WatchEvents {
  /** Somebody sent what only a provider may send. */
  signatureRefused(facts: { from: 'twilio' }): void;
  /** Nobody has taken the next steps of alerts that are open. */
  alertsOverdue(facts: { alerts: number; oldestSeconds: number }): void;
  /** What the fleet sends to itself does not arrive any more. */
  canaryMissing(facts: { seconds: number }): void;
  /** The outside was told that all is well; `why` it could not be told is null when it was. */
  deadManPinged(facts: { why: string | null }): void;
}

export function watchEvents(log: Logger): WatchEvents {
  const complain = complainQuietly(log);
  const cry = complainQuietly(log, 'error');
  return {
    signatureRefused: ({ from }) =>
      complain(
        `signature:${from}`,
        { event: 'signature_refused', from },
        'a call was refused: it is not signed by the provider, or PUBLIC_URL is not the address that was signed',
      ),
    alertsOverdue: ({ alerts, oldestSeconds }) =>
      cry(
        'overdue',
        { event: 'alerts_overdue', alerts, oldest_seconds: Math.round(oldestSeconds) },
        'open alerts are not escalated: no worker takes the steps that are due',
      ),
    canaryMissing: ({ seconds }) =>
      cry(
        'canary',
        { event: 'canary_missing', seconds: Math.round(seconds) },
        'what the fleet sends to itself does not arrive: nothing may be going out',
      ),
    deadManPinged: ({ why }) => {
      if (why !== null)
        complain(
          'dead-man',
          { event: 'dead_man_not_told', why },
          'DEADMAN_URL could not be told that all is well',
        );
    },
  };
}
