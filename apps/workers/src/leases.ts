import type { Claimed } from '@belfry/shared/ledger/claim.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import { renewLeases } from '@belfry/shared/ledger/leases.js';
import type { Events } from '@belfry/shared/service/events.js';
import { every, type Running } from '@belfry/shared/service/lifecycle.js';
import { within } from '@belfry/shared/service/within.js';

/** A claim holds this long without being renewed: a lost worker's delivery is free again by then. */
export const LEASE_MS = 6_000;
const RENEW_MS = 1_500;
const RENEW_TIMEOUT_MS = 2_000;

/** One delivery in this worker's hands. */
export interface Lease {
  /** Fires when the delivery was taken over, or when the process is told to let go. */
  readonly signal: AbortSignal;
  /** False when the lease may have lapsed: the delivery must not be sent then. */
  valid(): boolean;
  release(): void;
}

/** All deliveries in this worker's hands. */
export interface Leases extends Running {
  /** @param since the process's monotonic clock before the claim was asked for. */
  hold(claim: Claimed, since: number): Lease;
  /** Lets go of everything: sends under way are called off, and say how far they came. */
  abandon(): void;
}

interface Held {
  readonly controller: AbortController;
  /** By the process's own monotonic clock, which no change of the time of day moves. */
  until: number;
}

/**
 * Keeps the leases of what is in hand, in one statement for all. The expiry is reckoned from before the statement was
 * sent, so this process never believes in a lease longer than the ledger does.
 */
export function createLeases(database: Database, owner: string, events: Events): Leases {
  const held = new Map<string, Held>();

  const renewal = every(RENEW_MS, async () => {
    if (held.size === 0) return;
    const asked = new Map(held);
    const until = performance.now() + LEASE_MS;
    const renewed = renewLeases(database, owner, LEASE_MS, [...asked.keys()]).then(
      (kept) => {
        for (const [id, lease] of asked) if (kept.has(id)) lease.until = until;
      },
      (error: unknown) => events.connectionFailed({ part: 'database', error }),
    );
    await within(RENEW_TIMEOUT_MS, renewed);
    dropLapsed();
  });

  /**
   * A row that is locked at this moment is not renewed either, so only a lease that has run out counts as lost. Its send
   * is called off even when the ledger is away: others may reach it, and take the delivery over.
   */
  function dropLapsed(): void {
    const lapsed = [...held].filter(([, lease]) => performance.now() >= lease.until);
    for (const [id, lease] of lapsed) {
      held.delete(id);
      lease.controller.abort(new Error('The lease was lost.'));
    }
    if (lapsed.length > 0) events.leaseLost({ deliveries: lapsed.length });
  }

  return {
    hold(claim, since) {
      const controller = new AbortController();
      const lease: Held = { controller, until: since + LEASE_MS };
      held.set(claim.deliveryId, lease);
      return {
        signal: controller.signal,
        valid: () => !controller.signal.aborted && performance.now() < lease.until,
        release() {
          if (held.get(claim.deliveryId) === lease) held.delete(claim.deliveryId);
        },
      };
    },
    abandon() {
      for (const lease of held.values()) lease.controller.abort(new Error('The worker is stopping.'));
    },
    stop: () => renewal.stop(),
  };
}
