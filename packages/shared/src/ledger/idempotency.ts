import type { Database } from './database.js';

/** An answer that was given to an earlier call with the same key. */
export interface EarlierAnswer {
  readonly fingerprint: string;
  readonly status: number;
  readonly body: unknown;
}

/**
 * The answer kept under a caller's key, or null when there is none. One that is older than 24 h is forgotten here and
 * now, so that its key can be taken again without waiting for the upkeep.
 */
export async function findAnswer(
  database: Database,
  caller: string,
  key: string,
): Promise<EarlierAnswer | null> {
  const rows = await database.rows<EarlierAnswer & Record<string, unknown>>(
    `WITH forgotten AS (
       DELETE FROM idempotency_key WHERE caller = $1 AND key = $2 AND created_at < now() - interval '24 hours'
     )
     SELECT fingerprint, status, body FROM idempotency_key
     WHERE caller = $1 AND key = $2 AND created_at >= now() - interval '24 hours'`,
    [caller, key],
  );
  return rows[0] ?? null;
}
