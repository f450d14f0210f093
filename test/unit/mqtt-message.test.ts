import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { carryOut } from '@belfry/api/mqtt/carry-out.js';
import { createInnerCalls, type InnerAnswer, type InnerCall } from '@belfry/api/mqtt/inner-call.js';
import { fits, readMessage } from '@belfry/api/mqtt/message.js';
import type { IPublishPacket } from 'mqtt';

const SETTINGS = { identities: [], responses: undefined };

function packet(topic: string, more: Partial<IPublishPacket> = {}): IPublishPacket {
  return { cmd: 'publish', topic, payload: Buffer.from('{}'), qos: 1, dup: false, retain: false, ...more };
}

describe('a message', () => {
  it('is the POST of the same name, and reaches nothing but routes below notifications', () => {
    const path = (topic: string) => readMessage(packet(topic), SETTINGS).call?.path ?? null;
    assert.equal(path('notifications/send'), '/api/v1/notifications/send');
    assert.equal(
      path('notifications/realtime/user/a.b_c-d:e@f'),
      '/api/v1/notifications/realtime/user/a.b_c-d:e@f',
    );
    const wrong = [
      'notifications',
      'notifications/',
      'notifications//send',
      'notifications/send/',
      'notifications/../users',
      'notifications/./send',
      'notifications/..',
      'notifications/%2e%2e/users',
      'notifications/..%2fusers',
      'notifications/send?x=1',
      'notifications/send#x',
      'notifications/a b',
      'notifications/send\u0000',
      'notifications/send\r\nhost: x',
      'notifications/$SYS',
      'notifications/é',
      `notifications/${'a'.repeat(129)}`,
      `notifications${'/a'.repeat(600)}`,
      '$SYS/notifications/send',
      'users/notifications/send',
    ];
    assert.deepEqual(
      wrong.filter((topic) => path(topic) !== null),
      [],
    );
  });

  it('brings its headers in user properties, and none that would end a line', () => {
    const headersOf = (userProperties: Record<string, string | string[]>, contentType?: string) =>
      readMessage(
        packet('notifications/send', {
          properties: { userProperties, ...(contentType === undefined ? {} : { contentType }) },
        }),
        SETTINGS,
      ).call?.headers ?? {};
    assert.equal(headersOf({ authorization: 'Bearer x' }).authorization, 'Bearer x');
    assert.equal(headersOf({ access_token: 'x' }).authorization, 'Bearer x');
    assert.equal(headersOf({ authorization: 'Bearer x\r\nhost: y' }).authorization, '');
    assert.equal(headersOf({ 'message-id': 'a', 'idempotency-key': 'b' })['idempotency-key'], 'b');
    assert.equal(headersOf({ 'message-id': ['a', 'b'] })['idempotency-key'], 'a');
    assert.equal(headersOf({ 'message-id': 'ä' })['idempotency-key'], '');
    assert.equal(headersOf({}, 'text/plain\n')['content-type'], '');
    assert.equal(headersOf({ host: 'x', cookie: 'y' }).host, undefined);
    assert.notEqual(headersOf({})['idempotency-key'], headersOf({})['idempotency-key']);
  });

  it('brings no header that is too long to be read', () => {
    const headersOf = (userProperties: Record<string, string>, payload = '{}', contentType = 'text/plain') =>
      readMessage(
        packet('notifications/send', {
          payload: Buffer.from(payload),
          properties: { userProperties, contentType },
        }),
        SETTINGS,
      ).call?.headers ?? {};
    const long = 'x'.repeat(20_000);
    const name = 'x'.repeat(255);
    assert.equal(headersOf({ 'message-id': name })['idempotency-key'], name);
    assert.equal(headersOf({ 'message-id': `${name}x` })['idempotency-key'], '');
    assert.equal(headersOf({ 'idempotency-key': long })['idempotency-key'], '');
    assert.equal(headersOf({}, JSON.stringify({ message_id: long }))['idempotency-key'], '');
    assert.equal(headersOf({ traceparent: long }).traceparent, '');
    assert.equal(headersOf({ authorization: `Bearer ${long}` }).authorization, '');
    assert.equal(headersOf({ access_token: long }).authorization, '');
    assert.equal(headersOf({}, '{}', long)['content-type'], '');
  });

  it('may name itself in its body', () => {
    const key = (payload: string) =>
      readMessage(packet('notifications/send', { payload: Buffer.from(payload) }), SETTINGS).call?.headers[
        'idempotency-key'
      ];
    assert.equal(key('{"message_id": "m-1"}'), 'm-1');
    for (const odd of ['{"message_id": 5}', '{"message_id": ', '{"a": {"message_id": "m-1"}}', 'null'])
      assert.match(key(odd) ?? '', /^mqtt-/);
  });

  it('is answered where it asks for it, but never where the answer would come in again', () => {
    const topicOf = (responseTopic: string) =>
      readMessage(packet('notifications/send', { properties: { responseTopic } }), SETTINGS).reply?.topic;
    assert.equal(topicOf('answers/1'), 'answers/1');
    assert.equal(topicOf('notifications-of-mine'), 'notifications-of-mine');
    for (const topic of [
      'notifications',
      'notifications/send',
      '$SYS/x',
      '$share/g/x',
      'a/#',
      'a/+',
      'a\u0000',
      'a\uffff',
      'a\ufdd0',
      'a\ud800',
      'a'.repeat(1_025),
      'ä'.repeat(513),
      'a/'.repeat(100),
      '',
    ])
      assert.equal(topicOf(topic), undefined, topic);
    const named = (payload: string) =>
      readMessage(packet('notifications/send', { payload: Buffer.from(payload) }), {
        identities: [],
        responses: 'answers',
      }).reply?.topic;
    assert.equal(named('{"message_id": "m-1"}'), 'answers/m-1');
    assert.equal(named('{"message_id": "#"}'), undefined);
    assert.equal(named('{"message_id": "\\uffff"}'), undefined);
    assert.equal(named(JSON.stringify({ message_id: 'x'.repeat(70_000) })), undefined);
    assert.equal(named('{}'), undefined);
  });

  it('is from whom its token says, and else from whom its topic is', () => {
    const identities = [
      { filter: 'notifications/alerts/#', subject: 'plc', role: 'internal' },
      { filter: 'notifications/#', subject: 'all', role: 'user' },
    ] as const;
    const callerOf = (topic: string, userProperties = {}) =>
      readMessage(packet(topic, { properties: { userProperties } }), { ...SETTINGS, identities }).call
        ?.caller;
    assert.equal(callerOf('notifications/alerts/critical/fire')?.sub, 'plc');
    assert.equal(callerOf('notifications/send')?.sub, 'all');
    assert.equal(callerOf('notifications/send', { authorization: 'Bearer x' }), null);
    assert.equal(readMessage(packet('notifications/send'), SETTINGS).call?.caller, null);
    assert.ok(fits('notifications/a/b', 'notifications/+/b'));
    assert.ok(fits('notifications', 'notifications/#'));
    assert.ok(!fits('notifications/a/b', 'notifications/+'));
    assert.ok(!fits('notifications/a', 'notifications/a/b'));
  });
});

