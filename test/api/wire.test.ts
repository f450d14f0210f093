import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { useFleet } from '../support/fleet.js';
import { writesNothing } from './ledger-rows.js';
import { speak } from './raw-http.js';

const BODY = JSON.stringify({ user_id: 'ada', message: 'x' });

describe('requests that are odd on the wire', () => {
  const fleet = useFleet({ engine: 'postgres', workers: [] });
  let authorization: string;
  before(async () => {
    await fleet().person('ada');
    authorization = `Authorization: Bearer ${await fleet().token('admin')}`;
  });

  /** A request for sending, written by hand; `headers` come after those that are always there. */
  const request = (
    headers: readonly string[],
    body = BODY,
    line = 'POST /api/v1/notifications/send HTTP/1.1',
  ) => [line, 'Host: belfry', 'Connection: close', ...headers, '', body].join('\r\n');
  const usual = () => [authorization, 'Content-Type: application/json', `Content-Length: ${BODY.length}`];
  const say = (text: string | Uint8Array) => speak(fleet().api.url, [text]);

  test('written by hand, a good request is accepted', async () => {
    assert.equal((await say(request(usual()))).status, 202);
  });

  test('headers that come twice, or that disagree, never write anything', async () => {
    const twice: readonly (readonly [string, readonly string[]])[] = [
      ['two lengths', [...usual(), 'Content-Length: 3']],
      ['a length and chunks', [...usual(), 'Transfer-Encoding: chunked']],
      ['two keys', [...usual(), 'Idempotency-Key: a', 'Idempotency-Key: b']],
      ['two tokens, the first one bad', ['Authorization: Bearer x.y.z', ...usual()]],
      ['two types, the first one wrong', ['Content-Type: text/plain', ...usual()]],
      ['a length of letters', [authorization, 'Content-Type: application/json', 'Content-Length: many']],
      ['a length below zero', [authorization, 'Content-Type: application/json', 'Content-Length: -1']],
      [
        'an unknown transfer coding',
        [authorization, 'Content-Type: application/json', 'Transfer-Encoding: x'],
      ],
      ['a header with a NUL', [...usual(), 'X-Odd: a\u0000b']],
      ['a header name with a space', [...usual(), 'X Odd: a']],
      ['an expectation that nobody meets', [...usual(), 'Expect: a-miracle']],
    ];
    await writesNothing(fleet(), async () => {
      for (const [name, headers] of twice) {
        const { status, text } = await say(request(headers));
        assert.ok(status === 0 || (status >= 400 && status < 500), `${name}: ${text}`);
      }
    });
  });

  test('calls that are sent before the one before them was answered are served in bounds', async () => {
    const call = 'GET /health HTTP/1.1\r\nHost: belfry\r\n\r\n';
    const answers = ({ text }: { text: string }) => text.match(/HTTP\/1\.1 200/g)?.length ?? 0;
    assert.equal(answers(await say(call.repeat(30))), 30);
    const many = await speak(fleet().api.url, [call.repeat(1_500)], { quietMs: 5_000 });
    assert.ok(answers(many) <= 50, `${answers(many)} were answered`);
  });

  test('headers that are too many or too long are refused', async () => {
    const { status } = await say(request([...usual(), `X-Long: ${'x'.repeat(20_000)}`]));
    assert.equal(status, 431);
    const bomb = Array.from({ length: 5_000 }, (_, index) => `X-${index}: x`);
    const many = await say(request([...usual(), ...bomb]));
    assert.equal(many.status, 431, many.text);
    const longPath = await say(request(usual(), BODY, `POST /api/v1/${'x'.repeat(20_000)} HTTP/1.1`));
    assert.equal(longPath.status, 431);
  });

  test('what is no HTTP is refused, and the process goes on', async () => {
    const noise = [
      '\r\n\r\n\r\n',
      'GET\r\n\r\n',
      'hello\r\n\r\n',
      '\u0016\u0003\u0001\u0002\u0000',
      'GET / HTTP/9.9\r\n\r\n',
    ];
    for (const text of noise) {
      const { status } = await speak(fleet().api.url, [Buffer.from(text, 'latin1')], { limitMs: 1_500 });
      assert.ok(status === 0 || status === 400 || status === 505, `${JSON.stringify(text)}: ${status}`);
    }
    assert.equal((await fleet().page('/health')).status, 200);
  });

  test('methods and paths that nobody uses get an answer below 500', async () => {
    const lines = [
      'TRACE /api/v1/notifications/send HTTP/1.1',
      'OPTIONS * HTTP/1.1',
      'CONNECT belfry:80 HTTP/1.1',
      'PROPFIND /api/v1/users HTTP/1.1',
      'GET //api/v1/users HTTP/1.1',
      'GET /api/v1/../../etc/passwd HTTP/1.1',
      'GET /api/v1/%2e%2e/%2e%2e/etc/passwd HTTP/1.1',
      'GET /api/v1/users/%c0%ae HTTP/1.1',
      'GET /api/v1/users/%zz HTTP/1.1',
      'GET /api/v1/users? HTTP/1.1',
      'GET /api/v1/users?limit=%zz HTTP/1.1',
      'GET /api/v1/users?%00=%00&limit HTTP/1.1',
      'GET http://elsewhere.example/api/v1/users HTTP/1.1',
      'GET /api/v1/users# HTTP/1.1',
      'HEAD /api/v1/users HTTP/1.1',
      'HEAD /api/v1/notifications/stats HTTP/1.1',
      'GET /api/v1/users HTTP/1.0',
    ];
    for (const line of lines) {
      const { status, text } = await speak(fleet().api.url, [request([authorization], '', line)], {
        limitMs: 2_000,
      });
      assert.ok(status < 500, `${line}: ${text}`);
    }
  });

  test('a body that never ends, or ends early, is not accepted', async () => {
    await writesNothing(fleet(), async () => {
      const head = [authorization, 'Content-Type: application/json', `Content-Length: ${BODY.length + 10}`];
      const { status } = await speak(fleet().api.url, [request(head)], { limitMs: 1_000 });
      assert.ok(status === 0 || (status >= 400 && status < 500));
    });
    assert.equal((await fleet().page('/health')).status, 200);
  });

  test('nothing went wrong inside', () => {
    assert.deepEqual(
      fleet()
        .logs()
        .filter((line) => /"level":"(error|fatal)"/.test(line)),
      [],
    );
  });
});
