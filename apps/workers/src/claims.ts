import { type Claim, type Claimed, claimDeliveries, isSuspect } from '@belfry/shared/ledger/claim.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import { isOutage } from '@belfry/shared/ledger/outage.js';
import { BatcherFull, createBatcher } from '@belfry/shared/service/batcher.js';
import { LEASE_MS } from './leases.js';

/** How this worker gets its deliveries. */
export interface Claims {
  claim(deliveryId: string): Promise<Claim>;
  /** The delivery is out of this worker's hands. */
  done(claim: Claimed): void;
}

/**
 * Claims many deliveries in one statement, and never has more than one suspect in hand: what was with two lost workers
 * goes out alone, so whatever kills this worker takes no other suspect along. All else goes on beside it.
 */
export function createClaims(database: Database, owner: string): Claims {
  /** The suspect in hand by its claim, or that one is being asked for. */
  let suspect: string | 'asked' | null = null;

  async function run(ids: readonly string[]): Promise<Claim[]> {
    const free = suspect === null;
    if (free) suspect = 'asked';
    try {
      const claims = await claimDeliveries(database, owner, LEASE_MS, ids, free);
      const found = claims.find((claim) => claim.kind === 'claimed' && isSuspect(claim));
      if (free) suspect = found?.kind === 'claimed' ? nameOf(found) : null;
      return claims;
    } catch (error) {
      if (free) suspect = null;
      throw error;
    }
  }

  const batcher = createBatcher<string, Claim>({ batch: 300, flights: 2, waiting: 20_000, run });
  return {
    claim: (deliveryId) => batcher.add(deliveryId).catch(notNow),
    done(claim) {
      if (suspect === nameOf(claim)) suspect = null;
    },
  };
}

/** One claim: the late end of an earlier one of the same delivery, whose lease ran out, frees nothing. */
function nameOf({ deliveryId, claim }: Claimed): string {
  return `${deliveryId} ${claim}`;
}

/** While the ledger is away, or has too much to do, a job waits without spending one of its attempts. */
function notNow(error: unknown): Claim {
  if (!isOutage(error) && !(error instanceof BatcherFull)) throw error;
  return { kind: 'busy', waitMs: 1_000 + Math.random() * 2_000 };
}
