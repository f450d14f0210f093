import type { DeliveryState } from '../domain/delivery-state.js';
import type { Statements } from './database.js';
import { isWaiting } from './states.js';
import { type JobSeed, SEED } from './waiting.js';

/**
 * Makes deliveries that wait for their time due now; `send_at` stays what the caller asked for. The others are left alone.
 * The generation rises: the job that is made for each has a name of its own, and should it never come to be made, the
 * reconciler makes it.
 */
export function makeDue(transaction: Statements, ids: readonly string[]): Promise<JobSeed[]> {
  return transaction.rows<JobSeed & Record<string, unknown>>(
    `UPDATE delivery SET due_at = now(), updated_at = now(), generation = generation + 1
     WHERE id IN (SELECT id FROM delivery WHERE id = ANY($1::uuid[]) AND ${isWaiting('state')} AND due_at > now()
       ORDER BY id FOR UPDATE)
     RETURNING ${SEED}`,
    [ids],
  );
}

/** Where a delivery is, and the generation of its last job. */
export interface Standing {
  readonly state: DeliveryState;
  readonly generation: number;
}

/** Null when the ledger does not have the delivery. */
export async function standingOf(database: Statements, id: string): Promise<Standing | null> {
  const [row] = await database.rows<Standing & Record<string, unknown>>(
    'SELECT state, generation FROM delivery WHERE id = $1',
    [id],
  );
  return row ?? null;
}
