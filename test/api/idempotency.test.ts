import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { forEachEngine } from '../support/engines.js';
import { type CallOptions, useFleet } from '../support/fleet.js';
import { rowsIn, writesNothing } from './ledger-rows.js';
import { assertProblem } from './problem.js';

forEachEngine((engine) => {
  const fleet = useFleet({ engine, workers: [], api: 2 });
  const MESSAGE = { user_id: 'ada', message: 'once' };
  const post = (path: string, body: unknown, key: string, options: CallOptions = {}) =>
    fleet().call('POST', path, body, { ...options, headers: { 'idempotency-key': key } });
  const send = (body: unknown, key: string, options?: CallOptions) =>
    post('/notifications/send', body, key, options);

  before(() => fleet().person('ada'));

  test('the same key and body get the first answer again, from any process, and make one row', async () => {
    const before = await rowsIn(fleet());
    const first = await send(MESSAGE, 'k1');
    assert.equal(first.status, 202);
    assert.equal(first.headers.get('idempotency-replayed'), null);
    for (const api of [0, 1]) {
      const again = await send(MESSAGE, 'k1', { api });
      assert.equal(again.status, 202);
      assert.deepEqual(again.body, first.body);
      assert.equal(again.headers.get('idempotency-replayed'), 'true');
    }
    assert.equal((await rowsIn(fleet())).notification - before.notification, 1);
  });

  test('every call that creates takes a key', async () => {
    const calls: readonly (readonly [path: string, body: unknown, status: number])[] = [
      ['/notifications/batch', { notifications: [MESSAGE, { user_id: 'nobody', message: 'x' }] }, 207],
      ['/notifications/email/send', { to: 'a@example.org', subject: 's', body: 'b' }, 202],
      ['/notifications/email/batch', { emails: [{ to: 'a@example.org', subject: 's', body: 'b' }] }, 207],
      ['/notifications/sms/send', { phone: '+251911000001', message: 'x' }, 202],
    ];
    for (const [path, body, status] of calls) {
      const first = await post(path, body, `every${path}`);
      assert.equal(first.status, status, first.text);
      await writesNothing(fleet(), async () => {
        assert.deepEqual((await post(path, body, `every${path}`, { api: 1 })).body, first.body);
      });
    }
  });

  test('another body or another path under the same key is refused, and nothing is written', async () => {
    await send(MESSAGE, 'k2');
    await writesNothing(fleet(), async () => {
      const other = { ...MESSAGE, message: 'twice' };
      assertProblem(await send(other, 'k2'), 422, { code: 'idempotency_key_reused' });
      const mail = { to: 'a@example.org', subject: 's', body: 'b' };
      assertProblem(await post('/notifications/email/send', mail, 'k2'), 422, {
        code: 'idempotency_key_reused',
      });
    });
    assert.equal((await send(MESSAGE, 'k2')).status, 202, 'the first one is still there');
  });

  test('of twenty calls at once over two processes one makes a row; the others get its answer or 409', async () => {
    for (const key of ['race-1', 'race-2', 'race-3']) {
      const before = await rowsIn(fleet());
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) => send(MESSAGE, key, { api: index % 2 })),
      );
      const accepted = answers.filter(({ status }) => status === 202);
      assert.ok(accepted.length >= 1);
      assert.equal(new Set(accepted.map(({ body }) => String(body.notification_id))).size, 1);
      for (const answer of answers.filter(({ status }) => status !== 202)) {
        assertProblem(answer, 409, { code: 'idempotency_key_in_use' });
        assert.match(answer.headers.get('retry-after') ?? '', /^[1-9]/);
      }
      const after = await rowsIn(fleet());
      assert.equal(after.notification - before.notification, 1);
      assert.equal(after.idempotency_key - before.idempotency_key, 1);
      assert.deepEqual((await send(MESSAGE, key)).body, accepted[0]?.body, 'whoever got 409 may ask again');
    }
  });

  test('of different bodies that race for one key one wins and the others are refused', async () => {
    const before = await rowsIn(fleet());
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        send({ ...MESSAGE, message: `body ${index}` }, 'race-bodies', { api: index % 2 }),
      ),
    );
    assert.equal(answers.filter(({ status }) => status === 202).length, 1);
    for (const { status, text } of answers) assert.ok([202, 409, 422].includes(status), text);
    assert.equal((await rowsIn(fleet())).notification - before.notification, 1);
  });

  test('the key of another caller is another key', async () => {
    const mine = await send(MESSAGE, 'shared', { sub: 'me' });
    const yours = await send({ ...MESSAGE, message: 'yours' }, 'shared', { sub: 'you' });
    assert.equal(yours.status, 202);
    assert.notEqual(yours.body.notification_id, mine.body.notification_id);
    assert.deepEqual((await send(MESSAGE, 'shared', { sub: 'me', as: 'internal' })).body, mine.body);
  });

  test('an unknown person stays unknown under the key, with one FAILED row', async () => {
    const body = { user_id: 'comes-later', message: 'x' };
    const before = await rowsIn(fleet());
    assertProblem(await send(body, 'k404'), 404, { detail: 'User with ID comes-later not found.' });
    await fleet().person('comes-later');
    const again = await send(body, 'k404', { api: 1 });
    assertProblem(again, 404, { detail: 'User with ID comes-later not found.' });
    assert.equal(again.headers.get('idempotency-replayed'), 'true');
    assert.equal((await rowsIn(fleet())).notification - before.notification, 1);
    assert.equal((await send(body, 'k404-new')).status, 202);
  });

  test('a call that was refused leaves its key free', async () => {
    assertProblem(await send({ user_id: 'ada' }, 'free'), 422);
    assertProblem(await send({ ...MESSAGE, message: 7 }, 'free'), 422);
    assert.equal((await send(MESSAGE, 'free')).status, 202);
  });

  test('a key is 1 to 255 printable characters', async () => {
    for (const key of ['a', 'x'.repeat(255), '!"#$%&()*+,-./:;<=>?@[]^_`{|}~', '0f8c-1'])
      assert.equal((await send(MESSAGE, key)).status, 202, key);
    await writesNothing(fleet(), async () => {
      for (const key of ['', ' ', 'a b', 'a\tb', 'x'.repeat(256), 'caf\u00e9', '\u00a0'])
        assertProblem(await send(MESSAGE, key), 422, { path: 'Idempotency-Key' });
    });
  });

  test('after 24 hours a key is forgotten', async () => {
    const first = await send(MESSAGE, 'old');
    await fleet().database.query(
      `UPDATE idempotency_key SET created_at = created_at - interval '24 hours 1 second' WHERE key = 'old'`,
    );
    const again = await send({ ...MESSAGE, message: 'new' }, 'old');
    assert.equal(again.status, 202, again.text);
    assert.notEqual(again.body.notification_id, first.body.notification_id);
    const third = await send({ ...MESSAGE, message: 'new' }, 'old');
    assert.deepEqual(third.body, again.body);
  });
});
