import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { byFcmError, byTokenStatus, isProvidersFault } from '@belfry/channels/classify.js';
import type { Message } from '@belfry/shared/domain/message.js';
import type { Outcome } from '@belfry/shared/domain/outcome.js';
import { jwtVerify } from 'jose';
import { type Action, answer, hang, http, type WireRequest, wireServer } from '../support/wire-server.js';
import { connect, NAME, push, REGISTRATION, TAKEN } from './fcm-subject.js';
import { type Grant, grant, keyFile, SIGNED_BY, TOKEN, tokenServer } from './token-server.js';

const YES = answer(200, TAKEN, { 'Content-Type': 'application/json' });

interface Rig {
  readonly send: (message?: Message<'push'>, signal?: AbortSignal) => Promise<Outcome>;
  readonly asked: readonly WireRequest[];
  readonly assertions: readonly string[];
  act: () => Action;
  give: Grant;
}

/** A provider between an FCM and a token endpoint that do as they are told. */
async function withRig(work: (rig: Rig) => Promise<void>): Promise<void> {
  const asked: WireRequest[] = [];
  const assertions: string[] = [];
  const rig = { asked, assertions, act: () => YES, give: grant() } as Omit<Rig, 'send'> & {
    act: () => Action;
  };
  const tokens = await tokenServer(() => (request, form, response) => {
    assertions.push(form.get('assertion') ?? '');
    assert.equal(form.get('grant_type'), 'urn:ietf:params:oauth:grant-type:jwt-bearer');
    rig.give(request, form, response);
  });
  const server = await wireServer(
    http((request) => {
      asked.push(request);
      return rig.act();
    }),
  );
  const provider = await connect(server, 'http', tokens.url);
  const send: Rig['send'] = (message = push(), signal = AbortSignal.timeout(5_000)) =>
    provider.send(message, signal);
  try {
    await work(Object.assign(rig, { send }));
  } finally {
    await provider.close();
    await server.close();
    tokens.close();
  }
}

const said = ({ kind, code }: Outcome) => `${kind} ${code}`;
const bodyOf = (request: WireRequest | undefined) => JSON.parse(request?.body ?? '{}').message;

describe('a push to a telephone', () => {
  it('has what the app shows, what it works with, and what takes the place of an earlier copy', () =>
    withRig(async ({ send, asked }) => {
      const message = { ...push(), priority: 'critical', expiresInMs: 90_500 } as const;
      assert.deepEqual(await send(message), { kind: 'sent', code: 'http-200', providerId: NAME });
      const [request] = asked;
      assert.equal(`${request?.method} ${request?.path}`, 'POST /v1/projects/canary-project/messages:send');
      assert.match(request?.head ?? '', new RegExp(`^authorization: Bearer ${TOKEN}$`, 'im'));
      const { apns, ...rest } = bodyOf(request);
      assert.deepEqual(rest, {
        token: REGISTRATION,
        notification: { title: 'canary-title', body: 'canary-body: rent received' },
        data: {
          notification_id: message.notificationId,
          delivery_id: message.deliveryId,
          type: 'payment_success',
          data: '{"amount":12500}',
        },
        android: { priority: 'HIGH', ttl: '90s', notification: { tag: message.deliveryId } },
      });
      const { 'apns-expiration': expiration, ...headers } = apns.headers;
      assert.deepEqual(headers, { 'apns-priority': '10', 'apns-collapse-id': message.deliveryId });
      assert.ok(Math.abs(Number(expiration) - Date.now() / 1_000 - 90) < 5, expiration);
    }));

  it('of low priority waits for the device to wake, four weeks at most', () =>
    withRig(async ({ send, asked }) => {
      await send({ ...push(), priority: 'low' });
      const { android, apns } = bodyOf(asked[0]);
      assert.deepEqual(
        [android.priority, android.ttl, apns.headers['apns-priority']],
        ['NORMAL', '2419200s', '5'],
      );
    }));

  it('that is too long is shortened and says so, and its data never is', () =>
    withRig(async ({ send, asked }) => {
      const long = push();
      const outcome = await send({ ...long, content: { ...long.content, body: 'ü'.repeat(9_000) } });
      assert.equal(outcome.code, 'http-200-shortened');
      const { notification, data } = bodyOf(asked[0]);
      assert.ok(Buffer.byteLength(JSON.stringify({ notification, data })) <= 4_096);
      assert.match(notification.body, /^ü{1500,}…$/);
      assert.deepEqual([data.data, data.shortened], ['{"amount":12500}', 'true']);
      const full = { ...long.content, data: { text: 'x'.repeat(4_100) } };
      assert.equal(said(await send({ ...long, content: full })), 'rejected too-long');
      assert.equal(asked.length, 1);
    }));
});

