import assert from 'node:assert/strict';
import type { Fleet } from '../support/fleet.js';
import { items } from '../support/http.js';

const OTHER = 'stays-on-call';
const SPAN = { starts_at: '2027-01-01T00:00:00Z', ends_at: '2027-01-02T00:00:00Z' };
const TURNS = { turn: { every: 'day' }, hand_off: '09:00', timezone: 'UTC', starts_at: 0 };

/** Where they are named then. */
export const PLACES = ['on_call', 'on_call_override'];

/** Puts a person on call wherever there is a place, as if they had seen to it themselves; somebody else is with them. */
export async function putOnCall(fleet: Fleet, id: string): Promise<void> {
  await fleet.person(OTHER);
  const layers = [
    { ...TURNS, name: 'both', user_ids: [id, OTHER, id] },
    { ...TURNS, name: 'alone', user_ids: [id] },
  ];
  const put = await fleet.call('PUT', '/on-call/disk_full', { user_ids: [OTHER, id], layers });
  assert.equal(put.status, 200, put.text);
  for (const override of [{ user_id: id }, { user_id: OTHER, replaces: id }, { user_id: OTHER }]) {
    const headers = { 'idempotency-key': `${Object.keys(override).join('-')}-${override.user_id}` };
    const body = { ...override, ...SPAN };
    const added = await fleet.call('POST', '/on-call/disk_full/overrides', body, { sub: id, headers });
    assert.equal(added.status, 201, added.text);
  }
}

/** Only the other is left: on the list, in the layer that both were in, and standing in for everybody and not for more. */
export async function assertOffCall(fleet: Fleet): Promise<void> {
  const { body } = await fleet.call('GET', '/on-call/disk_full');
  assert.deepEqual(body.fixed, [OTHER]);
  assert.deepEqual(
    items(body.layers).map(({ name, user_ids }) => [name, user_ids]),
    [['both', [OTHER]]],
  );
  assert.deepEqual(
    items(body.overrides).map(({ user_id, replaces }) => [user_id, replaces]),
    [[OTHER, null]],
  );
}
