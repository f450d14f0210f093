import assert from 'node:assert/strict';
import { createECDH, createPublicKey } from 'node:crypto';
import { describe, it } from 'node:test';
import { byWebPushStatus } from '@belfry/channels/classify.js';
import { webpush as definition } from '@belfry/channels/push/webpush.js';
import { readPush } from '@belfry/sandbox/push-encryption.js';
import type { Message } from '@belfry/shared/domain/message.js';
import { jwtVerify } from 'jose';
import { type Action, answer, CERTIFICATE, hang, wireServer } from '../support/wire-server.js';
import { type Arrived, arrivedAt } from './push-wire.js';
import { create, NO_PORTS } from './subject.js';
import { AUTH, browser, connect, push, VAPID } from './webpush-subject.js';

/** What the browser of these tests reads out of a request. */
const read = ({ body }: Arrived): Record<string, unknown> =>
  JSON.parse(String(readPush(body, { privateKey: browser, auth: Buffer.from(AUTH, 'base64url') })));

/** Sends one message to a server that takes it. */
async function sent(
  message: Message<'push'> = push(),
  env = {},
): Promise<Arrived & { readonly code: string }> {
  const arrived: Arrived[] = [];
  const server = await wireServer(
    arrivedAt(arrived, () => answer(201)),
    { tls: true },
  );
  const provider = await connect(server, undefined, env);
  const outcome = await provider.send(message, AbortSignal.timeout(5_000));
  await provider.close();
  await server.close();
  assert.equal(outcome.kind, 'sent', JSON.stringify(outcome));
  const [first, ...more] = arrived;
  assert.ok(first);
  assert.deepEqual(more, []);
  return { ...first, code: outcome.code };
}

describe('a push to a browser', () => {
  it('can be read by that browser, and has what its application needs', async () => {
    const message = push();
    const request = await sent(message);
    assert.equal(`${request.method} ${request.path}`, 'POST /send/canary-path');
    assert.equal(request.headers['content-encoding'], 'aes128gcm');
    assert.ok(!request.body.includes('canary'));
    assert.deepEqual(read(request), {
      title: 'canary-title',
      body: 'canary-body: rent received',
      type: 'payment_success',
      data: { amount: 12_500 },
      notification_id: message.notificationId,
      delivery_id: message.deliveryId,
      timestamp: '2026-03-01T10:00:00.000Z',
    });
    const other = createECDH('prime256v1');
    other.generateKeys();
    const auth = Buffer.from(AUTH, 'base64url');
    assert.equal(readPush(request.body, { privateKey: other, auth }), undefined);
    assert.equal(readPush(request.body, { privateKey: browser, auth: Buffer.alloc(16) }), undefined);
  });

  it('is signed for its push service alone, as VAPID says', async () => {
    const { headers } = await sent();
    const [, token = '', key = ''] =
      /^vapid t=([\w.-]+), ?k=([\w-]+)$/.exec(headers.authorization ?? '') ?? [];
    assert.equal(key, VAPID.VAPID_PUBLIC_KEY);
    const bytes = Buffer.from(key, 'base64url');
    const [x = '', y = ''] = [bytes.subarray(1, 33), bytes.subarray(33)].map((half) =>
      half.toString('base64url'),
    );
    const publicKey = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' });
    const audience = `https://${headers.host}`;
    const { payload, protectedHeader } = await jwtVerify(token, publicKey, {
      audience,
      algorithms: ['ES256'],
    });
    assert.equal(protectedHeader.alg, 'ES256');
    assert.equal(payload.sub, VAPID.VAPID_SUBJECT);
    const hours = ((payload.exp ?? 0) - Date.now() / 1_000) / 3_600;
    assert.ok(hours > 1 && hours <= 24, `${hours} hours`);
  });

  for (const [priority, urgency] of [
    ['critical', 'high'],
    ['high', 'high'],
    ['normal', 'normal'],
    ['low', 'low'],
  ] as const)
    it(`of priority ${priority} has the urgency ${urgency}`, async () =>
      assert.equal((await sent({ ...push(), priority })).headers.urgency, urgency));

  for (const [expiresInMs, ttl] of [
    [undefined, 2_419_200],
    [90_500, 90],
    [999, 0],
    [-1, 0],
    [400 * 86_400_000, 2_419_200],
  ] as const)
    it(`that expires in ${expiresInMs} ms is kept for ${ttl} s`, async () => {
      const message = { ...push(), ...(expiresInMs === undefined ? {} : { expiresInMs }) };
      assert.equal((await sent(message)).headers.ttl, String(ttl));
    });

  it('has a topic of its delivery, so that a copy takes the place of the first', async () => {
    const message = push();
    const [first, second] = [await sent(message), await sent(message)];
    assert.match(first.headers.topic ?? '', /^[\w-]{1,32}$/);
    assert.equal(first.headers.topic, second.headers.topic);
    assert.deepEqual(read(first), read(second));
    assert.notEqual((await sent()).headers.topic, first.headers.topic);
  });

  it('that is too long is shortened to what every push service takes, and says so', async () => {
    for (const letter of ['x', 'ü', '😀', '"', '\n']) {
      const long = push();
      const request = await sent({ ...long, content: { ...long.content, body: letter.repeat(9_000) } });
      assert.ok(request.body.length <= 4_096, String(request.body.length));
      assert.ok(request.body.length > 4_050, `${request.body.length} bytes leave room`);
      const { body, shortened, data } = read(request);
      assert.match(String(body), new RegExp(`^${letter}+…$`, 'u'));
      assert.equal(shortened, true);
      assert.deepEqual(data, long.content.data);
      assert.equal(request.code, 'http-201-shortened');
    }
  });

  it('whose data leaves no room for text is refused, and never sent', async () => {
    const long = push();
    const content = { ...long.content, data: { text: 'x'.repeat(4_000) } };
    const provider = await connect({ port: 1 });
    const { kind, code } = await provider.send({ ...long, content }, AbortSignal.timeout(5_000));
    assert.equal(`${kind} ${code}`, 'rejected too-long');
  });

  it('to what is no subscription is refused', async () => {
    const provider = await create(definition, VAPID);
    const { device, ...none } = push();
    const keys = { p256dh: browser.getPublicKey('base64url'), auth: AUTH };
    for (const message of [
      push('http://push.example/x'),
      push('not a url'),
      none,
      { ...none, device: { platform: 'web', keys: null } },
      { ...none, device: { platform: 'web', keys: { ...keys, auth: 'short' } } },
      { ...none, device: { platform: 'web', keys: { ...keys, p256dh: 'BAAA' } } },
    ] as const) {
      const { kind, code } = await provider.send(message, AbortSignal.timeout(2_000));
      assert.equal(`${kind} ${code}`, 'rejected invalid-subscription');
    }
    await provider.close();
    assert.ok(device);
  });

  it('goes to no address inside, whatever its name', async () => {
    const provider = await create(definition, VAPID, { ...NO_PORTS, authorities: [CERTIFICATE] });
    const server = await wireServer(() => hang);
    for (const to of [
      `https://localhost:${server.port}/`,
      'https://127.0.0.1/',
      'https://2130706433/',
      'https://0x7f.1/',
      'https://[::1]/',
      'https://[::ffff:10.0.0.1]/',
      'https://169.254.169.254/latest/meta-data',
      'https://localhost/',
    ]) {
      const { kind, code } = await provider.send(push(to), AbortSignal.timeout(2_000));
      assert.equal(`${kind} ${code}`, 'rejected forbidden-address', to);
    }
    assert.equal(server.connections(), 0);
    await provider.close();
    await server.close();
  });
});

