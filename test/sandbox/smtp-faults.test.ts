import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FaultRuleInput } from '@belfry/sandbox/fault-rule.js';
import { mailer, type Running, withSandbox } from './with-sandbox.js';

const TO = 'abebe@example.org';

/** Sends one mail and tells how it ended: the reply code, or the client's error code. */
async function send({ sandbox }: Running, to = TO): Promise<string | number> {
  try {
    const info = await mailer(sandbox, 3_000).sendMail({
      from: 'x@example.org',
      to,
      subject: 's',
      text: 't',
    });
    return Number.parseInt(info.response, 10);
  } catch (error) {
    const { responseCode, code } = error as { responseCode?: number; code?: string };
    return responseCode ?? code ?? String(error);
  }
}

for (const at of ['connect', 'mail', 'rcpt', 'data'] as const) {
  for (const code of [421, 451, 550]) {
    test(`reply ${code} at ${at} reaches the client, nothing is recorded, and the next mail goes through`, () =>
      withSandbox(async (running) => {
        const { client } = running;
        const enhanced = code === 550 ? '5.1.1' : '4.7.1';
        await client.fault({ channel: 'email', action: { kind: 'smtp', code, at, enhanced }, times: 1 });
        assert.equal(await send(running), code);
        await client.expectNothingElse();
        assert.equal(await send(running), 250);
        const { email } = await client.calls();
        assert.deepEqual(email.answers, { [code]: 1, '250': 1 });
        assert.equal(email.tries, 2);
        assert.equal(email.recorded, 1);
      }));
  }
}

test('the enhanced code and the text of a reply are the ones asked for', () =>
  withSandbox(async ({ sandbox, client }) => {
    const text = 'Greylisted, come back';
    await client.fault({
      channel: 'email',
      action: { kind: 'smtp', code: 451, at: 'rcpt', enhanced: '4.7.1', text },
    });
    await assert.rejects(
      mailer(sandbox).sendMail({ from: 'x@example.org', to: TO, subject: 's', text: 't' }),
      {
        message: /451 4\.7\.1 Greylisted, come back/,
      },
    );
  }));

interface Case {
  readonly rule: FaultRuleInput['action'];
  readonly ends: string | number;
  readonly recorded: number;
}

const CASES: readonly Case[] = [
  { rule: { kind: 'hang', at: 'connect' }, ends: 'ETIMEDOUT', recorded: 0 },
  { rule: { kind: 'hang', at: 'before' }, ends: 'ETIMEDOUT', recorded: 0 },
  { rule: { kind: 'hang', at: 'after' }, ends: 'ETIMEDOUT', recorded: 1 },
  { rule: { kind: 'drop', at: 'connect' }, ends: 'ECONNECTION', recorded: 0 },
  { rule: { kind: 'drop' }, ends: 'ECONNECTION', recorded: 0 },
  { rule: { kind: 'accept-and-drop' }, ends: 'ECONNECTION', recorded: 1 },
  { rule: { kind: 'malformed' }, ends: 'EMESSAGE', recorded: 0 },
  { rule: { kind: 'malformed', at: 'after' }, ends: 'EMESSAGE', recorded: 1 },
  { rule: { kind: 'drip', interval_ms: 5 }, ends: 250, recorded: 1 },
  { rule: { kind: 'delay', ms: 50 }, ends: 250, recorded: 1 },
  { rule: { kind: 'delay', ms: 60_000 }, ends: 'ETIMEDOUT', recorded: 1 },
];

for (const { rule, ends, recorded } of CASES) {
  test(`${JSON.stringify(rule)} ends a mail with ${ends} and records ${recorded}`, () =>
    withSandbox(async (running) => {
      const { client } = running;
      await client.fault({ channel: 'email', action: rule, times: 1 });
      assert.equal(await send(running), ends);
      assert.equal((await client.messages()).length, recorded);
      const { email } = await client.calls();
      assert.deepEqual(email.faults, { [rule.kind]: 1 });
      assert.equal(email.tries, 1);
      assert.equal(await send(running), 250);
    }));
}

test('a rule for a domain leaves everybody else alone', () =>
  withSandbox(async (running) => {
    await running.client.fault({
      channel: 'email',
      recipient: '*@bad.example',
      action: { kind: 'smtp', code: 550, at: 'rcpt' },
    });
    assert.equal(await send(running, 'a@bad.example'), 550);
    assert.equal(await send(running, 'a@notbad.example'), 250);
    assert.equal(await send(running, 'b@BAD.example'), 550);
  }));
