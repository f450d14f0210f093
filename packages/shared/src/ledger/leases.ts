import type { Database } from './database.js';

/**
 * Renews the leases of what this worker has in its hands. Returns the ids it still holds; one that is missing was taken
 * over, and must not be sent.
 */
export async function renewLeases(
  database: Database,
  owner: string,
  leaseMs: number,
  ids: readonly string[],
): Promise<Set<string>> {
  const rows = await database.rows<{ id: string }>(
    `UPDATE delivery SET lease_until = now() + $3 * interval '1 millisecond'
     WHERE id IN (SELECT id FROM delivery WHERE id = ANY($1::uuid[]) AND lease_owner = $2 AND state = 'sending'
       ORDER BY id FOR UPDATE SKIP LOCKED)
     RETURNING id`,
    [ids, owner, leaseMs],
  );
  return new Set(rows.map((row) => row.id));
}
