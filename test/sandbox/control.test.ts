import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FaultBook } from '@belfry/sandbox/fault-book.js';
import { faultRuleSchema } from '@belfry/sandbox/fault-rule.js';
import { Recorder } from '@belfry/sandbox/recorder.js';
import { mailer, twilioClient, withSandbox } from './with-sandbox.js';

const WRONG_RULES = [
  [{ channel: 'pigeon', action: { kind: 'drop' } }, /channel/],
  [{ channel: 'email' }, /action/],
  [{ channel: 'email', action: { kind: 'explode' } }, /action/],
  [{ channel: 'email', action: { kind: 'status', status: 500 } }, /use \{kind: "smtp"/],
  [{ channel: 'sms', action: { kind: 'smtp', code: 451 } }, /use \{kind: "status"/],
  [{ channel: 'sms', action: { kind: 'hang', at: 'connect' } }, /only email/],
  [{ channel: 'sms', provider: 'ses', action: { kind: 'drop' } }, /ses does not carry sms/],
  [{ channel: 'email', provider: 'ses', action: { kind: 'smtp', code: 451 } }, /use \{kind: "status"/],
  [{ channel: 'email', provider: 'ses', action: { kind: 'hang', at: 'connect' } }, /only SMTP/],
  [{ channel: 'webhook', action: { kind: 'smtp', code: 451 } }, /use \{kind: "status"/],
  [{ channel: 'webhook', action: { kind: 'drop' }, on: 'lookup' }, /no lookup/],
  [
    { channel: 'email', provider: 'ses', action: { kind: 'status', status: 400, sesError: 'a b' } },
    /sesError/,
  ],
  [
    { channel: 'email', recipient: 'a@b.c', action: { kind: 'smtp', code: 451, at: 'mail' } },
    /not known yet/,
  ],
  [{ channel: 'email', action: { kind: 'smtp', code: 250, at: 'data' } }, /code/],
  [{ channel: 'email', action: { kind: 'smtp', code: 451, text: 'a\r\nb' } }, /control characters/],
  [{ channel: 'sms', action: { kind: 'drop' }, times: 0 }, /times/],
  [{ channel: 'sms', action: { kind: 'drop' }, probability: 2 }, /probability/],
  [{ channel: 'sms', action: { kind: 'drop' }, seed: 'x' }, /seed needs/],
  [{ channel: 'sms', action: { kind: 'drop' }, recipient: 'a*b' }, /recipient/],
  [{ channel: 'email', action: { kind: 'drop' }, on: 'lookup' }, /no lookup/],
  [{ channel: 'sms', action: { kind: 'drop' }, timse: 1 }, /timse/],
] as const;

for (const [rule, why] of WRONG_RULES) {
  test(`a wrong rule is refused with 422 and ${why}, and changes nothing: ${JSON.stringify(rule)}`, () =>
    withSandbox(async ({ sandbox, client }) => {
      await client.fault({ channel: 'sms', action: { kind: 'drop' } });
      const response = await fetch(`${sandbox.httpUrl}/faults`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify([rule]),
      });
      assert.equal(response.status, 422);
      const { detail } = (await response.json()) as { detail: string };
      assert.match(detail, why);
      assert.equal((await client.faults()).length, 1);
    }));
}

test('what GET /faults shows can be put back', () =>
  withSandbox(async ({ sandbox, client }) => {
    await client.fault({
      channel: 'sms',
      recipient: '+251911234567',
      action: { kind: 'delay', ms: 5 },
      times: 2,
    });
    const shown = await (await fetch(`${sandbox.httpUrl}/faults`)).text();
    const put = { method: 'PUT', headers: { 'content-type': 'application/json' }, body: shown };
    const response = await fetch(`${sandbox.httpUrl}/faults`, put);
    assert.equal(response.status, 200);
    const [rule] = await client.faults();
    assert.deepEqual(rule?.action, { kind: 'delay', ms: 5 });
    assert.equal(rule?.fired, 0);
  }));

test('a body that is no JSON, a wrong filter and an unknown path are refused and not a crash', () =>
  withSandbox(async ({ sandbox }) => {
    const headers = { 'content-type': 'application/json' };
    const status = async (path: string, init?: RequestInit) =>
      (await fetch(sandbox.httpUrl + path, init)).status;
    assert.equal(await status('/faults', { method: 'PUT', headers, body: '[{' }), 400);
    assert.equal(await status('/faults', { method: 'PUT', body: '[]' }), 422);
    assert.equal(await status('/messages?limit=none'), 422);
    assert.equal(await status('/messages?channel=fax'), 422);
    assert.equal(await status('/messages/7'), 404);
    assert.equal(await status('/messages/x/html'), 404);
    assert.equal(await status('/nothing-here'), 404);
    assert.equal(await status('/faults/99', { method: 'DELETE' }), 404);
    assert.equal(await status('/messages'), 200);
  }));

test('messages are filtered by channel, recipient and delivery, the newest of a limit, oldest first', () =>
  withSandbox(async ({ sandbox, client }) => {
    for (const n of [1, 2, 3])
      await mailer(sandbox).sendMail({
        from: 'x@example.org',
        to: `p${n}@example.org`,
        subject: `${n}`,
        text: '.',
        headers: { 'X-Belfry-Delivery': `d${n}` },
      });
    await twilioClient(sandbox).messages.create({ to: '+251911234567', from: '+15005550006', body: '4' });
    const subjects = async (query: string) => {
      const response = await fetch(`${sandbox.httpUrl}/messages?${query}`);
      const found = (await response.json()) as { subject?: string; text: string }[];
      return found.map(({ subject, text }) => subject ?? text);
    };
    assert.deepEqual(await subjects(''), ['1', '2', '3', '4']);
    assert.deepEqual(await subjects('channel=email&limit=2'), ['2', '3']);
    assert.deepEqual(await subjects('delivery=d2'), ['2']);
    assert.deepEqual(await subjects('to=%2B251911234567'), ['4']);
    assert.deepEqual(await subjects('after=2'), ['3', '4']);
    await client.clear();
    assert.deepEqual(await subjects(''), []);
    assert.equal((await client.calls()).email.tries, 0);
  }));

test('doubles are counted by delivery id and by Message-ID', () =>
  withSandbox(async ({ sandbox, client }) => {
    const mail = { from: 'x@example.org', to: 'a@example.org', subject: 's', text: '.' };
    for (const _ of [1, 2, 3])
      await mailer(sandbox).sendMail({
        ...mail,
        messageId: '<same@x>',
        headers: { 'X-Belfry-Delivery': 'd1' },
      });
    await mailer(sandbox).sendMail({ ...mail, messageId: '<same@x>' });
    const { total, duplicates } = await client.stats();
    assert.equal(total, 4);
    assert.deepEqual(duplicates.by_delivery_id, { ids: 1, extra: 2, examples: ['d1'], forgotten: 0 });
    assert.deepEqual(duplicates.by_message_id, { ids: 1, extra: 3, examples: ['<same@x>'], forgotten: 0 });
    assert.deepEqual(
      (await client.messages()).map(({ attempts }) => attempts),
      [1, 2, 3, 4],
    );
  }));

test('old bodies and old messages are let go, the counts stay exact, and a small text stays', () => {
  const recorder = new Recorder({ messages: 100, bodies: 10, smallBody: 50 });
  const mail = { channel: 'email', recipients: ['a@x'], from: 'b@x', text: 'long', raw_size: 900 } as const;
  const sms = { channel: 'sms', recipients: ['+2519'], from: '+1', text: 'short', raw_size: 5 } as const;
  for (let n = 0; n < 500; n += 1) {
    recorder.record({ ...mail, delivery_id: `m${n}`, html: '<p>', headers: {} });
    recorder.record({ ...sms, delivery_id: `s${n}` });
  }
  const kept = recorder.find({});
  assert.ok(kept.length >= 100 && kept.length <= 102);
  assert.equal(kept.at(-1)?.id, 1_000);
  assert.deepEqual(recorder.stats().by_channel, { email: 500, sms: 500, push: 0, webhook: 0 });
  assert.equal(kept.filter(({ channel, body_dropped }) => channel === 'email' && !body_dropped).length, 5);
  assert.ok(kept.every(({ channel, text }) => channel === 'email' || text === 'short'));
  assert.equal(recorder.get(1), undefined);
  assert.equal(recorder.get(999)?.delivery_id, 'm499');
});

test('a seeded probability hits the same tries every time, and about as many as it says', () => {
  const rule = faultRuleSchema.parse({ channel: 'sms', action: { kind: 'drop' }, probability: 0.3, seed: 7 });
  const play = () => {
    const book = new FaultBook();
    book.add(rule);
    const occasion = { channel: 'sms', moment: 'message', provider: 'twilio', recipients: [] } as const;
    return Array.from({ length: 1_000 }, () => book.take(occasion) !== undefined);
  };
  const hits = play();
  assert.deepEqual(play(), hits);
  const share = hits.filter(Boolean).length / hits.length;
  assert.ok(share > 0.25 && share < 0.35, `${share}`);
});

test('rules are played in order, and a used-up one gives way to the next', () => {
  const book = new FaultBook();
  const occasion = { channel: 'sms', moment: 'message', provider: 'twilio', recipients: ['+2519'] } as const;
  book.add(faultRuleSchema.parse({ channel: 'sms', action: { kind: 'drop' }, times: 2 }));
  book.add(faultRuleSchema.parse({ channel: 'sms', action: { kind: 'hang' }, times: 1 }));
  const played = [1, 2, 3, 4].map(() => book.take(occasion)?.kind);
  assert.deepEqual(played, ['drop', 'drop', 'hang', undefined]);
  assert.deepEqual(
    book.list().map(({ fired }) => fired),
    [2, 1],
  );
});
