import type { Statements } from './database.js';

/** A delivery that ends because another one tells of it, and that one. */
export interface HandedOver {
  readonly deliveryId: string;
  readonly carrierId: string;
}

/**
 * Ends deliveries that the caller holds: whoever carries them has them, and for them that is what a provider is for others.
 *
 * @param by what stands as their provider; @param code as the provider's answer; @param reason names the notification that tells
 * of them.
 */
export async function handOver(
  transaction: Statements,
  handed: readonly HandedOver[],
  { by, code, reason }: { readonly by: string; readonly code: string; readonly reason: string },
): Promise<void> {
  await transaction.rows(HAND_OVER, [
    handed.map(({ deliveryId }) => deliveryId),
    handed.map(({ carrierId }) => carrierId),
    reason,
    by,
    code,
  ]);
}

const HAND_OVER = `
WITH ended AS (
  UPDATE delivery d SET state = 'sent', reason = $3, provider = $4, provider_id = h.carrier,
    attempts = d.attempts + 1, tries = d.tries + 1, in_doubt = false, sent_at = now(), due_at = now(),
    lease_owner = NULL, lease_until = NULL, updated_at = now()
  FROM unnest($1::uuid[], $2::text[]) AS h(id, carrier) WHERE d.id = h.id
  RETURNING d.id, d.tries, d.claimed_at
)
INSERT INTO attempt (delivery_id, n, provider, outcome, code, started_at, finished_at)
SELECT id, tries, $4, 'sent', $5, claimed_at, now() FROM ended`;
