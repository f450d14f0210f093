import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mailer, withSandbox } from './with-sandbox.js';

const mail = { from: 'x@example.org', to: 'a@example.org', subject: 'same', text: '.' };

test('a message that nobody expected fails the test, and says which it was', () =>
  withSandbox(async ({ sandbox, client }) => {
    await mailer(sandbox).sendMail(mail);
    await assert.rejects(
      client.expectNothingElse(),
      /1 messages that nobody expected:\s+email to a@example.org: same/,
    );
    await client.expectEmail('a@example.org', /same/);
    await client.expectNothingElse();
  }));

test('each wait returns a message of its own', () =>
  withSandbox(async ({ sandbox, client }) => {
    await mailer(sandbox).sendMail(mail);
    await mailer(sandbox).sendMail(mail);
    const first = await client.expectEmail('a@example.org', /same/);
    const second = await client.expectEmail('a@example.org', /same/);
    assert.notEqual(first.id, second.id);
    await assert.rejects(
      client.expectEmail('a@example.org', /same/, { timeoutMs: 50 }),
      /no message with channel email/,
    );
  }));

test('a wait sees a message that comes later', () =>
  withSandbox(async ({ sandbox, client }) => {
    const waiting = client.waitForMessage({ to: 'a@example.org', text: /\./ });
    await mailer(sandbox).sendMail(mail);
    assert.equal((await waiting).subject, 'same');
  }));
