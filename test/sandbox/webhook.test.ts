import assert from 'node:assert/strict';
import { test } from 'node:test';
import { webhook } from '@belfry/channels/webhook/webhook.js';
import type { FaultRuleInput } from '@belfry/sandbox/fault-rule.js';
import { webhookSecretOf } from '@belfry/shared/domain/webhook-secret.js';
import { Webhook } from 'standardwebhooks';
import { create } from '../contract/subject.js';
import { note, SECRET } from '../contract/webhook-subject.js';
import { type Running, withSandbox } from './with-sandbox.js';

/** Sends one webhook to a path of the sandbox and tells how it ended. */
async function send({ sandbox }: Running, path = '/webhook/abebe?k=1', ms = 2_000): Promise<string> {
  const provider = await create(webhook, {
    WEBHOOK_SECRETS: SECRET,
    WEBHOOK_ALLOW_HTTP: 'listed',
    WEBHOOK_ALLOW_ADDRESSES: `127.0.0.1:${sandbox.httpPort}`,
  });
  const { kind, code } = await provider.send(note(sandbox.httpUrl + path), AbortSignal.timeout(ms));
  await provider.close();
  return `${kind} ${code}`;
}

test('a webhook is recorded with its body and headers as they came, so that it can be checked', () =>
  withSandbox(async (running) => {
    const { client } = running;
    assert.equal(await send(running), 'sent http-200');
    const hook = await client.waitForMessage({ channel: 'webhook', to: '/webhook/abebe' });
    assert.equal(hook.delivery_id, hook.headers?.['webhook-id']);
    assert.equal(hook.subject, 'canary-title');
    assert.deepEqual(hook.details, { method: 'POST', type: 'payment_success' });
    assert.ok(new Webhook(webhookSecretOf(SECRET, 'abebe')).verify(hook.text, hook.headers ?? {}));
    assert.equal((await client.stats()).by_channel.webhook, 1);
    assert.deepEqual((await client.calls()).webhook.answers, { '200': 1 });
  }));

test('any method, path and body is taken', () =>
  withSandbox(async ({ sandbox, client }) => {
    for (const [method, path, body] of [
      ['GET', '/webhook', undefined],
      ['PUT', '/webhook/a/b/c', 'not json'],
      ['POST', '/webhook/x', Buffer.from([0, 255, 254])],
      ['DELETE', '/webhook/y', '[1]'],
    ] as const)
      assert.equal(
        (await fetch(sandbox.httpUrl + path, { method, ...(body === undefined ? {} : { body }) })).status,
        200,
      );
    const found = await client.messages({ channel: 'webhook' });
    assert.deepEqual(
      found.map(({ details, to, subject }) => `${details?.method} ${to} ${subject}`),
      ['GET /webhook/ GET', 'PUT /webhook/a/b/c PUT', 'POST /webhook/x POST', 'DELETE /webhook/y DELETE'],
    );
  }));

const CASES: readonly (readonly [action: FaultRuleInput['action'], ends: RegExp, recorded: number])[] = [
  [{ kind: 'status', status: 429, retryAfter: 3 }, /^throttled http-429/, 0],
  [{ kind: 'status', status: 410 }, /^rejected http-410/, 0],
  [{ kind: 'status', status: 404, body: 'no' }, /^retry http-404/, 0],
  [{ kind: 'hang' }, /^ambiguous timeout/, 0],
  [{ kind: 'hang', at: 'after' }, /^ambiguous timeout/, 1],
  [{ kind: 'drop' }, /^ambiguous ECONNRESET/, 0],
  [{ kind: 'accept-and-drop' }, /^ambiguous ECONNRESET/, 1],
  [{ kind: 'drip', interval_ms: 60_000 }, /^sent/, 1],
  [{ kind: 'delay', ms: 20 }, /^sent/, 1],
];

for (const [action, ends, recorded] of CASES) {
  test(`${JSON.stringify(action)} ends a webhook with ${ends.source} and records ${recorded}, for its path alone`, () =>
    withSandbox(async (running) => {
      const { client } = running;
      await client.fault({ channel: 'webhook', recipient: '/webhook/abebe', action });
      assert.match(await send(running, '/webhook/abebe', 700), ends);
      assert.equal((await client.messages()).length, recorded);
      assert.equal(await send(running, '/webhook/chaltu'), 'sent http-200');
    }));
}
