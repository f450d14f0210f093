import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import nodemailer from 'nodemailer';
import { mailer, withSandbox } from './with-sandbox.js';

test('a mail is recorded with its envelope, both parts, its headers and its delivery id', () =>
  withSandbox(async ({ sandbox, client }) => {
    const info = await mailer(sandbox).sendMail({
      from: 'Belfry <belfry@example.org>',
      to: 'Abebe <abebe@example.org>',
      subject: 'ክፍያዎ ተሳክቷል – Kaffaltiin milkaa’eera',
      text: 'ሰላም አበበ',
      html: '<p>ሰላም <b>አበበ</b></p>',
      messageId: '<one@belfry.invalid>',
      headers: { 'X-Belfry-Delivery': '0190-delivery' },
    });
    assert.match(info.response, /^250 /);

    const mail = await client.expectEmail('ABEBE@example.org', /ተሳክቷል/);
    assert.equal(mail.from, 'belfry@example.org');
    assert.deepEqual(mail.recipients, ['abebe@example.org']);
    assert.equal(mail.text.trim(), 'ሰላም አበበ');
    assert.equal(mail.html, '<p>ሰላም <b>አበበ</b></p>');
    assert.equal(mail.message_id, '<one@belfry.invalid>');
    assert.equal(mail.delivery_id, '0190-delivery');
    assert.equal(mail.headers?.['x-belfry-delivery'], '0190-delivery');
    assert.equal(mail.attempts, 1);
    await client.expectNothingElse();
  }));

test('any credentials are taken, and none as well', () =>
  withSandbox(async ({ sandbox, client }) => {
    const signedIn = nodemailer.createTransport({
      host: '127.0.0.1',
      port: sandbox.smtpPort,
      auth: { user: 'somebody', pass: 'whatever' },
    });
    await signedIn.verify();
    await signedIn.sendMail({ from: 'a@example.org', to: 'b@example.org', subject: 'signed in', text: '.' });
    await mailer(sandbox).sendMail({
      from: 'a@example.org',
      to: 'b@example.org',
      subject: 'a guest',
      text: '.',
    });
    await client.expectEmail('b@example.org', /^signed in$/);
    await client.expectEmail('b@example.org', /^a guest$/);
  }));

test('a pooled connection carries many mails, and each arrives once', () =>
  withSandbox(async ({ sandbox, client }) => {
    const pool = nodemailer.createTransport({
      pool: true,
      host: '127.0.0.1',
      port: sandbox.smtpPort,
      maxConnections: 3,
    });
    const numbers = Array.from({ length: 60 }, (_, n) => n);
    await Promise.all(
      numbers.map((n) =>
        pool.sendMail({
          from: 'a@example.org',
          to: `p${n}@example.org`,
          subject: `${n}`,
          text: 'x',
          headers: { 'X-Belfry-Delivery': `d${n}` },
        }),
      ),
    );
    pool.close();
    const stats = await client.stats();
    assert.equal(stats.by_channel.email, 60);
    assert.equal(stats.duplicates.by_delivery_id.ids, 0);
    const calls = await client.calls();
    assert.equal(calls.email.tries, 60);
    assert.equal(calls.email.recorded, 60);
    assert.deepEqual(calls.email.answers, { '250': 60 });
  }));

test('an address in another script is taken with SMTPUTF8', () =>
  withSandbox(async ({ sandbox, client }) => {
    await mailer(sandbox).sendMail({
      from: 'a@example.org',
      to: 'አበበ@example.org',
      subject: 'utf8',
      text: '.',
    });
    await client.expectEmail('አበበ@example.org', /utf8/);
  }));

test('a mail to several people is one message that each of them is found by', () =>
  withSandbox(async ({ sandbox, client }) => {
    const to = ['a@example.org', 'b@example.com'];
    await mailer(sandbox).sendMail({ from: 'x@example.org', to, subject: 'both', text: '.' });
    assert.equal((await client.messages({ to: 'b@example.com' })).length, 1);
    assert.equal((await client.messages({ to: '*@example.org' })).length, 1);
    assert.equal((await client.messages()).length, 1);
  }));

test('a mail that no program could read is refused with 554, and the sandbox goes on', () =>
  withSandbox(async ({ sandbox, client }) => {
    const raw = `X-Long: ${'x'.repeat(70)}\r\n`.repeat(20_000);
    const envelope = { from: 'a@example.org', to: 'b@example.org' };
    await assert.rejects(mailer(sandbox).sendMail({ envelope, raw }), { responseCode: 554 });
    await mailer(sandbox).sendMail({ ...envelope, subject: 'next', text: '.' });
    await client.expectEmail('b@example.org', /next/);
    await client.expectNothingElse();
  }));

test('a client that breaks off in the middle of a mail leaves nothing behind', () =>
  withSandbox(async ({ sandbox, client }) => {
    const { socket, says } = await speak(sandbox.smtpPort);
    await says(/^220 /m);
    socket.write('EHLO x\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n');
    await says(/^354 /m);
    socket.write('Subject: half\r\n\r\nThis mail is n');
    socket.destroy();
    await mailer(sandbox).sendMail({
      from: 'a@example.org',
      to: 'b@example.org',
      subject: 'whole',
      text: '.',
    });
    await client.expectEmail('b@example.org', /whole/);
    await client.expectNothingElse();
  }));

/** A bare SMTP client: PIPELINING by hand, and a wait for a reply. */
async function speak(port: number) {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  let heard = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    heard += text;
  });
  const says = async (reply: RegExp) => {
    while (!reply.test(heard)) await once(socket, 'data', { signal: AbortSignal.timeout(5_000) });
  };
  return { socket, says };
}
