import type { Channel } from './channel.js';

/**
 * How an account is found, the better first. `closed`: in use. `open`: failing too often, others go first. `misconfigured`: it
 * refuses our settings, and nobody asks it. The words are those of a circuit breaker.
 */
export const PROVIDER_TROUBLE = ['closed', 'open', 'misconfigured'] as const;

/** How a worker finds one of its provider accounts. */
export interface ProviderStanding {
  /** The provider's name, and from the second account on its number: `smtp`, `smtp-2`. */
  readonly account: string;
  readonly channel: Channel;
  readonly state: (typeof PROVIDER_TROUBLE)[number];
  /** The provider's own word for why, such as `535`; null when closed. */
  readonly code: string | null;
  /** ISO 8601. */
  readonly since: string;
}
