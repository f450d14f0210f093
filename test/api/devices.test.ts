import assert from 'node:assert/strict';
import { createECDH, randomBytes } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { useFleet } from '../support/fleet.js';
import { items } from '../support/http.js';
import { auditOf } from './audit-rows.js';
import { writesNothing } from './ledger-rows.js';
import { assertProblem } from './problem.js';

/** A push subscription with keys as a browser makes them. */
function subscription(name: string) {
  const p256dh = createECDH('prime256v1').generateKeys('base64url');
  const auth = randomBytes(16).toString('base64url');
  return { endpoint: `https://push.example.org/send/${name}`, keys: { p256dh, auth } };
}
const browser = (name: string) => ({ platform: 'web', subscription: subscription(name) });
const phone = (name: string) => ({ platform: 'ios', token: `token-of-${name}:${'x'.repeat(140)}` });

describe('the devices of a person', () => {
  const fleet = useFleet({ engine: 'postgres', workers: [] });
  before(async () => {
    for (const id of ['abebe', 'chaltu', 'many']) await fleet().person(id);
  });
  const post = (id: string, body: unknown, options = {}) =>
    fleet().call('POST', `/users/${id}/devices`, body, options);
  const get = async (id: string, options = {}) =>
    items((await fleet().call('GET', `/users/${id}/devices`, undefined, options)).body);
  const forget = (id: string, rest: string, body?: unknown) =>
    fleet().call('DELETE', `/users/${id}/devices${rest}`, body);
  const clear = (id: string) => forget(id, '');

  test('are registered, listed oldest first without a key or a whole address, and are the same when registered again', async () => {
    const [web, ios] = [browser('abebe'), phone('abebe')];
    const first = await post('abebe', web, { as: 'user', sub: 'abebe' });
    assert.equal(first.status, 201, first.text);
    assert.equal(first.body.platform, 'web');
    assert.equal(first.body.address, 'https://push.example.org/***');
    assert.equal((await post('abebe', ios)).status, 201);
    const again = await post('abebe', { ...web, more: 'ignored' });
    assert.equal(again.status, 200, again.text);
    assert.equal(again.body.id, first.body.id);
    const listed = await get('abebe', { as: 'user', sub: 'abebe' });
    assert.deepEqual(
      listed.map(({ platform, address }) => `${platform} ${address}`),
      ['web https://push.example.org/***', 'ios token-***'],
    );
    const shown = JSON.stringify([first.body, again.body, listed]) + fleet().logs().join('\n');
    for (const secret of [...Object.values(web.subscription.keys), ios.token, 'send/abebe'])
      assert.ok(!shown.includes(secret), secret);
  });

  test('have their new keys when they are registered again', async () => {
    const { endpoint, keys } = subscription('renewed');
    await post('abebe', { platform: 'web', subscription: { endpoint, keys: subscription('x').keys } });
    const padded = { p256dh: `${keys.p256dh}=`, auth: `${keys.auth}==` };
    const again = await post('abebe', { platform: 'web', subscription: { endpoint, keys: padded } });
    assert.equal(again.status, 200);
    const { rows } = await fleet().database.query('SELECT keys FROM device WHERE address = $1', [endpoint]);
    assert.deepEqual(rows, [{ keys }]);
  });

  test('belong to whoever registered last', async () => {
    const shared = phone('shared');
    const first = await post('abebe', shared);
    const second = await post('chaltu', shared);
    assert.equal(second.status, 201);
    assert.notEqual(second.body.id, first.body.id);
    assert.ok(!(await get('abebe')).some(({ id }) => id === second.body.id || id === first.body.id));
    assertProblem(await forget('abebe', `/${first.body.id}`), 404, { code: 'unknown_device' });
    assert.equal((await get('chaltu')).length, 1);
  });

  test('are forgotten by their id, by what the app knows in body or query, and all at once', async () => {
    await clear('chaltu');
    const { subscription: browserOf } = browser('chaltu');
    const [a, b] = [phone('a'), phone('b')];
    const byId = await post('chaltu', phone('c'));
    await post('chaltu', { platform: 'web', subscription: browserOf });
    await post('chaltu', a);
    await post('chaltu', b);
    await post('chaltu', browser('d'));
    const left = async (answer: { status: number; text: string }, count: number) => {
      assert.equal(answer.status, 204, answer.text);
      assert.equal((await get('chaltu')).length, count);
    };
    await left(await forget('chaltu', `/${byId.body.id}`), 4);
    await left(await forget('chaltu', '', { platform: 'web', subscription: browserOf }), 3);
    await left(await forget('chaltu', '', { token: a.token }), 2);
    await left(await forget('chaltu', `?token=${encodeURIComponent(b.token)}`), 1);
    for (const gone of [`/${byId.body.id}`, `?token=${encodeURIComponent(b.token)}`])
      assertProblem(await forget('chaltu', gone), 404, { code: 'unknown_device' });
    assertProblem(await forget('chaltu', '/x'), 422, { path: 'device_id' });
    await left(await clear('chaltu'), 0);
    await left(await clear('chaltu'), 0);
  });

  test('are twenty at most, and the one that was registered longest ago makes room', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 20; n += 1) ids.push(String((await post('many', phone(`n${n}`))).body.id));
    await post('many', phone('n0'));
    const one = await post('many', phone('n20'));
    const left = (await get('many')).map(({ id }) => id);
    assert.equal(left.length, 20);
    assert.ok(left.includes(String(one.body.id) as never));
    assert.ok(left.includes(ids[0] as never), 'it was registered again a moment ago');
    assert.ok(!left.includes(ids[1] as never));
  });

  test('are twenty at most too when they all register at the same time', async () => {
    await clear('many');
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, n) => post('many', phone(`at-once-${n}`))),
    );
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [201]);
    assert.equal((await get('many')).length, 20);
  });

  test('are for the person and for administrators alone', async () => {
    for (const [as, sub] of [
      ['user', 'chaltu'],
      ['internal', 'app'],
    ] as const) {
      assertProblem(await post('abebe', phone('x'), { as, sub }), 403);
      assertProblem(await fleet().call('GET', '/users/abebe/devices', undefined, { as, sub }), 403);
      assertProblem(await fleet().call('DELETE', '/users/abebe/devices', undefined, { as, sub }), 403);
    }
    assertProblem(await post('nobody', phone('x')), 404, { code: 'unknown_person' });
    assertProblem(await fleet().call('GET', '/users/nobody/devices'), 404, { code: 'unknown_person' });
    assertProblem(await clear('nobody'), 404, { code: 'unknown_person' });
  });

  test('that are none are refused, each with what is wrong', async () => {
    const good = subscription('good');
    const web = (change: object) => ({ platform: 'web', subscription: { ...good, ...change } });
    const keys = (change: object) => web({ keys: { ...good.keys, ...change } });
    const point = Buffer.from(good.keys.p256dh, 'base64url');
    const off = Buffer.from(point);
    off.writeUInt8(off.readUInt8(40) ^ 1, 40);
    const compressed = Buffer.concat([Buffer.from([2]), point.subarray(1, 33)]);
    const wrong: readonly (readonly [path: string, body: unknown])[] = [
      ['platform', {}],
      ['platform', { platform: 'fridge', token: 'x'.repeat(20) }],
      ['platform', { platform: 7 }],
      ['token', { platform: 'ios' }],
      ...[
        '',
        'short',
        'has a space in it',
        `${'x'.repeat(2_049)}`,
        'tabs\tare too',
        'ünïcödé-token',
        7,
        null,
      ].map((token) => ['token', { platform: 'android', token }] as const),
      ['subscription', { platform: 'web' }],
      ['subscription', { platform: 'web', token: 'x'.repeat(20) }],
      ['subscription.keys', web({ keys: undefined })],
      ...[
        '',
        'push.example.org/x',
        'http://push.example.org/x',
        'ftp://push.example.org/x',
        'javascript:alert(1)',
        'https://',
        'https://me:secret@push.example.org/x',
        'https://push.example.org/x#y',
        'https://push.example.org/a b',
        'https://push.example.org/\r\nx: y',
        `https://push.example.org/${'x'.repeat(2_048)}`,
        // Percent-encoded it would be longer than the ledger takes.
        `https://push.example.org/${'ü'.repeat(1_000)}`,
        7,
        null,
      ].map((endpoint) => ['subscription.endpoint', web({ endpoint })] as const),
      ...[
        '',
        'x',
        '!'.repeat(87),
        good.keys.p256dh.replace(/^(.{10})./, '$1+'),
        point.subarray(0, 64).toString('base64url'),
        Buffer.concat([point, Buffer.of(0)]).toString('base64url'),
        off.toString('base64url'),
        compressed.toString('base64url'),
        Buffer.alloc(65).toString('base64url'),
        Buffer.alloc(65, 4).toString('base64url'),
        7,
      ].map((p256dh) => ['subscription.keys.p256dh', keys({ p256dh })] as const),
      ...[
        '',
        'x',
        randomBytes(15).toString('base64url'),
        randomBytes(17).toString('base64url'),
        '+/'.repeat(11),
        7,
      ].map((auth) => ['subscription.keys.auth', keys({ auth })] as const),
    ];
    const before = await fleet().database.query('SELECT count(*) FROM device');
    await writesNothing(fleet(), async () => {
      for (const [path, body] of wrong) {
        const answer = await post('abebe', body);
        assert.equal(answer.status, 422, `${JSON.stringify(body)}: ${answer.text}`);
        assertProblem(answer, 422, { path });
      }
      assertProblem(await post('abebe', '{'), 422, { code: 'invalid_json' });
      assertProblem(await post('abebe', { platform: 'ios', token: 'x'.repeat(300_000) }), 413);
    });
    assert.deepEqual((await fleet().database.query('SELECT count(*) FROM device')).rows, before.rows);
  });

  test('go with the person, and leave nothing that names them', async () => {
    await fleet().person('erased');
    await post('erased', browser('erased'));
    await post('erased', phone('erased'));
    assert.equal((await fleet().call('DELETE', '/users/erased')).status, 204);
    const { rows } = await fleet().database.query("SELECT * FROM device WHERE address LIKE '%erased%'");
    assert.deepEqual(rows, []);
    assert.ok(
      !JSON.stringify((await fleet().database.query('SELECT * FROM audit_event')).rows).includes('erased'),
    );
  });

  test('are written to the audit trail, without their addresses', async () => {
    await fleet().person('watched');
    const made = await post('watched', phone('watched'));
    await clear('watched');
    const [[removed], [put]] = [
      await auditOf(fleet(), 'device.remove'),
      await auditOf(fleet(), 'device.put'),
    ];
    assert.deepEqual(removed?.details, { devices: [made.body.id] });
    assert.deepEqual(put?.details, { device: made.body.id, platform: 'ios', created: true });
    assert.match(String(put?.target), /^person:/);
  });

  test('are pushed to by platform, and without one the notification is kept as failed', async () => {
    await clear('abebe');
    for (const device of [browser('p'), phone('p'), phone('q')]) await post('abebe', device);
    const push = (platform: string, body: unknown, options = {}) =>
      fleet().call('POST', `/notifications/push/mobile/${platform}`, body, options);
    const body = { user_id: 'abebe', message: 'Your keys are ready.', data: { n: 7 } };
    for (const [platform, devices] of [
      ['ios', 2],
      ['web', 1],
      ['android', 0],
    ] as const) {
      const headers = { 'idempotency-key': `push-${platform}` };
      const answer = await push(platform, body, { as: 'internal', headers });
      assert.equal(answer.status, 202, answer.text);
      const { notification_id: id } = answer.body;
      assert.deepEqual(answer.body, { status: 'push_queued', notification_id: id, devices });
      assert.deepEqual((await push(platform, body, { as: 'internal', headers })).body, answer.body);
      const shown = await fleet().call('GET', `/notifications/${id}`);
      assert.equal(shown.body.status, devices === 0 ? 'FAILED' : 'PENDING');
      assert.equal(shown.body.reason, devices === 0 ? 'no_channel' : null);
      const pushes = items(shown.body.deliveries).filter(({ channel }) => String(channel) === 'push');
      assert.deepEqual(
        pushes.map(({ state, reason }) => `${state} ${reason}`),
        devices === 0 ? ['skipped no_device'] : Array(devices).fill('queued null'),
      );
      assert.deepEqual(items(shown.body.channels).map(String), devices === 0 ? [] : ['push']);
      assert.ok(
        !shown.text.includes(phone('p').token) && !shown.text.includes('send/p'),
        'addresses are masked',
      );
    }
  });

  test('are not pushed to when the call is wrong', async () => {
    const push = (platform: string, body: unknown) =>
      fleet().call('POST', `/notifications/push/mobile/${platform}`, body);
    const detail = 'User ID and message are required';
    await writesNothing(fleet(), async () => {
      for (const body of [{}, { user_id: 'abebe' }, { message: 'x' }, { user_id: 'abebe', message: '' }])
        assertProblem(await push('ios', body), 422, { detail });
      for (const [path, change] of [
        ['user_id', { user_id: 'a b' }],
        ['message', { message: 7 }],
        ['title', { title: 'a\nb' }],
        ['priority', { priority: 'now' }],
        ['data', { data: [] }],
        ['expires_at', { expires_at: 1 }],
      ] as const)
        assertProblem(await push('web', { user_id: 'abebe', message: 'x', ...change }), 422, { path });
      assertProblem(await push('symbian', { user_id: 'abebe', message: 'x' }), 422, { path: 'platform' });
    });
    const unknown = await push('ios', { user_id: 'nobody', message: 'x' });
    assertProblem(unknown, 404, { detail: 'User with ID nobody not found.' });
    const { body } = await fleet().call('GET', '/notifications?user_id=nobody');
    assert.equal(items(body)[0]?.status, 'FAILED');
  });
});
