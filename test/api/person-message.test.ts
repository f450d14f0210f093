import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { useFleet } from '../support/fleet.js';
import { items } from '../support/http.js';
import { rowsIn, writesNothing } from './ledger-rows.js';
import { assertProblem } from './problem.js';

describe('a message to the person whom the path names', () => {
  const env = { RATE_LIMIT_SEND: '10/60s' };
  const fleet = useFleet({ engine: 'postgres', workers: [], env });
  const post = (id: string, body: unknown, headers: Record<string, string> = {}, sub = 'test') =>
    fleet().call('POST', `/notifications/realtime/user/${id}`, body, { headers, as: 'internal', sub });
  before(async () => {
    for (const id of ['ada', 'limited', 'once'])
      await fleet().person(id, { email: `${id}@example.org`, phone: '+251911000001' });
  });

  test('is queued with the defaults, on the channels that its priority has, and says why not on the others', async () => {
    const plain = await post('ada', { message: 'The lift works again.' });
    assert.equal(plain.status, 202, plain.text);
    assert.equal(plain.body.status, 'queued');
    assert.deepEqual(plain.body.channels, ['realtime']);
    const why = (body: typeof plain.body) =>
      Object.fromEntries(items(body.deliveries).map(({ channel, reason }) => [channel, reason]));
    assert.equal(why(plain.body).email, 'priority_too_low');
    const kept = (await fleet().call('GET', `/notifications/${plain.body.notification_id}`)).body;
    const { user_id, title, message, type, priority, data } = kept;
    assert.deepEqual(
      { user_id, title, message, type, priority, data },
      {
        user_id: 'ada',
        title: 'Notification',
        message: 'The lift works again.',
        type: 'info',
        priority: 'normal',
        data: {},
      },
    );
    const body = { message: 'x', title: 'Lift', type: 'alarm', priority: 'critical', data: { house: 7 } };
    const urgent = await post('ada', { ...body, user_id: 'somebody-else', channels: ['sms'] });
    assert.deepEqual(urgent.body.channels, ['realtime', 'email'], 'text messages are off by default');
    assert.equal(why(urgent.body).sms, 'preference_off');
    const all = (await fleet().call('GET', `/notifications/${urgent.body.notification_id}`)).body;
    assert.deepEqual([all.user_id, all.title, all.type, all.data], ['ada', 'Lift', 'alarm', { house: 7 }]);
  });

  test('needs a message, and a wrong field is named', async () => {
    await writesNothing(fleet(), async () => {
      for (const body of [{}, { message: '' }, { message: null }, { title: 'x' }, []])
        assertProblem(await post('ada', body), 422, { detail: 'Message is required', path: 'message' });
      const wrong: Readonly<Record<string, readonly unknown[]>> = {
        message: [7, {}, ['x'], 'x'.repeat(10_001)],
        title: ['', 7, 'a\nb', 'x'.repeat(201)],
        type: ['', 'a b', 7],
        priority: ['urgent', 1, ''],
        data: [7, 'x', [1]],
      };
      for (const [field, values] of Object.entries(wrong))
        for (const value of values)
          assertProblem(await post('ada', { message: 'x', [field]: value }), 422, { path: field });
      for (const id of ['a%20b', '%00', 'x'.repeat(129)])
        assertProblem(await post(id, { message: 'x' }), 422, { path: 'user_id' });
    });
  });

  test('to nobody is refused, and recorded as failed', async () => {
    const before = await rowsIn(fleet());
    const problem = { detail: 'User with ID nobody not found.', code: 'unknown_person' };
    assertProblem(await post('nobody', { message: 'x' }), 404, problem);
    assert.equal((await rowsIn(fleet())).notification - before.notification, 1);
    const [failed] = items((await fleet().call('GET', '/notifications?user_id=nobody')).body);
    assert.equal(failed?.status, 'FAILED');
  });

  test('with a key is sent once, and the key is good for that person alone', async () => {
    const key = { 'idempotency-key': 'one' };
    const before = await rowsIn(fleet());
    const first = await post('once', { message: 'x' }, key);
    const again = await post('once', { message: 'x' }, key);
    assert.deepEqual(again.body, first.body);
    assert.equal(again.headers.get('idempotency-replayed'), 'true');
    assert.equal((await rowsIn(fleet())).notification - before.notification, 1);
    assertProblem(await post('ada', { message: 'x' }, key), 422, { code: 'idempotency_key_reused' });
  });

  test('counts for the limit to one person together with what is sent otherwise', async () => {
    const send = () =>
      fleet().call('POST', '/notifications/send', { user_id: 'limited', message: 'x' }, { sub: 'busy' });
    for (let sent = 0; sent < 5; sent += 1) {
      assert.equal((await send()).status, 202);
      assert.equal((await post('limited', { message: 'x' }, {}, 'busy')).status, 202);
    }
    assertProblem(await post('limited', { message: 'x' }, {}, 'busy'), 429, { code: 'rate_limited' });
  });
});
