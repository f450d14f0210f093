import { newId } from '../domain/ids.js';
import type { KeptAnswer } from './accept.js';
import type { Database, Statements } from './database.js';

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

/** Keeps an answer, in the transaction of what it is the answer to. False when the key was taken already. */
export async function keepAnswer(transaction: Statements, answer: KeptAnswer): Promise<boolean> {
  const rows = await transaction.rows(
    `INSERT INTO idempotency_key (caller, key, request_id, fingerprint, status, body) VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (caller, key) DO NOTHING RETURNING 1`,
    [answer.caller, answer.key, newId(), answer.fingerprint, answer.status, JSON.stringify(answer.body)],
  );
  return rows.length > 0;
}
