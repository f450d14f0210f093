import type { Database } from '@belfry/shared/ledger/database.js';

/**
 * `count` mails that died one after the other, a second apart, the last one `age` seconds ago. Returns their ids in the
 * order of their death.
 */
export async function dieInNumbers(database: Database, count: number, age = 0): Promise<string[]> {
  const rows = await database.rows<{ id: string }>(
    `WITH n AS (
       INSERT INTO notification (id, type, priority, caller, dead_count)
       SELECT gen_random_uuid(), 'info', 'normal', 'test', 1 FROM generate_series(1, $1::int) RETURNING id
     ), placed AS (SELECT id, row_number() OVER () AS place FROM n)
     INSERT INTO delivery (id, notification_id, channel, priority, address, state, reason, failure, dead_at)
     SELECT gen_random_uuid(), id, 'email', 'normal', 'n' || place || '@dead.test', 'dead', 'attempts_exhausted',
       'exhausted', now() - ($2::int + $1::int - place) * interval '1 second'
     FROM placed ORDER BY place RETURNING id`,
    [count, age],
  );
  await database.rows('ANALYZE delivery');
  return rows.map(({ id }) => id);
}

/** Microseconds between one due time and the next. */
export function gaps(dueAt: readonly string[]): number[] {
  const micros = dueAt.map(
    (text) => Date.parse(`${text.slice(0, 19)}Z`) * 1_000 + Number(text.slice(20, 26)),
  );
  return micros.slice(1).map((at, index) => at - (micros[index] ?? 0));
}
