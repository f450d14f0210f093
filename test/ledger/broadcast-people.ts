import { newId } from '@belfry/shared/domain/ids.js';
import { createBroadcasts, findBroadcast, type NewBroadcast } from '@belfry/shared/ledger/broadcasts.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import { OPS } from './with-ledger.js';

/** Adds `count` people, `p00000` and so on, who were there an hour ago; with `group`, as its members. */
export async function addPeople(database: Database, count: number, group?: string): Promise<void> {
  await database.rows(
    `INSERT INTO person (id, email, created_at)
     SELECT 'p' || lpad(n::text, 5, '0'), 'p' || n || '@example.org', now() - interval '1 hour'
     FROM generate_series(0, $1 - 1) AS n ON CONFLICT DO NOTHING`,
    [count],
  );
  if (group === undefined) return;
  await database.rows(
    `INSERT INTO group_member (group_id, person_id, created_at)
     SELECT $2, 'p' || lpad(n::text, 5, '0'), now() - interval '1 hour' FROM generate_series(0, $1 - 1) AS n
     ON CONFLICT DO NOTHING`,
    [count, group],
  );
}

/** Writes a broadcast that is due now, by default to everybody's inbox. */
export async function broadcastTo(database: Database, change: Partial<NewBroadcast> = {}): Promise<string> {
  const one: NewBroadcast = {
    id: newId(),
    type: 'system',
    title: 'System Notification',
    message: 'The portal has a new address.',
    data: {},
    priority: 'normal',
    channels: ['realtime'],
    groups: [],
    sendAt: null,
    expiresAt: null,
    ...change,
  };
  await createBroadcasts(database, [one], OPS, () => null);
  return one.id;
}

/** Where a broadcast is: its status, how many it is for, and how many it has come to. */
export async function standingOf(database: Database, id: string) {
  const found = await findBroadcast(database, id);
  if (found === null) throw new Error('There is no such broadcast.');
  const { status, total, reached } = found.broadcast;
  return { status, total, reached };
}

/** The people who have a notification of a broadcast, one entry for each notification. */
export async function toldBy(database: Database, id: string): Promise<string[]> {
  const rows = await database.rows<{ id: string }>(
    'SELECT person_id AS id FROM notification WHERE broadcast_id = $1 ORDER BY person_id',
    [id],
  );
  return rows.map((row) => row.id);
}
