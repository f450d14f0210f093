import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { openSocket } from '../fleet/stream-clients.js';
import { type CallOptions, useFleet } from '../support/fleet.js';
import { items } from '../support/http.js';
import { waitFor } from '../support/wait.js';
import { assertProblem } from './problem.js';

const SELF: CallOptions = { as: 'user', sub: 'p' };

describe('presence', () => {
  const fleet = useFleet({
    engine: 'postgres',
    workers: [],
    env: { SESSION_TTL_MS: '4000', REALTIME_STREAMS_PER_PERSON: '3' },
  });
  before(() => fleet().person('p'));
  const post = (act: string, body?: unknown, options: CallOptions = SELF, person = 'p') =>
    fleet().call('POST', `/websocket/${act}/${person}`, body, options);
  const presence = async (person = 'p') => (await fleet().call('GET', `/presence/${person}`)).body;
  const namesOf = async () => items((await presence()).sessions).map(({ session_id }) => session_id);

  test('of somebody who was never here is known to be nothing', async () => {
    assert.deepEqual(await presence(), {
      user_id: 'p',
      online: false,
      sessions: [],
      last_seen_at: null,
    });
  });

  test('a session that is reported counts, is renewed by heartbeats, and is gone without them', async () => {
    const { status, body } = await post('connect');
    assert.equal(status, 200);
    assert.equal(body.status, 'connected');
    assert.match(String(body.session_id), /^[\da-f-]{36}$/);
    const { online, sessions, last_seen_at } = await presence();
    assert.equal(online, true);
    const [session, ...others] = items(sessions);
    assert.deepEqual(others, []);
    assert.equal(session?.session_id, body.session_id);
    assert.equal(session?.transport, 'reported');
    assert.equal(session?.last_seen_at, last_seen_at);

    // Longer than it would live by itself.
    const until = Date.now() + 3_000;
    await waitFor(
      async () => {
        const { session_id } = body;
        assert.equal((await post('heartbeat', { session_id })).body.status, 'ok');
        return Date.now() > until;
      },
      { everyMs: 200 },
    );
    assert.equal((await presence()).online, true);
    await waitFor(async () => !(await presence()).online);
    assert.ok(Date.parse(String((await presence()).last_seen_at)) >= until - 1_000);
    assertProblem(await post('heartbeat', { session_id: body.session_id }), 404, { code: 'unknown_session' });
    assertProblem(await post('heartbeat'), 404, { code: 'unknown_session' });
  });

  test('a session has the name that its client gives it, and is the same under the same name', async () => {
    const device_info = { name: 'A phone', version: 3 };
    for (const more of [{}, { device_info }])
      assert.equal((await post('connect', { session_id: 'phone-1', ...more })).body.session_id, 'phone-1');
    await post('connect', { session_id: 'phone-2' });
    const sessions = items((await presence()).sessions);
    assert.deepEqual(
      sessions.map(({ session_id, device_info }) => [session_id, device_info]),
      [
        ['phone-1', device_info],
        ['phone-2', null],
      ],
    );
    assert.deepEqual((await post('disconnect', { session_id: 'phone-1' })).body, {
      status: 'disconnected',
      sessions: 1,
    });
    assert.deepEqual(await namesOf(), ['phone-2']);
    assert.equal((await post('heartbeat')).body.sessions, 1);
    assert.equal((await post('disconnect')).body.sessions, 1);
    const { online, last_seen_at } = await presence();
    assert.equal(online, false);
    assert.ok(Date.now() - Date.parse(String(last_seen_at)) < 5_000);
  });

  test('of sessions that are reported, the one that was silent for longest makes room', async () => {
    for (const session_id of ['a', 'b', 'c']) await post('connect', { session_id });
    await post('heartbeat', { session_id: 'a' });
    await post('connect', { session_id: 'd' });
    assert.deepEqual(await namesOf(), ['a', 'c', 'd']);
    await post('disconnect');
  });

  test('a stream counts as long as it is open, and can be told of its device', async () => {
    const client = await openSocket(fleet(), { sub: 'p' });
    const [name] = await waitFor(async () => {
      const names = await namesOf();
      return names.length === 1 ? names : undefined;
    });
    await post('connect', { session_id: name, device_info: { name: 'A browser' } });
    const [session, ...others] = items((await presence()).sessions);
    assert.deepEqual(others, []);
    assert.equal(session?.transport, 'websocket');
    assert.deepEqual(session?.device_info, { name: 'A browser' });
    client.close();
    await waitFor(async () => !(await presence()).online);
  });

  test('is for administrators, for services and for that person', async () => {
    const calls = ['connect', 'heartbeat', 'disconnect'].map(
      (act) => (options: CallOptions) => post(act, {}, options),
    );
    const get = (options: CallOptions) => fleet().call('GET', '/presence/p', undefined, options);
    for (const call of [...calls, get]) {
      for (const options of [{ as: 'admin' }, { as: 'internal' }, SELF] as const)
        assert.equal((await call(options)).status, 200);
      assertProblem(await call({ as: 'user', sub: 'other' }), 403);
      assertProblem(await call({ as: null }), 401);
    }
  });

  test('of somebody unknown is not found, also not for themselves', async () => {
    const self: CallOptions = { as: 'user', sub: 'nobody' };
    for (const act of ['connect', 'heartbeat', 'disconnect'])
      assertProblem(await post(act, {}, self, 'nobody'), 404, { code: 'unknown_person' });
    assertProblem(await fleet().call('GET', '/presence/nobody', undefined, self), 404, {
      code: 'unknown_person',
    });
  });

  const wrong: readonly (readonly [unknown, string])[] = [
    [{ session_id: '' }, 'session_id'],
    [{ session_id: 'a b' }, 'session_id'],
    [{ session_id: 7 }, 'session_id'],
    [{ session_id: 'x'.repeat(129) }, 'session_id'],
    [{ device_info: 'a phone' }, 'device_info'],
    [{ device_info: [] }, 'device_info'],
    [{ device_info: { name: 'x'.repeat(2_048) } }, 'device_info'],
  ];
  for (const [body, path] of wrong)
    test(`${JSON.stringify(body).slice(0, 60)} is refused, and nothing is written`, async () => {
      assertProblem(await post('connect', body), 422, { path });
      if (path === 'session_id') assertProblem(await post('heartbeat', body), 422, { path });
      assert.equal((await presence()).online, false);
    });
});
