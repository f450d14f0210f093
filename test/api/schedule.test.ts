import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { useFleet } from '../support/fleet.js';
import { items } from '../support/http.js';
import { writesNothing } from './ledger-rows.js';
import { assertProblem } from './problem.js';

const HOUR_S = 3600;

describe('scheduling and cancelling', () => {
  const fleet = useFleet({ engine: 'postgres', workers: [] });
  const send = (more: object) =>
    fleet().call('POST', '/notifications/send', { user_id: 'ada', message: 'x', ...more });
  const inHours = (hours: number) => new Date(Date.now() + hours * HOUR_S * 1000);

  before(() => fleet().person('ada', { email: 'ada@example.org' }));

  test('send_at is taken as epoch seconds and as ISO 8601 with any offset, and means the same moment', async () => {
    const at = new Date(Math.floor(inHours(5).getTime() / 1000) * 1000);
    const local = new Date(at.getTime() + 3 * HOUR_S * 1000).toISOString().slice(0, 19);
    for (const send_at of [
      at.getTime() / 1000,
      String(at.getTime() / 1000),
      at.toISOString(),
      `${local}+03:00`,
      `${local}+0300`,
    ]) {
      const answer = await send({ send_at });
      assert.equal(answer.status, 202, `${send_at}: ${answer.text}`);
      assert.equal(answer.body.status, 'scheduled');
      assert.equal(items(answer.body.deliveries)[0]?.state, 'scheduled');
      const stored = await fleet().call('GET', `/notifications/${answer.body.notification_id}`);
      assert.equal(stored.body.send_at, at.toISOString());
      assert.equal(items(stored.body.deliveries)[0]?.due_at, at.toISOString());
      assert.equal(stored.body.status, 'PENDING');
    }
  });

  test('a send_at that has passed means now', async () => {
    for (const send_at of [0, 1, '1999-12-31T23:59:59Z']) {
      const answer = await send({ send_at });
      assert.equal(answer.status, 202, answer.text);
      assert.equal(answer.body.status, 'queued');
    }
  });

  test('what is no time is refused with 422 naming the field, and nothing is written', async () => {
    const wrong: unknown[] = [
      '',
      ' ',
      'tomorrow',
      -1,
      '-1',
      1e21,
      1e-9,
      '1.',
      '1e9',
      'NaN',
      null,
      true,
      [],
      [1],
      {},
      '2027-03-01',
      '2027-03-01 09:00:00Z',
      '2027-03-01T09:00:00',
      '2027-13-01T09:00:00Z',
      '2027-02-30T09:00:00Z',
      '2027-02-29T09:00:00Z',
      '2027-04-31T09:00:00+03:00',
      '2027-01-01T25:00:00Z',
      '2027-01-01T09:60:00Z',
      '2027-01-01T09:00:00+99:00',
      '0000-01-01T00:00:00Z',
      '9999-12-31T23:59:59Z',
      '+275760-09-13T00:00:00Z',
      '-000001-01-01T00:00:00Z',
      inHours(24 * 800).toISOString(),
      999999999999,
      '2027-03-01T09:00:00Z\u0000',
      '２０２７-03-01T09:00:00Z',
    ];
    await writesNothing(fleet(), async () => {
      for (const value of wrong) {
        for (const field of ['send_at', 'expires_at']) {
          const answer = await send({ [field]: value });
          assert.equal(answer.status, 422, `${field} ${JSON.stringify(value)}: ${answer.text}`);
        }
      }
      assertProblem(await send({ send_at: 'soon' }), 422, { path: 'send_at' });
    });
  });

  test('expires_at has to lie ahead, and after send_at', async () => {
    const answer = await send({ send_at: inHours(1).toISOString(), expires_at: inHours(2).toISOString() });
    assert.equal(answer.status, 202, answer.text);
    const stored = await fleet().call('GET', `/notifications/${answer.body.notification_id}`);
    assert.ok(String(stored.body.expires_at) > String(stored.body.send_at));
    await writesNothing(fleet(), async () => {
      assertProblem(await send({ expires_at: inHours(-1).toISOString() }), 422, { path: 'expires_at' });
      const backwards = { send_at: inHours(2).toISOString(), expires_at: inHours(1).toISOString() };
      assertProblem(await send(backwards), 422, { path: 'expires_at' });
    });
  });

  test('a cancelled notification is CANCELLED, and cancelling it again is a conflict', async () => {
    for (const more of [{ send_at: inHours(1).toISOString() }, {}, { priority: 'high' }]) {
      const { body } = await send(more);
      const cancel = () => fleet().call('POST', `/notifications/${body.notification_id}/cancel`);
      const first = await cancel();
      assert.equal(first.status, 200, first.text);
      assert.equal(first.body.status, 'cancelled');
      const stored = await fleet().call('GET', `/notifications/${body.notification_id}`);
      assert.equal(stored.body.status, 'CANCELLED');
      for (const delivery of items(stored.body.deliveries).filter(
        ({ state }) => String(state) !== 'skipped',
      )) {
        assert.equal(delivery.state, 'cancelled');
        assert.equal(delivery.reason, 'cancelled_by_caller');
      }
      assertProblem(await cancel(), 409, { code: 'nothing_to_cancel' });
    }
  });

  test('of twenty cancellations at once exactly one succeeds', async () => {
    const { body } = await send({ send_at: inHours(1).toISOString(), priority: 'high' });
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => fleet().call('POST', `/notifications/${body.notification_id}/cancel`)),
    );
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, ...Array(19).fill(409)]);
  });

  test('what reached nobody has nothing to cancel, and what is unknown is not found', async () => {
    await fleet().person('off', { active: false });
    const { body } = await send({ user_id: 'off' });
    assertProblem(await fleet().call('POST', `/notifications/${body.notification_id}/cancel`), 409);
    const unknown = '01890000-0000-7000-8000-000000000000';
    assertProblem(await fleet().call('POST', `/notifications/${unknown}/cancel`), 404, {
      detail: `Notification with ID ${unknown} not found.`,
    });
    assertProblem(await fleet().call('GET', `/notifications/${unknown}`), 404);
    for (const id of ['x', '1', `${unknown}0`, '%00', "'--", '00000000-0000-0000-0000-000000000000']) {
      assertProblem(await fleet().call('POST', `/notifications/${id}/cancel`), 422, { path: 'id' });
      assertProblem(await fleet().call('GET', `/notifications/${id}`), 422, { path: 'id' });
    }
  });
});