describe('the access token of FCM', () => {
  it('is asked for with an assertion that the account has signed for its token endpoint', () =>
    withRig(async ({ send, assertions }) => {
      await send();
      const { payload, protectedHeader } = await jwtVerify(assertions[0] ?? '', SIGNED_BY, {
        algorithms: ['RS256'],
        issuer: keyFile('').client_email,
        maxTokenAge: 3_600,
      });
      assert.equal(protectedHeader.kid, 'canary-key-id');
      assert.equal(payload.scope, 'https://www.googleapis.com/auth/firebase.messaging');
      assert.match(String(payload.aud), /^http:\/\/127\.0\.0\.1:\d+\/token$/);
      assert.ok((payload.exp ?? 0) - (payload.iat ?? 0) <= 3_600);
    }));

  it('is asked for once by many messages at the same time, and serves those that follow', () =>
    withRig(async ({ send, asked, assertions }) => {
      const sent = await Promise.all(Array.from({ length: 20 }, () => send()));
      assert.deepEqual([...new Set(sent.map(said))], ['sent http-200']);
      await send();
      assert.equal(asked.length, 21);
      assert.equal(assertions.length, 1);
    }));

  it('is asked for anew shortly before it expires', () =>
    withRig(async (rig) => {
      rig.give = grant(TOKEN, 59);
      await rig.send();
      await rig.send();
      assert.equal(rig.assertions.length, 2);
    }));

  it('that is accepted no more is given up, and the message tried again with another', () =>
    withRig(async (rig) => {
      await rig.send();
      rig.act = () => answer(401, '{}');
      assert.equal(said(await rig.send()), 'retry http-401');
      rig.act = () => YES;
      assert.equal(said(await rig.send()), 'sent http-200');
      assert.equal(rig.assertions.length, 2);
    }));

  it('that is not accepted though it is new says that the settings are wrong', () =>
    withRig(async (rig) => {
      rig.act = () => answer(401, '{}');
      assert.equal(said(await rig.send()), 'misconfigured http-401');
    }));

  const respond =
    (status: number, body: string, headers: Record<string, string> = {}): Grant =>
    (_request, _form, response) =>
      void response.writeHead(status, headers).end(body);
  for (const [name, give, expected] of [
    ['refuses the credentials', respond(400, '{"error":"invalid_grant"}'), 'misconfigured token-http-400'],
    ['does not know the account', respond(401, '{"error":"invalid_client"}'), 'misconfigured token-http-401'],
    ['asks to go slower', respond(429, '', { 'retry-after': '9' }), 'throttled token-http-429'],
    ['has a failure', respond(500, ''), 'retry token-http-500'],
    ['is behind a gateway that gave up', respond(504, ''), 'retry token-http-504'],
    ['points elsewhere', respond(302, '', { location: '/x' }), 'misconfigured token-http-302'],
    ['answers with HTML', respond(200, '<html>'), 'retry malformed'],
    ['answers without a token', respond(200, '{"expires_in":5}'), 'retry malformed'],
    ['answers without an end', respond(200, `{"x":"${'x'.repeat(30_000)}"}`), 'retry unknown-error'],
    ['drops the line', (request) => void request.socket.destroy(), 'retry ECONNRESET'],
  ] as readonly (readonly [string, Grant, string])[])
    it(`is not there when its endpoint ${name}: ${expected}`, () =>
      withRig(async (rig) => {
        rig.give = give;
        const outcome = await rig.send();
        assert.equal(said(outcome), expected);
        assert.equal(rig.asked.length, 0, 'nothing was sent');
        rig.give = grant();
        assert.equal(said(await rig.send()), 'sent http-200', 'the next one asks again');
      }));

  it('that never comes costs a message no more than its deadline, and comes for the next', () =>
    withRig(async (rig) => {
      rig.give = () => undefined;
      const late = await rig.send(push(), AbortSignal.timeout(100));
      assert.equal(said(late), 'retry timeout');
      assert.equal(said(await rig.send(push(), AbortSignal.abort())), 'retry aborted');
    }));
});

