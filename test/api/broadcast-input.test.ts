import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { useFleet } from '../support/fleet.js';
import { waitFor } from '../support/wait.js';
import { NO_ID } from './calls.js';
import { rowsIn } from './ledger-rows.js';
import { assertProblem } from './problem.js';

const ALL = '/notifications/realtime/broadcast';
const STATUS = '/notifications/system/status';
const MAINTENANCE = '/notifications/system/maintenance';
const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();
const HOUR = 3_600_000;

describe('what is asked of broadcasts', () => {
  const fleet = useFleet({ engine: 'postgres', workers: [] });
  const post = (path: string, body: unknown = {}) => fleet().call('POST', path, body, { as: 'internal' });
  before(() => fleet().person('ada', { groups: ['owners'] }));

  test('is refused by its name where it is wrong, and nothing is written', async () => {
    const both: readonly (readonly [field: string, value: unknown])[] = [
      ['message', 7],
      ['message', 'x'.repeat(10_001)],
      ['title', ''],
      ['title', 'two\nlines'],
      ['title', 'x'.repeat(201)],
      ['priority', 'urgent'],
      ['channels', []],
      ['channels.0', ['pigeon']],
      ['channels', 'email'],
      ['target_groups', 'tenants'],
      ['target_groups.1', ['tenants', 'no spaces']],
      ['target_groups', Array<string>(1_001).fill('g')],
      ['data', 'x'],
      ['data', []],
      ['send_at', 'tomorrow'],
      ['send_at', '2026-02-30T00:00:00Z'],
      ['send_at', inMs(3 * 366 * 24 * HOUR)],
      ['expires_at', inMs(-1_000)],
      ['expires_at', 'never'],
    ];
    const maintenance: readonly (readonly [field: string, change: object])[] = [
      ['starts_at', { remind_before_ms: HOUR }],
      ['starts_at', { starts_at: 'soon' }],
      ['remind_before_ms', { starts_at: inMs(HOUR), remind_before_ms: 2 * HOUR }],
      ['remind_before_ms', { starts_at: inMs(3 * HOUR), send_at: inMs(2 * HOUR), remind_before_ms: HOUR }],
      ['remind_before_ms', { starts_at: inMs(HOUR), remind_before_ms: 59_999 }],
      ['remind_before_ms', { starts_at: inMs(HOUR), remind_before_ms: 90_000.5 }],
      ['remind_before_ms', { starts_at: inMs(HOUR), remind_before_ms: '1h' }],
      ['remind_before_ms', { starts_at: inMs(HOUR), remind_before_ms: 31 * 24 * HOUR }],
      ['ends_at', { starts_at: inMs(2 * HOUR), ends_at: inMs(HOUR) }],
      ['ends_at', { ends_at: inMs(-1_000) }],
    ];
    const before = [await count(), await rowsIn(fleet())];
    for (const [field, value] of both)
      for (const path of [ALL, STATUS, MAINTENANCE]) {
        const body = { message: 'x', [field.split('.')[0] ?? '']: value };
        assertProblem(await post(path, body), 422, { path: field });
      }
    assertProblem(await post(ALL, { message: 'x', type: 'no spaces' }), 422, { path: 'type' });
    assertProblem(await post(ALL, { message: 'x', send_at: inMs(2 * HOUR), expires_at: inMs(HOUR) }), 422, {
      path: 'expires_at',
    });
    for (const [field, change] of maintenance)
      assertProblem(await post(MAINTENANCE, { message: 'x', ...change }), 422, { path: field });
    for (const path of [ALL, STATUS, MAINTENANCE, '/notifications/realtime/group/owners'])
      for (const body of [{}, { message: '' }, { message: null }, { title: 'x' }, undefined])
        assertProblem(await post(path, body), 422, { path: 'message', detail: 'Message is required' });
    for (const verb of ['pause', 'resume', 'cancel']) {
      assertProblem(await post(`/broadcasts/x/${verb}`), 422, { path: 'id' });
      assertProblem(await post(`/broadcasts/${NO_ID}/${verb}`), 404, {
        detail: `Broadcast with ID ${NO_ID} not found.`,
      });
    }
    assertProblem(await fleet().call('GET', '/broadcasts/x'), 422, { path: 'id' });
    assertProblem(await fleet().call('GET', '/broadcasts/x/progress'), 422, { path: 'id' });
    for (const query of ['limit=0', 'limit=x', 'cursor=x'])
      assertProblem(await fleet().call('GET', `/broadcasts?${query}`), 422, {
        path: query.split('=')[0] ?? '',
      });
    assertProblem(await fleet().call('GET', '/notifications?broadcast_id=x'), 422, { path: 'broadcast_id' });
    assert.deepEqual([await count(), await rowsIn(fleet())], before);
  });

  test('more than a hundred watchers of one process are turned away, and a place that is left is free', async () => {
    const sent = await post(ALL, { message: 'Watched by many', send_at: inMs(HOUR) });
    const id = String(sent.body.broadcast_id);
    const gone = new AbortController();
    const headers = { authorization: `Bearer ${await fleet().token('admin')}` };
    const url = `${fleet().api.url}/api/v1/broadcasts/${id}/progress`;
    const watch = () => fetch(url, { headers, signal: gone.signal });
    const watching = await Promise.all(Array.from({ length: 100 }, watch));
    for (const one of watching) assert.equal(one.status, 200);
    assertProblem(await fleet().call('GET', `/broadcasts/${id}/progress`, undefined), 429);
    gone.abort();
    await waitFor(async () => {
      const probe = new AbortController();
      const { status } = await fetch(url, { headers, signal: probe.signal });
      probe.abort();
      return status === 200;
    });
  });

  test('an API that is told to end keeps nobody watching', async () => {
    const api = await fleet().addApi();
    const sent = await post(ALL, { message: 'Watched to the end', send_at: inMs(HOUR) });
    const headers = { authorization: `Bearer ${await fleet().token('admin')}` };
    const watched = await fetch(`${api.url}/api/v1/broadcasts/${sent.body.broadcast_id}/progress`, {
      headers,
    });
    const text = watched.text();
    const startedAt = performance.now();
    assert.equal((await api.stop()).code, 0);
    assert.ok(performance.now() - startedAt < 4_000, 'before what is still open is cut off');
    assert.match(await text, /^event: progress\ndata: .+"scheduled".+\n\n$/);
  });

  async function count(): Promise<number> {
    const { rows } = await fleet().database.query<{ count: number }>(
      'SELECT count(*)::int AS count FROM broadcast',
    );
    return rows[0]?.count ?? 0;
  }
});
