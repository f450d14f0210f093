import type { Database } from './database.js';

/** An answer that was given to an earlier call with the same key. */
export interface EarlierAnswer {
  readonly fingerprint: string;
  readonly status: number;
  readonly body: unknown;
}

/** The answer kept under a caller's key, or null when there is none. Keys older than 24 h count as forgotten. */
export async function findAnswer(
  database: Database,
  caller: string,
  key: string,
): Promise<EarlierAnswer | null> {
  const rows = await database.rows<EarlierAnswer & Record<string, unknown>>(
    'SELECT fingerprint, status, body FROM idempotency_key WHERE caller = $1 AND key = $2',
    [caller, key],
  );
  return rows[0] ?? null;
}
