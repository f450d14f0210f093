import type { Statements } from './database.js';

/** A delivery that ends because another one tells of it, and that one. */
export interface HandedOver {
  readonly deliveryId: string;
  readonly carrierId: string;
}

/** What tells of several, and what it has done with each: what the ledger has as the provider and its answer. */
const CARRIERS = { digest: 'gathered', bundle: 'bundled' } as const;
export type CarrierKind = keyof typeof CARRIERS;

/** The reason of a delivery that was handed over, which names the notification that tells of it. */
export function handedOverTo(by: CarrierKind, notificationId: string): string {
  return `${CARRIERS[by]}_into:${notificationId}`;
}

/**
 * Ends deliveries that the caller holds: whoever carries them has them, and for them that is what a provider is for others.
 *
 * @param into the notification that tells of them.
 */
export async function handOver(
  transaction: Statements,
  handed: readonly HandedOver[],
  by: CarrierKind,
  into: string,
): Promise<void> {
  const given =
    '(SELECT id, carrier, $3::uuid AS "into" FROM unnest($1::uuid[], $2::text[]) AS g(id, carrier))';
  await transaction.rows(`WITH ${handingOver(given, by)} SELECT 1 FROM tried`, [
    handed.map(({ deliveryId }) => deliveryId),
    handed.map(({ carrierId }) => carrierId),
    into,
  ]);
}

/**
 * The same as a part of a statement, whose first two tables it is: `ended`, with the deliveries, and `tried`.
 *
 * @param given rows of `id`, `carrier` and `into`: a delivery, and the delivery and the notification that tell of it.
 */
export function handingOver(given: string, by: CarrierKind): string {
  return `ended AS (
  UPDATE delivery d SET state = 'sent', reason = '${handedOverTo(by, '')}' || h."into", provider = '${by}', provider_id = h.carrier,
    attempts = d.attempts + 1, tries = d.tries + 1, in_doubt = false, sent_at = now(), due_at = now(),
    lease_owner = NULL, lease_until = NULL, updated_at = now()
  FROM ${given} AS h WHERE d.id = h.id
  RETURNING d.id, d.tries, d.claimed_at
), tried AS (
  INSERT INTO attempt (delivery_id, n, provider, outcome, code, started_at, finished_at)
  SELECT id, tries, '${by}', 'sent', '${CARRIERS[by]}', coalesce(claimed_at, now()), now() FROM ended
  RETURNING delivery_id
)`;
}