describe('what a push service answers', () => {
  /** Every status, by what it means. */
  const MEANT: readonly (readonly [first: number, last: number, kind: string])[] = [
    [100, 199, 'ambiguous'],
    [200, 299, 'sent'],
    [300, 399, 'retry'],
    [400, 400, 'rejected'],
    [401, 401, 'misconfigured'],
    [402, 402, 'rejected'],
    [403, 403, 'misconfigured'],
    [404, 404, 'gone'],
    [405, 407, 'rejected'],
    [408, 409, 'retry'],
    [410, 410, 'gone'],
    [411, 420, 'rejected'],
    [421, 421, 'retry'],
    [422, 422, 'rejected'],
    [423, 425, 'retry'],
    [426, 428, 'rejected'],
    [429, 429, 'throttled'],
    [430, 499, 'rejected'],
    [500, 503, 'retry'],
    [504, 504, 'ambiguous'],
    [505, 599, 'retry'],
    [600, 999, 'ambiguous'],
  ];
  it('is judged for every status', () => {
    for (const [first, last, kind] of MEANT)
      for (let status = first; status <= last; status += 1) {
        const outcome = byWebPushStatus(status) ?? { kind: 'sent' as const };
        const gone = outcome.kind === 'rejected' && outcome.suppress === true;
        assert.equal(gone ? 'gone' : outcome.kind, kind, String(status));
      }
    assert.equal(
      MEANT.reduce((sum, [first, last]) => sum + last - first + 1, 0),
      900,
      'none is left out',
    );
  });

  const scripted: readonly (readonly [says: string, action: Action, expected: object])[] = [
    ['429', answer(429, '', { 'Retry-After': '7' }), { kind: 'throttled', code: 'http-429', afterMs: 7_000 }],
    ['503', answer(503, '', { 'Retry-After': '60' }), { kind: 'retry', code: 'http-503', afterMs: 60_000 }],
    ['410', answer(410), { kind: 'rejected', code: 'http-410', suppress: true }],
    ['403', answer(403, '{"reason":"BadJwtToken"}'), { kind: 'misconfigured', code: 'http-403' }],
    ['307', answer(307, '', { Location: 'https://elsewhere.example/' }), { kind: 'retry', code: 'http-307' }],
  ];
  for (const [says, action, expected] of scripted)
    it(`comes out as it is meant when it is ${says}`, async () => {
      const server = await wireServer(
        arrivedAt([], () => action),
        { tls: true },
      );
      const provider = await connect(server);
      const { error: _error, ...outcome } = {
        error: '',
        ...(await provider.send(push(), AbortSignal.timeout(5_000))),
      };
      assert.deepEqual(outcome, expected);
      await provider.close();
      await server.close();
    });
});
