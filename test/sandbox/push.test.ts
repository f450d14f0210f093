import assert from 'node:assert/strict';
import { createECDH } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fcm } from '@belfry/channels/push/fcm.js';
import { webpush } from '@belfry/channels/push/webpush.js';
import { startSandbox } from '@belfry/sandbox/app.js';
import type { FaultRuleInput } from '@belfry/sandbox/fault-rule.js';
import { readPush } from '@belfry/sandbox/push-encryption.js';
import { checkVapid } from '@belfry/sandbox/vapid.js';
import type { Message } from '@belfry/shared/domain/message.js';
import type { Outcome } from '@belfry/shared/domain/outcome.js';
import { push as toTelephone } from '../contract/fcm-subject.js';
import { create, NO_PORTS } from '../contract/subject.js';
import { push as toBrowser, VAPID } from '../contract/webpush-subject.js';
import { ask } from '../support/http.js';
import { freePort } from '../support/ports.js';
import { subscribe } from '../support/push-env.js';
import { type Running, withSandbox } from './with-sandbox.js';

/** Pushes to a browser of the sandbox, over TLS that is checked. */
async function pushTo({ sandbox }: Running, name: string, change: Partial<Message<'push'>> = {}, ms = 3_000) {
  const { endpoint, keys } = await subscribe(sandbox.httpUrl, name);
  return sendTo(
    sandbox.httpUrl,
    { ...toBrowser(endpoint), device: { platform: 'web', keys }, ...change },
    ms,
  );
}

async function sendTo(httpUrl: string, message: Message<'push'>, ms = 3_000): Promise<Outcome> {
  const { text: certificate } = await ask('GET', `${httpUrl}/push/certificate`);
  const settings = { ...VAPID, PUSH_ALLOW_ADDRESSES: '127.0.0.1' };
  const provider = await create(webpush, settings, { ...NO_PORTS, authorities: [certificate] });
  const outcome = await provider.send(message, AbortSignal.timeout(ms));
  await provider.close();
  return outcome;
}

async function phone({ sandbox }: Running, message = toTelephone(), ms = 3_000): Promise<Outcome> {
  const { text } = await ask('GET', `${sandbox.httpUrl}/fcm/credentials`);
  const provider = await create(fcm, { FCM_CREDENTIALS: text, FCM_BASE_URL: sandbox.httpUrl });
  const outcome = await provider.send(message, AbortSignal.timeout(ms));
  await provider.close();
  return outcome;
}

const said = ({ kind, code }: Outcome) => `${kind} ${code}`;

test('the example of RFC 8291 is read as it says', () => {
  const body =
    'DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN';
  const privateKey = createECDH('prime256v1');
  privateKey.setPrivateKey('q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94', 'base64url');
  const auth = Buffer.from('BTBZMqHH6r4Tts7J_aSIgg', 'base64url');
  const read = readPush(Buffer.from(body, 'base64url'), { privateKey, auth });
  assert.equal(read?.toString('utf8'), 'When I grow up, I want to be a watermelon');
  const changed = Buffer.from(body, 'base64url');
  changed.writeUInt8(changed.readUInt8(120) ^ 1, 120);
  assert.equal(readPush(changed, { privateKey, auth }), undefined);
});

