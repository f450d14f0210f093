import assert from 'node:assert/strict';
import type { Fleet } from '../support/fleet.js';

/** Tables that say what was accepted, each with its number of rows. */
export type Rows = Readonly<Record<'person' | 'notification' | 'delivery' | 'idempotency_key', number>>;

/** How many rows there are at this moment. */
export async function rowsIn(fleet: Fleet): Promise<Rows> {
  const { rows } = await fleet.database.query<Rows>(
    `SELECT (SELECT count(*)::int FROM person) AS person, (SELECT count(*)::int FROM notification) AS notification,
       (SELECT count(*)::int FROM delivery) AS delivery, (SELECT count(*)::int FROM idempotency_key) AS idempotency_key`,
  );
  assert.ok(rows[0]);
  return rows[0];
}

/** Fails when `work` leaves more or fewer rows than there were. */
export async function writesNothing(fleet: Fleet, work: () => Promise<unknown>): Promise<void> {
  const before = await rowsIn(fleet);
  await work();
  assert.deepEqual(await rowsIn(fleet), before, 'nothing was written');
}
