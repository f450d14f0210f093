import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ses } from '@belfry/channels/email/ses.js';
import type { FaultRuleInput } from '@belfry/sandbox/fault-rule.js';
import { mail } from '../contract/smtp-subject.js';
import { create } from '../contract/subject.js';
import { mailer, type Running, withSandbox } from './with-sandbox.js';

const TO = 'abebe@example.org';

/** Sends one mail through the AWS SDK and tells how it ended. */
async function send({ sandbox }: Running, to = TO, ms = 2_000): Promise<string> {
  const provider = await create(ses, {
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'any',
    AWS_SECRET_ACCESS_KEY: 'any',
    SES_ENDPOINT: sandbox.httpUrl,
    MAIL_FROM: 'Belfry <notifications@belfry.test>',
  });
  const { kind, code } = await provider.send(mail(to), AbortSignal.timeout(ms));
  await provider.close();
  return `${kind} ${code}`;
}

test('a mail by the SES API is recorded like one by SMTP, under the Message-ID that SES gives it', () =>
  withSandbox(async (running) => {
    const { client } = running;
    assert.equal(await send(running), 'sent http-200');
    const message = await client.expectEmail(TO, /Rent received/);
    assert.equal(message.from, 'notifications@belfry.test');
    assert.match(message.text, /canary-body/);
    assert.match(message.html ?? '', /<p>canary-body<\/p>/);
    assert.match(message.delivery_id ?? '', /^0190c0de-/);
    assert.match(message.message_id ?? '', /^<0100.*@email\.amazonses\.com>$/);
    assert.equal(message.details?.provider, 'ses');
    assert.deepEqual((await client.calls()).email.answers, { '200': 1 });
  }));

test('a call without a signature, or with another body, gets an error of the shape of SES', () =>
  withSandbox(async ({ sandbox, client }) => {
    const post = (headers: Record<string, string>, body: string) =>
      fetch(`${sandbox.httpUrl}/v2/email/outbound-emails`, { method: 'POST', headers, body });
    const unsigned = await post({}, '{}');
    assert.equal(unsigned.status, 403);
    assert.equal(unsigned.headers.get('x-amzn-errortype'), 'MissingAuthenticationTokenException');
    const authorization =
      'AWS4-HMAC-SHA256 Credential=a/20260101/eu-west-1/ses/aws4_request, SignedHeaders=host, Signature=0';
    for (const body of ['{}', '{"Content":{"Raw":{"Data":"§"}},"Destination":{"ToAddresses":["a@b.c"]}}']) {
      const odd = await post({ authorization }, body);
      assert.equal(odd.status, 400, body);
      assert.equal(odd.headers.get('x-amzn-errortype'), 'BadRequestException');
    }
    await client.expectNothingElse();
  }));

const CASES: readonly (readonly [action: FaultRuleInput['action'], ends: RegExp, recorded: number])[] = [
  [{ kind: 'status', status: 429 }, /^throttled ses-TooManyRequestsException/, 0],
  [{ kind: 'status', status: 503 }, /^retry http-503/, 0],
  [
    { kind: 'status', status: 400, sesError: 'SendingPausedException' },
    /^misconfigured ses-SendingPaused/,
    0,
  ],
  [{ kind: 'status', status: 400 }, /^rejected ses-BadRequestException/, 0],
  [{ kind: 'hang' }, /^ambiguous timeout/, 0],
  [{ kind: 'hang', at: 'after' }, /^ambiguous timeout/, 1],
  [{ kind: 'drop' }, /^ambiguous ECONNRESET/, 0],
  [{ kind: 'accept-and-drop' }, /^ambiguous ECONNRESET/, 1],
  [{ kind: 'malformed' }, /^ambiguous http-200/, 0],
  [{ kind: 'drip', interval_ms: 1 }, /^sent/, 1],
  [{ kind: 'delay', ms: 20 }, /^sent/, 1],
];

for (const [action, ends, recorded] of CASES) {
  test(`${JSON.stringify(action)} over SES ends with ${ends.source}, records ${recorded} and leaves SMTP alone`, () =>
    withSandbox(async (running) => {
      const { client, sandbox } = running;
      await client.fault({ channel: 'email', provider: 'ses', action });
      assert.match(await send(running, TO, 700), ends);
      assert.equal((await client.messages()).length, recorded);
      await mailer(sandbox).sendMail({ from: 'x@example.org', to: TO, subject: 's', text: 't' });
      assert.equal((await client.messages()).length, recorded + 1);
    }));
}

test('what only SMTP can say leaves SES alone, and so does a rule for SMTP', () =>
  withSandbox(async (running) => {
    const { client } = running;
    await client.fault({ channel: 'email', action: { kind: 'smtp', code: 451 } });
    await client.fault({ channel: 'email', provider: 'smtp', action: { kind: 'hang' } });
    assert.equal(await send(running), 'sent http-200');
    await client.fault({ channel: 'email', action: { kind: 'drop' } });
    assert.match(await send(running), /^ambiguous ECONNRESET/);
  }));