test('the example of RFC 8292 is good until it expires, and only for its origin and key', async (context) => {
  const key = 'BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs';
  const token =
    'eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJodHRwczovL3B1c2guZXhhbXBsZS5uZXQiLCJleHAiOjE0NTM1MjM3NjgsInN1YiI6Im1haWx0bzpwdXNoQGV4YW1wbGUuY29tIn0.i3CYb7t4xfxCDquptFOepC9GAu_HLGkMlMuCGSK2rpiUfnK9ojFwDXb1JrErtmysazNjjvW2L9OkSSHzvoD1oA';
  const header = `vapid t=${token}, k=${key}`;
  const origin = 'https://push.example.net';
  const status = async (...[given, at, only = null]: [string | undefined, string, (string | null)?]) => {
    const answer = await checkVapid(given, at, only);
    return 'status' in answer ? answer.status : answer.subject;
  };
  assert.equal(await status(header, origin), 403, 'it expired long ago');
  context.mock.timers.enable({ apis: ['Date'], now: 1_453_500_000_000 });
  assert.equal(await status(header, origin), 'mailto:push@example.com');
  assert.equal(await status(header, origin, key), 'mailto:push@example.com');
  assert.equal(await status(header, 'https://push.example.org'), 403);
  assert.equal(await status(header, origin, VAPID.VAPID_PUBLIC_KEY), 403);
  assert.equal(await status(header.replace(key, VAPID.VAPID_PUBLIC_KEY), origin), 403);
  assert.equal(await status(header.replace('i3CYb7t4', 'i3CYb7t5'), origin), 403);
  for (const none of [undefined, '', 'Bearer x', 'vapid', `vapid t=${token}`, `vapid k=${key}`])
    assert.equal(await status(none, origin), 401);
  context.mock.timers.setTime(1_453_300_000_000);
  assert.equal(await status(header, origin), 403, 'it is good for more than a day');
});

test('a push to a browser is recorded as the browser reads it', () =>
  withSandbox(async (running) => {
    const message = { priority: 'high', expiresInMs: 60_000 } as const;
    assert.equal(said(await pushTo(running, 'abebe', message)), 'sent http-201');
    const { client } = running;
    const arrived = await client.waitForMessage({ channel: 'push', to: 'abebe', subject: /^canary-title$/ });
    assert.equal(arrived.text, 'canary-body: rent received');
    const { payload = '', ...details } = arrived.details ?? {};
    assert.deepEqual(details, {
      provider: 'webpush',
      platform: 'web',
      urgency: 'high',
      ttl: '60',
      topic: String(arrived.delivery_id).replaceAll('-', ''),
    });
    assert.deepEqual(JSON.parse(payload).data, { amount: 12_500 });
    assert.equal(arrived.from, VAPID.VAPID_SUBJECT);
    assert.equal((await client.stats()).by_channel.push, 1);
    assert.deepEqual((await client.calls()).push.answers, { '201': 1 });
  }));

test('what a push service refuses is refused, and nothing of it recorded', () =>
  withSandbox(async (running) => {
    const { sandbox, client } = running;
    const { httpUrl } = sandbox;
    const url = new URL((await subscribe(httpUrl, 'known')).endpoint);
    const strange = { ...url, endpoint: url.href.replace('known', 'strange') };
    const keys = (await subscribe(httpUrl, 'other')).keys;
    const device = { platform: 'web', keys } as const;
    assert.equal(
      said(await sendTo(httpUrl, { ...toBrowser(strange.endpoint), device })),
      'rejected http-404',
    );
    assert.equal(said(await sendTo(httpUrl, { ...toBrowser(url.href), device })), 'rejected http-400');
    assert.equal((await ask('DELETE', `${httpUrl}/push/subscriptions/known`)).status, 204);
    assert.equal((await ask('DELETE', `${httpUrl}/push/subscriptions/known`)).status, 404);
    const ended = await sendTo(httpUrl, { ...toBrowser(url.href), device });
    assert.deepEqual([said(ended), 'suppress' in ended], ['rejected http-410', true]);
    const own = createECDH('prime256v1').generateKeys('base64url');
    const made = await ask('POST', `${httpUrl}/push/subscriptions`, {
      name: 'own',
      applicationServerKey: own,
    });
    const restricted = JSON.parse(made.text);
    const other = {
      ...toBrowser(restricted.endpoint),
      device: { platform: 'web', keys: restricted.keys },
    } as const;
    assert.equal(said(await sendTo(httpUrl, other)), 'misconfigured http-403');
    for (const body of [{ name: 'a b' }, { name: '' }, { applicationServerKey: 'x' }, { what: 1 }])
      assert.equal((await ask('POST', `${httpUrl}/push/subscriptions`, body)).status, 422);
    assert.deepEqual(await client.messages(), []);
  }));

