import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { useFleet } from '../support/fleet.js';
import { items } from '../support/http.js';
import { CALLS, PERSON } from './calls.js';
import { writesNothing } from './ledger-rows.js';
import { assertProblem } from './problem.js';
import { speak } from './raw-http.js';

const KB = 1024;
const ROUTES = CALLS.filter(({ body }) => body !== undefined);
const SEND = '/notifications/send';

describe('bad input', () => {
  const fleet = useFleet({ engine: 'postgres', workers: [] });
  before(() => fleet().person(PERSON, { email: 'somebody@example.org' }));
  const post = (body: unknown, headers: Record<string, string> = {}, path = SEND) =>
    fleet().call('POST', path, body, { headers });

  test('what is no JSON object is refused on every route', async () => {
    const bodies: readonly [string | Uint8Array, string | undefined][] = [
      ['{', 'invalid_json'],
      ['{"user_id":"somebody","message":"x"', 'invalid_json'],
      ["{'user_id':'somebody'}", 'invalid_json'],
      ['{"user_id":"somebody","message":"x"}}', 'invalid_json'],
      ['\u0000', 'invalid_json'],
      ['NaN', 'invalid_json'],
      ['"text"', 'invalid_json'],
      ['7', 'invalid_json'],
      ['null', 'invalid_json'],
      ['true', 'invalid_json'],
      ['[]', 'invalid'],
      ['[[[]]]', 'invalid'],
      [Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 'invalid_encoding'],
      [Buffer.from('{"user_id":"\xc0\x80"}', 'latin1'), 'invalid_encoding'],
      [Buffer.from('{"user_id":"\xed\xa0\x80"}', 'latin1'), 'invalid_encoding'],
      [Buffer.from('{"message":"x"}', 'utf16le'), undefined],
    ];
    await writesNothing(fleet(), async () => {
      for (const { method, path } of ROUTES) {
        for (const [body, code] of bodies) {
          const answer = await fleet().call(method, path, body);
          assert.equal(
            answer.status,
            422,
            `${method} ${path} ${JSON.stringify(String(body))}: ${answer.text}`,
          );
          assertProblem(answer, 422, code === undefined ? {} : { code });
        }
      }
    });
  });

  test('a hundred wrong fields are listed, and how many more there are', async () => {
    const preferences = Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`k${n}`, true]));
    const answer = await fleet().call('PUT', `/users/${PERSON}/preferences`, {
      ...preferences,
      sms: true,
    });
    assertProblem(answer, 422, { path: 'k99' });
    const { errors, more_errors } = answer.body;
    assert.equal(items(errors).length, 100);
    assert.equal(Number(more_errors), 9_900);
    assert.ok(answer.text.length < 20_000);
  });

  test('a field of the wrong type is refused by its name, on every route and for every field', async () => {
    const wrong: readonly unknown[] = [
      null,
      7,
      true,
      '',
      ' ',
      [],
      {},
      [null],
      { a: 1 },
      -1,
      1e308,
      'x'.repeat(20_000),
    ];
    /** Values of those above that are right for a field, so that they are no mistake. */
    const right: Readonly<Record<string, readonly unknown[]>> = {
      message: [' '],
      // a batch takes any items, and answers for each of them
      notifications: [[null]],
      emails: [[null]],
      body: [' ', 'x'.repeat(20_000)],
      context: [{}, { a: 1 }],
      // none means all
      target_groups: [[]],
      data: [{}, { a: 1 }],
      device_info: [{}, { a: 1 }],
      title: [' '],
      subject: [' '],
      email: [null, true],
      phone: [null],
      groups: [[]],
      roles: [[]],
      sms: [true],
      send_at: [7],
      // nobody is on call, nobody takes turns, and everybody is replaced
      user_ids: [[]],
      layers: [[]],
      replaces: [null],
      // the time after it is what is wrong then
      starts_at: [7],
      rate: [7],
      repeat: [7],
      filter: [{}],
    };
    await writesNothing(fleet(), async () => {
      for (const { method, path, body = {} } of ROUTES) {
        for (const field of Object.keys(body)) {
          for (const value of wrong.filter((one) => !isIn(right[field], one))) {
            const answer = await fleet().call(method, path, { ...body, [field]: value });
            const told = `${method} ${path} ${field} = ${JSON.stringify(value).slice(0, 40)}: ${answer.text}`;
            assert.equal(answer.status, 422, told);
            assert.match(answer.text, new RegExp(`"path":"${field}`), told);
          }
        }
      }
    });
  });

  test('256 KB are the limit of a body, 4 MB that of a batch, however the length is told', async () => {
    const sized = (bytes: number) => {
      const rest = JSON.stringify({ user_id: PERSON, message: 'x', data: { pad: '' } }).length;
      return JSON.stringify({ user_id: PERSON, message: 'x', data: { pad: 'x'.repeat(bytes - rest) } });
    };
    assert.equal((await post(sized(256 * KB))).status, 202);
    await writesNothing(fleet(), async () => {
      for (const { method, path } of ROUTES) {
        const most = path.endsWith('/batch') ? 4 * KB * KB : 256 * KB;
        assertProblem(await fleet().call(method, path, sized(most + 1)), 413, { code: 'too_large' });
      }
      assertProblem(await post(sized(3 * KB * KB)), 413);
      assertProblem(await post('['.repeat(300 * KB)), 413);
      const chunked = await speak(fleet().api.url, [
        `POST /api/v1${SEND} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${await fleet().token('admin')}\r\n` +
          'Content-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n',
        ...Array.from({ length: 300 }, () => `400\r\n${' '.repeat(KB)}\r\n`),
        '0\r\n\r\n',
      ]);
      assert.equal(chunked.status, 413);
    });
  });

  test('a compressed body is read, and one that swells beyond the limit is not', async () => {
    const good = JSON.stringify({ user_id: PERSON, message: 'compressed' });
    const packed = { gzip: gzipSync(good), deflate: deflateSync(good), br: brotliCompressSync(good) };
    for (const [encoding, body] of Object.entries(packed))
      assert.equal((await post(body, { 'content-encoding': encoding })).status, 202, encoding);
    await writesNothing(fleet(), async () => {
      const bomb = gzipSync(Buffer.alloc(200 * KB * KB, ' '));
      assert.ok(bomb.length < 256 * KB);
      assertProblem(await post(bomb, { 'content-encoding': 'gzip' }), 413);
      assertProblem(await post(bomb, { 'content-encoding': 'gzip' }, '/notifications/batch'), 413);
      const brotli = brotliCompressSync(Buffer.alloc(50 * KB * KB, ' '));
      assertProblem(await post(brotli, { 'content-encoding': 'br' }), 413);
      assertProblem(await post(good, { 'content-encoding': 'gzip' }), 422);
      assertProblem(await post(packed.gzip.subarray(0, -6), { 'content-encoding': 'gzip' }), 422);
      for (const encoding of ['zstd', 'compress', 'gzip, gzip', 'x'])
        assertProblem(await post(packed.gzip, { 'content-encoding': encoding }), 415);
    });
  });

  test('a body that does not say it is JSON gets 415', async () => {
    const good = JSON.stringify({ user_id: PERSON, message: 'x' });
    await writesNothing(fleet(), async () => {
      for (const type of [
        'text/plain',
        'application/x-www-form-urlencoded',
        'multipart/form-data; boundary=x',
        'application/xml',
        'application/jsonp',
        '*/*',
        ';',
        'application/json; charset=latin1',
        'application/json; charset=utf-99',
      ])
        assertProblem(await post(good, { 'content-type': type }), 415);
    });
    for (const type of [
      'application/json',
      'APPLICATION/JSON; charset=UTF-8',
      'application/json;charset="utf-8"',
    ])
      assert.equal((await post(good, { 'content-type': type })).status, 202, type);
    assertProblem(await post(undefined), 422);
  });

  test('NUL, half characters and names that reach for a prototype are refused, however deep they are', async () => {
    const wrong = [
      '{"user_id":"somebody","message":"a\\u0000b"}',
      '{"user_id":"somebody","message":"a\\ud800b"}',
      '{"user_id":"somebody","message":"\\udc00\\ud800"}',
      '{"user_id":"somebody","message":"x","data":{"a":[{"b":"\\u0000"}]}}',
      '{"user_id":"somebody","message":"x","data":{"\\u0000":1}}',
      '{"user_id":"somebody","message":"x","data":{"\\udfff":1}}',
      '{"user_id":"somebody","message":"x","__proto__":{"priority":"critical"}}',
      '{"user_id":"somebody","message":"x","data":{"a":{"__proto__":{"polluted":1}}}}',
      '{"user_id":"somebody","message":"x","data":{"\\u005f_proto__":1}}',
      '{"user_id":"somebody","message":"x","data":[{"__proto__":null}]}',
    ];
    await writesNothing(fleet(), async () => {
      for (const body of wrong) assertProblem(await post(body), 422, { code: 'unsafe_json' });
      for (const body of wrong)
        assertProblem(await post(`{"notifications":[${body}]}`, {}, '/notifications/batch'), 422);
    });
    const harmless = {
      constructor: { prototype: { polluted: 1 } },
      prototype: 1,
      hasOwnProperty: 0,
      toString: 'x',
    };
    assert.equal((await post({ user_id: PERSON, message: 'x', data: harmless })).status, 202);
    const event = {
      user_id: PERSON,
      event_type: 'listing_approved',
      context: { property_title: 'x', ...harmless },
    };
    assert.equal((await post(event)).status, 202);
    const everything = { user_id: PERSON, message: '\ufffe\uffff \u{1f514} \u202e \u200b ሰላም \u{10ffff}' };
    assert.equal((await post(everything)).status, 202);
  });

  test('bottomless nesting and endless arrays are refused at once', async () => {
    const nested = (depth: number) => ['{"a":'.repeat(depth), '1', '}'.repeat(depth)].join('');
    const body = (data: string) => `{"user_id":"${PERSON}","message":"x","data":${data}}`;
    assert.equal((await post(body(nested(30)))).status, 202);
    await writesNothing(fleet(), async () => {
      for (const depth of [33, 1_000, 10_000]) assertProblem(await post(body(nested(depth))), 422);
      assertProblem(await post(body(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)), 422);
      assertProblem(await post('['.repeat(10_000)), 422, { code: 'invalid_json' });
      const million = `[${Array(1_000_000).fill('0').join(',')}]`;
      assertProblem(await post(`{"notifications":${million}}`, {}, '/notifications/batch'), 422);
      assertProblem(await post(`{"emails":${million}}`, {}, '/notifications/email/batch'), 422);
      assertProblem(await post(`{"user_id":${million}}`), 413);
      const channels = `[${Array(50_000).fill('"sms"').join(',')}]`.slice(0, 200_000).replace(/,[^,]*$/, ']');
      assertProblem(await post(`{"user_id":"${PERSON}","message":"x","channels":${channels}}`), 422);
    });
  });

  test('numbers that JSON can write and nobody can count are no accident', async () => {
    for (const number of ['1e400', '-1e400', '9007199254740993', '1e-400', '-0', '0.1e1']) {
      const answer = await post(`{"user_id":"${PERSON}","message":"x","data":{"n":${number}}}`);
      assert.equal(answer.status, 202, `${number}: ${answer.text}`);
    }
    await writesNothing(fleet(), async () => {
      for (const amount of ['1e400', '"1"', '[1]', 'null', '{}']) {
        const context = `{"property_title":"x","amount":${amount}}`;
        const body = `{"user_id":"${PERSON}","event_type":"payment_success","context":${context}}`;
        assertProblem(await post(body), 422, { path: 'context.amount' });
      }
    });
  });

  test('a name that comes twice counts once, the last time', async () => {
    const answer = await post(
      `{"user_id":"nobody","user_id":"${PERSON}","message":"first","message":"second"}`,
    );
    assert.equal(answer.status, 202);
    const stored = await fleet().call('GET', `/notifications/${answer.body.notification_id}`);
    assert.equal(stored.body.message, 'second');
  });

  test('text that looks like code is kept as it is', async () => {
    for (const message of [
      "'; DROP TABLE notification; --",
      '{{ context }}',
      '#{7*7}',
      '<script>',
      '$1',
      '\\',
      '%s%n',
      'a\r\nb',
    ]) {
      const id = await fleet().send({ user_id: PERSON, message, title: 'x' });
      assert.equal((await fleet().call('GET', `/notifications/${id}`)).body.message, message);
    }
  });

  test('after all that no answer was a 5xx and nothing went wrong inside', () => {
    const wrong = fleet()
      .logs()
      .filter((line) => /"level":"(error|fatal)"/.test(line));
    assert.deepEqual(wrong, []);
  });
});

function isIn(values: readonly unknown[] | undefined, value: unknown): boolean {
  return values?.some((one) => JSON.stringify(one) === JSON.stringify(value)) ?? false;
}
