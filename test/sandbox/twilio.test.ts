import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ACCOUNT, twilioClient, withSandbox } from './with-sandbox.js';

const FROM = '+15005550006';
const TO = '+251911234567';

test('the Twilio SDK sends a message and gets the resource it expects', () =>
  withSandbox(async ({ sandbox, client }) => {
    const sent = await twilioClient(sandbox).messages.create({
      to: TO,
      from: FROM,
      body: 'ክፍያዎ ተሳክቷል',
      statusCallback: 'https://belfry.example.org/callbacks/twilio?delivery=0190-sms',
    });
    assert.match(sent.sid, /^SM[0-9a-f]{32}$/);
    assert.equal(sent.status, 'queued');
    assert.equal(sent.accountSid, ACCOUNT);
    assert.equal(sent.numSegments, '1');
    assert.ok(sent.dateCreated instanceof Date && !Number.isNaN(sent.dateCreated.getTime()));
    assert.equal(sent.errorCode, null);

    const sms = await client.expectSms(TO, /ተሳክቷል/);
    assert.equal(sms.delivery_id, '0190-sms');
    assert.equal(sms.from, FROM);
    assert.equal(sms.details?.sid, sent.sid);
    await client.expectNothingElse();
  }));

test('a message sent through a messaging service is accepted without a sender', () =>
  withSandbox(async ({ sandbox, client }) => {
    const service = `MG${'1'.repeat(32)}`;
    const sent = await twilioClient(sandbox).messages.create({
      to: TO,
      messagingServiceSid: service,
      body: 'x',
    });
    assert.equal(sent.status, 'accepted');
    assert.equal(sent.messagingServiceSid, service);
    assert.equal(sent.from, null);
    assert.equal((await client.expectSms(TO, /x/)).delivery_id, null);
  }));

test('a sent message is found again by its sid and by its recipient and date', () =>
  withSandbox(async ({ sandbox }) => {
    const { messages } = twilioClient(sandbox);
    const start = new Date();
    const sent = await messages.create({ to: TO, from: FROM, body: 'find me' });
    await messages.create({ to: '+251911000000', from: FROM, body: 'somebody else' });

    const fetched = await twilioClient(sandbox).messages(sent.sid).fetch();
    assert.equal(fetched.body, 'find me');
    assert.equal(fetched.status, 'delivered');

    const listed = await messages.list({ to: TO, from: FROM, dateSentAfter: start });
    assert.deepEqual(
      listed.map(({ sid }) => sid),
      [sent.sid],
    );
    const tomorrow = new Date(Date.now() + 86_400_000);
    assert.equal((await messages.list({ to: TO, dateSentAfter: tomorrow })).length, 0);
    assert.equal((await messages.list({ to: TO, dateSentBefore: tomorrow })).length, 1);
  }));

test('a list goes on over its pages, newest first', () =>
  withSandbox(async ({ sandbox }) => {
    const { messages } = twilioClient(sandbox);
    for (const body of ['one', 'two', 'three', 'four', 'five'])
      await messages.create({ to: TO, from: FROM, body });
    const listed = await messages.list({ to: TO, pageSize: 2 });
    assert.deepEqual(
      listed.map(({ body }) => body),
      ['five', 'four', 'three', 'two', 'one'],
    );
  }));

test('what Twilio would refuse is refused with its own codes, and not recorded', () =>
  withSandbox(async ({ sandbox, client }) => {
    const { messages } = twilioClient(sandbox);
    const refused = [
      [{ to: '0911234567', from: FROM, body: 'x' }, 21211],
      [{ to: '', from: FROM, body: 'x' }, 21604],
      [{ to: TO, body: 'x' }, 21603],
      [{ to: TO, from: FROM }, 21602],
      [{ to: TO, from: FROM, body: 'x'.repeat(1_601) }, 21617],
    ] as const;
    for (const [message, code] of refused)
      await assert.rejects(messages.create(message), { status: 400, code }, `${code}`);
    await assert.rejects(
      twilioClient(sandbox)
        .messages(`SM${'0'.repeat(32)}`)
        .fetch(),
      { status: 404, code: 20404 },
    );
    await client.expectNothingElse();
    assert.deepEqual((await client.calls()).sms.answers, { '400': 5, '404': 1 });
  }));

test('a call without credentials gets 401 and Twilio code 20003', () =>
  withSandbox(async ({ sandbox, client }) => {
    const response = await fetch(`${sandbox.httpUrl}/2010-04-01/Accounts/${ACCOUNT}/Messages.json`, {
      method: 'POST',
      body: new URLSearchParams({ To: TO, From: FROM, Body: 'x' }),
    });
    assert.equal(response.status, 401);
    assert.match(response.headers.get('www-authenticate') ?? '', /^Basic /);
    assert.deepEqual(await response.json(), {
      code: 20003,
      message: 'Authenticate',
      more_info: 'https://www.twilio.com/docs/errors/20003',
      status: 401,
    });
    await client.expectNothingElse();
  }));

test('segments are counted in the alphabet that the text needs', () =>
  withSandbox(async ({ sandbox }) => {
    const { messages } = twilioClient(sandbox);
    const parts = [
      ['a'.repeat(160), '1'],
      ['a'.repeat(161), '2'],
      ['€'.repeat(80), '1'],
      ['€'.repeat(81), '2'],
      ['ሰ'.repeat(70), '1'],
      ['ሰ'.repeat(71), '2'],
    ] as const;
    for (const [body, segments] of parts)
      assert.equal((await messages.create({ to: TO, from: FROM, body })).numSegments, segments);
  }));