test('it tells the VAPID key of its sender, when it was given one', async () => {
  const ports = { host: '127.0.0.1', httpPort: 0, smtpPort: 0 };
  for (const [vapidPublicKey, wanted] of [
    [VAPID.VAPID_PUBLIC_KEY, VAPID.VAPID_PUBLIC_KEY],
    [undefined, null],
  ] as const) {
    const sandbox = await startSandbox({ ...ports, vapidPublicKey });
    assert.deepEqual((await ask('GET', `${sandbox.httpUrl}/push/vapid-key`)).body, { public_key: wanted });
    await sandbox.stop();
  }
});

test('a sender that does not trust its certificate sends nothing to it', () =>
  withSandbox(async ({ sandbox, client }) => {
    const { endpoint, keys } = await subscribe(sandbox.httpUrl, 'abebe');
    const provider = await create(webpush, { ...VAPID, PUSH_ALLOW_ADDRESSES: '127.0.0.1' });
    const message = { ...toBrowser(endpoint), device: { platform: 'web', keys } } as const;
    assert.equal((await provider.send(message, AbortSignal.timeout(3_000))).kind, 'retry');
    await provider.close();
    assert.equal((await client.calls()).push.tries, 0);
  }));

test('a push to a telephone is recorded, and needs a token that was given out', () =>
  withSandbox(async (running) => {
    const { sandbox, client } = running;
    const outcome = await phone(running);
    assert.equal(said(outcome), 'sent http-200');
    assert.match(
      String('providerId' in outcome && outcome.providerId),
      /^projects\/belfry-sandbox\/messages\//,
    );
    const arrived = await client.waitForMessage({ channel: 'push', to: toTelephone().to });
    assert.deepEqual([arrived.subject, arrived.text], ['canary-title', 'canary-body: rent received']);
    assert.equal(arrived.details?.provider, 'fcm');
    assert.ok(!JSON.stringify(arrived).includes('sandbox.'), 'no access token is shown');
    const path = `${sandbox.httpUrl}/v1/projects/belfry-sandbox/messages:send`;
    for (const headers of [{}, { authorization: 'Bearer x' }] as Record<string, string>[])
      assert.equal((await ask('POST', path, { message: { token: 'x' } }, headers)).status, 401);
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    for (const body of [
      '',
      'grant_type=password',
      'grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion=x',
    ])
      assert.equal((await ask('POST', `${sandbox.httpUrl}/fcm/token`, body, form)).status, 400);
    assert.equal((await client.messages()).length, 1);
  }));

