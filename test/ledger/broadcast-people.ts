import { newId } from '@belfry/shared/domain/ids.js';
import { createBroadcasts, findBroadcast, type NewBroadcast } from '@belfry/shared/ledger/broadcasts.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import { type FanOutBounds, type FanOutParts, fanOutStep, type Step } from '@belfry/shared/notify/fan-out.js';
import { SILENT, type withEngine } from './with-engine.js';
import { OPS } from './with-ledger.js';

/** Small chunks, and no end of what may be open. */
export const BOUNDS: FanOutBounds = { chunk: 10, open: 1_000_000 };

/** The ids that `addPeople` gives. */
export const ids = (...numbers: readonly number[]) => numbers.map((n) => `p${String(n).padStart(5, '0')}`);
/** The same, from one number on and up to another one. */
export const range = (from: number, to: number) =>
  ids(...Array.from({ length: to - from }, (_, index) => from + index));

/** Fans out as a worker does, step by step or to the end. */
export function fanOutOn(at: ReturnType<typeof withEngine>) {
  const partsOf = (database: Database): FanOutParts => ({ database, enqueuer: at.enqueuer, events: SILENT });
  const step = (id: string, bounds = BOUNDS, database = at.ledger.one) =>
    fanOutStep(partsOf(database), id, bounds);
  async function run(id: string, bounds = BOUNDS, database = at.ledger.one): Promise<Step[]> {
    const steps: Step[] = [];
    for (;;) {
      const one = await step(id, bounds, database);
      steps.push(one);
      if (one.kind === 'over') return steps;
    }
  }
  return { partsOf, step, run };
}

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
