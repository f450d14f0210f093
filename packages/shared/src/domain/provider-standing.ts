import type { Channel } from './channel.js';

/** How a worker finds one of its provider accounts. */
export interface ProviderStanding {
  /** The provider's name, and from the second account on its number: `smtp`, `smtp-2`. */
  readonly account: string;
  readonly channel: Channel;
  /** `closed`: in use. `open`: failing, others go first. `misconfigured`: it refuses our settings, and nobody asks it. */
  readonly state: 'closed' | 'open' | 'misconfigured';
  /** The provider's own word for why, such as `535`; null when closed. */
  readonly code: string | null;
  /** ISO 8601. */
  readonly since: string;
}