describe('what FCM answers', () => {
  it('is waited for no longer than the deadline', () =>
    withRig(async (rig) => {
      // The token and the connection are there from a message before.
      await rig.send();
      rig.act = () => hang;
      const outcome = await rig.send(push(), AbortSignal.timeout(200));
      assert.equal(said(outcome), 'ambiguous timeout');
    }));

  const MEANT: Readonly<Record<string, readonly [status: number, expected: string]>> = {
    UNREGISTERED: [404, 'gone'],
    INVALID_ARGUMENT: [400, 'rejected'],
    SENDER_ID_MISMATCH: [403, 'rejected'],
    QUOTA_EXCEEDED: [429, 'throttled'],
    UNAVAILABLE: [503, 'retry'],
    INTERNAL: [500, 'retry'],
    THIRD_PARTY_AUTH_ERROR: [401, 'retry'],
  };
  const errorOf = (errorCode: string) =>
    JSON.stringify({
      error: {
        details: [
          { '@type': 'type.googleapis.com/google.rpc.BadRequest' },
          { '@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError', errorCode },
        ],
      },
    });
  for (const [code, [status, expected]] of Object.entries(MEANT))
    it(`is ${expected} when it is ${code}`, () =>
      withRig(async (rig) => {
        rig.act = () => answer(status, errorOf(code), { 'Retry-After': '5' });
        const outcome = await rig.send();
        const gone = outcome.kind === 'rejected' && outcome.suppress === true;
        assert.equal(`${gone ? 'gone' : outcome.kind} ${outcome.code}`, `${expected} fcm-${code}`);
        if (outcome.kind === 'throttled' || outcome.kind === 'retry') assert.equal(outcome.afterMs, 5_000);
        assert.equal(rig.assertions.length, 1);
      }));

  it('about Apple’s part alone is not held against FCM', () => {
    assert.equal(isProvidersFault(byFcmError('THIRD_PARTY_AUTH_ERROR', 401)), false);
    assert.equal(isProvidersFault(byFcmError('UNAVAILABLE', 503)), true);
  });

  it('with a code that nobody knows, or with none, is judged by its status', () => {
    for (const code of ['toString', 'constructor', 'NEW_ERROR', undefined, 7])
      for (const [status, kind] of [
        [400, 'rejected'],
        [401, 'misconfigured'],
        [403, 'misconfigured'],
        [404, 'misconfigured'],
        [429, 'throttled'],
        [500, 'retry'],
        [504, 'ambiguous'],
      ] as const)
        assert.equal(byFcmError(code, status).kind, kind, `${code} ${status}`);
  });

  it('is never ambiguous or final when it is the token endpoint that answers', () => {
    for (let status = 100; status <= 599; status += 1) {
      const { kind } = byTokenStatus(status);
      assert.ok(kind !== 'ambiguous', String(status));
    }
  });
});
