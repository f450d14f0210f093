import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { before, describe, test } from 'node:test';
import { SignJWT } from 'jose';
import { WebSocket } from 'ws';
import { OPEN, openSocket, untilHeard } from '../fleet/stream-clients.js';
import { useFleet } from '../support/fleet.js';
import { ask } from '../support/http.js';
import { speak } from './raw-http.js';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

describe('a handshake', () => {
  const fleet = useFleet({
    engine: 'postgres',
    workers: [],
    env: { REALTIME_ORIGINS: 'https://app.example.com, http://localhost:5173' },
  });
  let token = '';
  before(async () => {
    await fleet().person('p');
    token = await fleet().token('user', 'p');
  });
  const host = () => new URL(fleet().api.url).host;

  /** A token of any age, by seconds from now. */
  const tokenFor = (sub: string, seconds: number, secret = String(fleet().env.JWT_SECRET)) =>
    new SignJWT({ role: 'User' })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject(sub)
      .setExpirationTime(Math.floor(Date.now() / 1_000) + seconds)
      .sign(new TextEncoder().encode(secret));

  /** A handshake as text. A header that is null is left out. */
  function handshake(path: string, change: Readonly<Record<string, string | null>> = {}, method = 'GET') {
    const headers = {
      Host: host(),
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': KEY,
      Authorization: `Bearer ${token}`,
      ...change,
    };
    const lines = Object.entries(headers).flatMap(([name, value]) =>
      value === null ? [] : [`${name}: ${value}`],
    );
    return `${[`${method} ${path} HTTP/1.1`, ...lines].join('\r\n')}\r\n\r\n`;
  }
  const none = { Authorization: null };

  test('that is good is answered with a WebSocket, wherever its token stands', async () => {
    const good = [
      handshake('/ws'),
      handshake('/ws?since='),
      handshake(`/ws?access_token=${token}`, none),
      handshake('/ws', { ...none, 'Sec-WebSocket-Protocol': `belfry.${token}` }),
      handshake('/ws', { Authorization: `bearer ${token}` }),
    ];
    for (const text of good) {
      const answer = await speak(fleet().api.url, [text], { quietMs: 100 });
      assert.equal(answer.status, 101, answer.text);
    }
    // What comes in is as large as it says it is: compression is offered, and not taken.
    const socket = new WebSocket(`ws://${host()}/ws`, ['other', `belfry.${token}`], {
      perMessageDeflate: true,
    });
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    assert.equal(socket.protocol, `belfry.${token}`);
    assert.equal(socket.extensions, '');
    socket.terminate();
  });

  const bad: readonly (readonly [
    what: string,
    status: number,
    code: string | null,
    make: () => string | Promise<string>,
  ])[] = [
    ['without a token', 401, 'unauthenticated', () => handshake('/ws', none)],
    ['with an empty token in the query', 401, 'unauthenticated', () => handshake('/ws?access_token=', none)],
    ['with a token that is none', 401, 'unauthenticated', () => handshake('/ws?access_token=a.b.c', none)],
    [
      'with a token as a subprotocol that is none',
      401,
      'unauthenticated',
      () => handshake('/ws', { ...none, 'Sec-WebSocket-Protocol': 'belfry.x' }),
    ],
    [
      'with a token as a subprotocol without its name',
      401,
      'unauthenticated',
      () => handshake('/ws', { ...none, 'Sec-WebSocket-Protocol': token }),
    ],
    [
      'with a bad header and a good query',
      401,
      'unauthenticated',
      () => handshake(`/ws?access_token=${token}`, { Authorization: 'Bearer x' }),
    ],
    [
      'with another scheme and a good query',
      401,
      'unauthenticated',
      () => handshake(`/ws?access_token=${token}`, { Authorization: `Basic ${token}` }),
    ],
    [
      'with a token in a cookie',
      401,
      'unauthenticated',
      () => handshake('/ws', { ...none, Cookie: `access_token=${token}` }),
    ],
    [
      'with a token that has expired',
      401,
      'unauthenticated',
      async () => handshake('/ws', { Authorization: `Bearer ${await tokenFor('p', -60)}` }),
    ],
    [
      'with a token of another secret',
      401,
      'unauthenticated',
      async () => handshake('/ws', { Authorization: `Bearer ${await tokenFor('p', 60, 'x'.repeat(32))}` }),
    ],
    [
      'with a token that is too long',
      401,
      'unauthenticated',
      () => handshake('/ws', { Authorization: `Bearer ${'x'.repeat(9_000)}` }),
    ],
    [
      "with a viewer's token",
      403,
      'forbidden',
      async () => handshake('/ws', { Authorization: `Bearer ${await fleet().token('viewer', 'p')}` }),
    ],
    [
      'of a page of another origin',
      403,
      'cross_origin',
      () => handshake('/ws', { Origin: 'https://evil.example' }),
    ],
    ['of a page without an origin', 403, 'cross_origin', () => handshake('/ws', { Origin: 'null' })],
    [
      'of a page on another port',
      403,
      'cross_origin',
      () => handshake('/ws', { Origin: 'http://127.0.0.1:1' }),
    ],
    [
      'of a page whose host only begins like ours',
      403,
      'cross_origin',
      () => handshake('/ws', { Origin: `http://${host()}.evil.example` }),
    ],
    [
      'of a page of a listed origin on another port',
      403,
      'cross_origin',
      () => handshake('/ws', { Origin: 'https://app.example.com:8443' }),
    ],
    ['of a page with an origin that is no URL', 403, 'cross_origin', () => handshake('/ws', { Origin: '%' })],
    ['at another place', 404, 'not_found', () => handshake('/wss')],
    ['below the place', 404, 'not_found', () => handshake('/ws/x')],
    ['at the place of the other stream', 404, 'not_found', () => handshake('/api/v1/stream')],
    ['at the root', 404, 'not_found', () => handshake('/')],
    ['with a key that is none', 400, null, () => handshake('/ws', { 'Sec-WebSocket-Key': 'short' })],
    ['without a key', 400, null, () => handshake('/ws', { 'Sec-WebSocket-Key': null })],
    ['of another version', 400, null, () => handshake('/ws', { 'Sec-WebSocket-Version': '7' })],
    ['with another method', 405, null, () => handshake('/ws', {}, 'POST')],
    [
      'without an upgrade',
      426,
      'upgrade_required',
      () => handshake('/ws', { Upgrade: null, Connection: null }),
    ],
    [
      'with a subprotocol that is no subprotocol',
      400,
      null,
      () => handshake('/ws', { 'Sec-WebSocket-Protocol': 'a b' }),
    ],
  ];

  for (const [what, status, code, make] of bad)
    test(`${what} is refused with ${status}`, async () => {
      const answer = await speak(fleet().api.url, [await make()], { quietMs: 200 });
      assert.equal(answer.status, status, answer.text);
      if (code === null) return;
      const problem: Record<string, unknown> = JSON.parse(answer.text.split('\r\n\r\n')[1] ?? '');
      assert.match(answer.text, /content-type: application\/problem\+json/i);
      assert.equal(problem.status, status);
      assert.equal(problem.code, code);
      assert.equal(/www-authenticate/i.test(answer.text), status === 401);
    });

  test('that was refused has left nothing behind', async () => {
    const presence = await fleet().call('GET', '/presence/p');
    assert.deepEqual(presence.body.sessions, []);
    assert.equal((await fleet().page('/health')).status, 200);
  });

  test('of a page of our own, or of one that is listed, is answered', async () => {
    for (const origin of [
      `http://${host()}`,
      'https://app.example.com',
      'HTTPS://APP.example.com',
      'http://localhost:5173',
    ])
      for (const open of Object.values(OPEN)) {
        const client = await open(fleet(), { sub: 'p', headers: { origin } });
        assert.deepEqual(await Promise.race([client.ended, 'open']), 'open', origin);
        client.close();
      }
  });

  test('for events is refused in the same way', async () => {
    const stream = `${fleet().api.url}/api/v1/stream`;
    const foreign = { authorization: `Bearer ${token}`, origin: 'https://evil.example' };
    assert.equal((await ask('GET', stream)).status, 401);
    assert.equal((await ask('GET', `${stream}?access_token=x`)).status, 401);
    assert.equal((await ask('GET', stream, undefined, foreign)).body.code, 'cross_origin');
    const viewer = { authorization: `Bearer ${await fleet().token('viewer')}` };
    assert.equal((await ask('GET', stream, undefined, viewer)).status, 403);
    const head = await ask('HEAD', stream, undefined, { authorization: `Bearer ${token}` });
    assert.equal(head.headers.get('content-type'), 'text/event-stream; charset=utf-8');
  });

  test('to speak HTTP/2 is passed over: the call is answered as if it had not been said', async () => {
    const body = JSON.stringify({ user_id: 'p', message: 'Hello' });
    const internal = await fleet().token('internal', 'service');
    const head = [
      'POST /api/v1/notifications/send HTTP/1.1',
      `Host: ${host()}`,
      'Connection: Upgrade, HTTP2-Settings',
      'Upgrade: h2c',
      'HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA',
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
      `Authorization: Bearer ${internal}`,
    ].join('\r\n');
    const answer = await speak(fleet().api.url, [`${head}\r\n\r\n${body.slice(0, 9)}`, body.slice(9)]);
    assert.equal(answer.status, 202, answer.text);
  });

  test('to speak HTTP/2 may be wished for with every call of a connection, and leaves nothing on it', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const headers = {
      Connection: 'Upgrade, HTTP2-Settings',
      Upgrade: 'h2c',
      'HTTP2-Settings': 'AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA',
    };
    const lines = new Set<unknown>();
    for (let call = 0; call < 30; call += 1) {
      const answer = await new Promise<IncomingMessage>((resolve, reject) =>
        get(`${fleet().api.url}/health`, { agent, headers }, resolve).once('error', reject),
      );
      assert.equal(answer.statusCode, 200);
      lines.add(answer.socket);
      await once(answer.resume(), 'end');
    }
    agent.destroy();
    assert.equal(lines.size, 1);
    assert.doesNotMatch(fleet().api.stderr.join('\n'), /MaxListenersExceededWarning/);
  });

  test('is cut with its connection when the client leaves in the middle of it', async () => {
    const { port } = new URL(fleet().api.url);
    // Fewer than one person may have, so that there is room while they are given back.
    await Promise.all(
      Array.from({ length: 15 }, async () => {
        const socket = connect(Number(port), '127.0.0.1');
        socket.on('error', () => undefined);
        socket.write(handshake('/ws'));
        await new Promise((resolve) => socket.once('connect', resolve));
        socket.destroy();
      }),
    );
    const client = await openSocket(fleet(), { sub: 'p' });
    client.say({ type: 'ping' });
    await untilHeard(client, 'pong');
    client.close();
  });
});
