import { DEFAULT_POLICY, type EscalationPolicy } from '../domain/alert.js';
import type { Statements } from './database.js';

/**
 * The policy that an alert follows: the one that was asked for, else the one named as its type, else `default`. Null when none
 * of them has been written.
 */
export async function choosePolicy(
  statements: Statements,
  { asked, alertType }: { readonly asked: string | null; readonly alertType: string },
): Promise<EscalationPolicy | null> {
  const names = asked === null ? [alertType, DEFAULT_POLICY] : [asked];
  const [row] = await statements.rows<EscalationPolicy & Record<string, unknown>>(
    `SELECT name, steps, repeat FROM escalation_policy WHERE name = ANY($1::text[])
     ORDER BY array_position($1::text[], name) LIMIT 1`,
    [names],
  );
  return row ?? null;
}