describe('a call is made again', () => {
  const CALL: InnerCall = { path: '/', headers: {}, body: Buffer.alloc(0), caller: null };
  const saying = (status: number, code = 'x', more: InnerAnswer['headers'] = {}): InnerAnswer => ({
    status,
    headers: more,
    body: Buffer.from(JSON.stringify({ code })),
  });

  /** Answers one after the other, the last one for ever. */
  async function ending(answers: readonly InnerAnswer[], { patienceMs = 0, places = 1 } = {}) {
    let calls = 0;
    const result = await carryOut(
      async () => {
        const answer = answers[Math.min(calls, answers.length - 1)];
        calls += 1;
        if (answer === undefined) throw new Error('no answer');
        return answer;
      },
      CALL,
      {
        patienceMs,
        signal: new AbortController().signal,
        enter: () => places > 0,
        leave: () => undefined,
      },
    );
    return [calls, result?.outcome, result?.answer.status];
  }

  it('not when its answer is final', async () => {
    assert.deepEqual(await ending([saying(202)]), [1, 'accepted', 202]);
    assert.deepEqual(await ending([saying(202, 'x', { 'idempotency-replayed': 'true' })]), [
      1,
      'repeated',
      202,
    ]);
    for (const status of [400, 401, 403, 404, 409, 413, 415, 422])
      assert.deepEqual(await ending([saying(status)], { patienceMs: 60_000 }), [1, 'refused', status]);
  });

  it('for as long as the database is away, whatever its patience is', async () => {
    const away = saying(503, 'unavailable');
    assert.deepEqual(await ending([away, away, away, saying(202)]), [4, 'accepted', 202]);
  });

  it('within its patience when nobody knows what came of it', async () => {
    assert.deepEqual(await ending([]), [1, 'given_up', 500]);
    let calls = 0;
    const call = async () => {
      calls += 1;
      if (calls === 1) throw new Error('broken');
      return saying(202);
    };
    const signal = new AbortController().signal;
    const result = await carryOut(call, CALL, {
      patienceMs: 60_000,
      signal,
      enter: () => true,
      leave: () => undefined,
    });
    assert.equal(result?.outcome, 'accepted');
  });

  it('within its patience for what is true of this message alone, and then given up', async () => {
    for (const answer of [
      saying(429, 'rate_limited', { 'retry-after': '0.01' }),
      saying(409, 'idempotency_key_in_use', { 'retry-after': '0.01' }),
      saying(503, 'directory_unavailable', { 'retry-after': '0.01' }),
      saying(500, 'internal'),
    ]) {
      assert.deepEqual(await ending([answer]), [1, 'given_up', answer.status]);
      assert.deepEqual(await ending([answer, saying(202)], { patienceMs: 60_000 }), [2, 'accepted', 202]);
      assert.deepEqual(await ending([answer, saying(202)], { patienceMs: 60_000, places: 0 }), [
        1,
        'given_up',
        answer.status,
      ]);
    }
  });

  it('not any more once it is told to stop: then nothing is said of it', async () => {
    const stop = new AbortController();
    const result = carryOut(async () => saying(503, 'unavailable'), CALL, {
      patienceMs: 0,
      signal: stop.signal,
      enter: () => true,
      leave: () => undefined,
    });
    stop.abort();
    assert.equal(await result, null);
  });
});

describe('an inner call', () => {
  const call = createInnerCalls((req, res) => {
    if (req.url === '/silent') req.socket.destroy();
    else res.end('heard');
  });
  const make = (path: string, headers = {}) => call({ path, headers, body: Buffer.from('{}'), caller: null });

  it('is answered by the app, and by the parser before it', async () => {
    const heard = await make('/');
    assert.deepEqual([heard.status, heard.body.toString()], [200, 'heard']);
    assert.equal((await make('/', { traceparent: 'x'.repeat(20_000) })).status, 431);
  });

  it('rejects as soon as its line is gone', async () => {
    await assert.rejects(make('/silent'), /hang up/);
  });
});
