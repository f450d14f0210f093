import type { Statements } from './database.js';

/** Who is on call for a type of alert now, each person once; people may be among them who are not active, or are not here. */
export async function onCallFor(statements: Statements, alertType: string): Promise<readonly string[]> {
  const [row] = await statements.rows<{ userIds: string[] }>(
    'SELECT user_ids AS "userIds" FROM on_call WHERE alert_type = $1',
    [alertType],
  );
  return row?.userIds ?? [];
}
