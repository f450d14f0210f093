import type { Logger } from './log.js';
import { quietly } from './quiet-log.js';

/** What the fleet finds out about itself, and what strangers try at its doors. */
export interface WatchEvents {
  /** Somebody sent what only a provider may send. */
  signatureRefused(facts: { from: 'twilio' }): void;
}

export function watchEvents(log: Logger): WatchEvents {
  const complain = quietly(log);
  return {
    signatureRefused: ({ from }) =>
      complain(
        `signature:${from}`,
        { event: 'signature_refused', from },
        'a call was refused: it is not signed by the provider, or PUBLIC_URL is not the address that was signed',
      ),
  };
}
