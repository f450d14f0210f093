import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FaultRuleInput } from '@belfry/sandbox/fault-rule.js';
import { ACCOUNT, type Running, twilioClient, withSandbox } from './with-sandbox.js';

const TO = '+251911234567';

/** Sends one SMS through the SDK and tells how it ended: `sent`, an HTTP status, or the client's error code. */
async function send({ sandbox }: Running, to = TO): Promise<string | number> {
  try {
    await twilioClient(sandbox).messages.create({ to, from: '+15005550006', body: 'hello' });
    return 'sent';
  } catch (error) {
    const { status, code } = error as { status?: number; code?: string };
    return status ?? code ?? (error instanceof Error ? error.name : String(error));
  }
}

for (const status of [400, 401, 403, 404, 429, 500, 502, 503]) {
  test(`status ${status} is answered with Twilio's error document, and nothing is recorded`, () =>
    withSandbox(async (running) => {
      const { client } = running;
      await client.fault({ channel: 'sms', action: { kind: 'status', status }, times: 1 });
      assert.equal(await send(running), status);
      await client.expectNothingElse();
      assert.equal(await send(running), 'sent');
      const { sms } = await client.calls();
      assert.deepEqual(sms.answers, { [status]: 1, '201': 1 });
    }));
}

test('a 429 carries Retry-After and code 20429, a chosen code and body win', () =>
  withSandbox(async ({ sandbox, client }) => {
    const post = () =>
      fetch(`${sandbox.httpUrl}/2010-04-01/Accounts/${ACCOUNT}/Messages.json`, {
        method: 'POST',
        headers: { authorization: `Basic ${btoa(`${ACCOUNT}:x`)}` },
        body: new URLSearchParams({ To: TO, From: '+15005550006', Body: 'x' }),
      });
    const once = (action: FaultRuleInput['action']) => client.fault({ channel: 'sms', action, times: 1 });
    await once({ kind: 'status', status: 429, retryAfter: 7 });
    await once({ kind: 'status', status: 400, twilioCode: 21610 });
    await once({ kind: 'status', status: 503, retryAfter: 'Sun, 22 Nov 2026 12:00:00 GMT', body: 'down' });

    const throttled = await post();
    assert.equal(throttled.headers.get('retry-after'), '7');
    assert.equal(((await throttled.json()) as { code: number }).code, 20429);
    assert.equal(((await (await post()).json()) as { code: number }).code, 21610);
    const down = await post();
    assert.equal(down.headers.get('retry-after'), 'Sun, 22 Nov 2026 12:00:00 GMT');
    assert.equal(await down.text(), 'down');
  }));

interface Case {
  readonly rule: FaultRuleInput['action'];
  readonly ends: string;
  readonly recorded: number;
}

const CASES: readonly Case[] = [
  { rule: { kind: 'hang' }, ends: 'ECONNABORTED', recorded: 0 },
  { rule: { kind: 'hang', at: 'after' }, ends: 'ECONNABORTED', recorded: 1 },
  { rule: { kind: 'drop' }, ends: 'ECONNRESET', recorded: 0 },
  { rule: { kind: 'accept-and-drop' }, ends: 'ECONNRESET', recorded: 1 },
  { rule: { kind: 'malformed' }, ends: 'SyntaxError', recorded: 0 },
  { rule: { kind: 'malformed', at: 'after' }, ends: 'SyntaxError', recorded: 1 },
  { rule: { kind: 'drip', interval_ms: 1 }, ends: 'sent', recorded: 1 },
  { rule: { kind: 'delay', ms: 50 }, ends: 'sent', recorded: 1 },
  { rule: { kind: 'delay', ms: 60_000 }, ends: 'ECONNABORTED', recorded: 1 },
];

for (const { rule, ends, recorded } of CASES) {
  test(`${JSON.stringify(rule)} ends an SMS with ${ends} and records ${recorded}`, () =>
    withSandbox(async (running) => {
      const { client } = running;
      await client.fault({ channel: 'sms', action: rule, times: 1 });
      assert.equal(await send(running), ends);
      assert.equal((await client.messages()).length, recorded);
      assert.deepEqual((await client.calls()).sms.faults, { [rule.kind]: 1 });
      assert.equal(await send(running), 'sent');
    }));
}

test('a drip sends the head at once and keeps the body back, though the message was taken', () =>
  withSandbox(async ({ sandbox, client }) => {
    await client.fault({ channel: 'sms', action: { kind: 'drip', interval_ms: 60_000 } });
    const patience = new AbortController();
    const response = await fetch(`${sandbox.httpUrl}/2010-04-01/Accounts/${ACCOUNT}/Messages.json`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${ACCOUNT}:x`)}` },
      body: new URLSearchParams({ To: TO, From: '+15005550006', Body: 'hello' }),
      signal: patience.signal,
    });
    assert.equal(response.status, 201);
    await client.expectSms(TO, /hello/);
    patience.abort();
    await assert.rejects(response.text(), { name: 'AbortError' });
  }));

test('a fault on lookups leaves sending alone, and the other way round', () =>
  withSandbox(async (running) => {
    const { sandbox, client } = running;
    await client.fault({
      channel: 'sms',
      recipient: TO,
      on: 'lookup',
      action: { kind: 'status', status: 503 },
    });
    assert.equal(await send(running), 'sent');
    await assert.rejects(twilioClient(sandbox).messages.list({ to: TO }), { status: 503 });
    await client.clearFaults();
    await client.fault({ channel: 'sms', action: { kind: 'status', status: 503 } });
    assert.equal((await twilioClient(sandbox).messages.list({ to: TO })).length, 1);
    assert.equal(await send(running), 503);
  }));

test('a rule for one number leaves the others alone', () =>
  withSandbox(async (running) => {
    await running.client.fault({ channel: 'sms', recipient: TO, action: { kind: 'status', status: 500 } });
    assert.equal(await send(running), 500);
    assert.equal(await send(running, '+251911000000'), 'sent');
  }));