const CASES: readonly (readonly [
  provider: 'webpush' | 'fcm',
  action: FaultRuleInput['action'],
  ends: RegExp,
  recorded: number,
])[] = [
  ['webpush', { kind: 'status', status: 404 }, /^rejected http-404/, 0],
  ['webpush', { kind: 'status', status: 410 }, /^rejected http-410/, 0],
  ['webpush', { kind: 'status', status: 413 }, /^rejected http-413/, 0],
  ['webpush', { kind: 'status', status: 429, retryAfter: 3 }, /^throttled http-429/, 0],
  ['webpush', { kind: 'status', status: 503 }, /^retry http-503/, 0],
  ['webpush', { kind: 'hang' }, /^ambiguous timeout/, 0],
  ['webpush', { kind: 'drop' }, /^ambiguous ECONNRESET/, 0],
  ['webpush', { kind: 'accept-and-drop' }, /^ambiguous ECONNRESET/, 1],
  ['fcm', { kind: 'status', status: 404, fcmError: 'UNREGISTERED' }, /^rejected fcm-UNREGISTERED/, 0],
  ['fcm', { kind: 'status', status: 429, fcmError: 'QUOTA_EXCEEDED' }, /^throttled fcm-QUOTA_EXCEEDED/, 0],
  ['fcm', { kind: 'status', status: 500 }, /^retry http-500/, 0],
  ['fcm', { kind: 'malformed', at: 'after' }, /^ambiguous malformed/, 1],
  ['fcm', { kind: 'hang', at: 'after' }, /^ambiguous timeout/, 1],
];
for (const [provider, action, ends, recorded] of CASES)
  test(`${provider}: ${JSON.stringify(action)} ends a push with ${ends.source} and records ${recorded}`, () =>
    withSandbox(async (running) => {
      await running.client.fault({ channel: 'push', provider, action });
      const sending = provider === 'fcm' ? phone(running, undefined, 700) : pushTo(running, 'abebe', {}, 700);
      assert.match(said(await sending), ends);
      assert.equal((await running.client.messages()).length, recorded);
      const other = provider === 'fcm' ? pushTo(running, 'abebe') : phone(running);
      assert.match(said(await other), /^sent/, 'the other is well');
    }));

test('a token endpoint that fails is a fault of its own', () =>
  withSandbox(async (running) => {
    await running.client.fault({
      channel: 'push',
      provider: 'fcm',
      on: 'lookup',
      action: { kind: 'status', status: 503 },
    });
    assert.equal(said(await phone(running)), 'retry token-http-503');
    assert.equal((await running.client.calls()).push.tries, 0);
    await assert.rejects(
      running.client.fault({ channel: 'push', on: 'lookup', action: { kind: 'hang' } }),
      /only fcm has lookups/,
    );
  }));

test('with a folder its certificate and keys are the same after a restart', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'sandbox-'));
  const look = async () => {
    const sandbox = await startSandbox({ host: '127.0.0.1', httpPort: 0, smtpPort: 0, pushPort: 0, folder });
    const credentials = await ask('GET', `${sandbox.httpUrl}/fcm/credentials`);
    const { keys } = await subscribe(sandbox.httpUrl, 'abebe');
    await sandbox.stop();
    return { certificate: sandbox.certificate, keys, key: credentials.body.private_key };
  };
  const first = await look();
  assert.match(String(first.certificate), /^-----BEGIN CERTIFICATE-----/);
  assert.deepEqual(await look(), first);
  rmSync(folder, { recursive: true });
});

test('with a folder its browsers are subscribed after a restart, and those that have ended stay ended', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'sandbox-'));
  const ports = { host: '127.0.0.1', httpPort: 0, smtpPort: 0, pushPort: await freePort() };
  const first = await startSandbox({ ...ports, folder });
  const [abebe, gone] = await Promise.all([
    subscribe(first.httpUrl, 'abebe'),
    subscribe(first.httpUrl, 'gone'),
  ]);
  await ask('DELETE', `${first.httpUrl}/push/subscriptions/gone`);
  const { body: before } = await ask('GET', `${first.httpUrl}/push/subscriptions`);
  await first.stop();

  const second = await startSandbox({ ...ports, folder });
  assert.deepEqual((await ask('GET', `${second.httpUrl}/push/subscriptions`)).body, before);
  const outcomeOf = async ({ endpoint, keys }: typeof abebe) =>
    said(await sendTo(second.httpUrl, { ...toBrowser(endpoint), device: { platform: 'web', keys } }));
  assert.equal(await outcomeOf(abebe), 'sent http-201');
  assert.equal(await outcomeOf(gone), 'rejected http-410');
  await second.stop();

  writeFileSync(path.join(folder, 'subscriptions.json'), '{"half');
  const third = await startSandbox({ ...ports, folder });
  assert.deepEqual((await ask('GET', `${third.httpUrl}/push/subscriptions`)).body, []);
  await third.stop();
  rmSync(folder, { recursive: true });
});
