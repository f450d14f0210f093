import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { useFleet } from '../support/fleet.js';
import { items } from '../support/http.js';
import { writesNothing } from './ledger-rows.js';
import { assertProblem } from './problem.js';

const MAIL = { to: 'rahel@example.org', subject: 'Your lease', body: 'It is signed.' };
const SMS = { phone: '+251911000001', message: 'Your lease is signed.' };

describe('mails and text messages to bare addresses', () => {
  const fleet = useFleet({ engine: 'postgres', workers: [] });
  const mail = (body: unknown) => fleet().call('POST', '/notifications/email/send', body);
  const sms = (body: unknown) => fleet().call('POST', '/notifications/sms/send', body);

  test('a mail is answered with its id, under which it can be read', async () => {
    const sent = await mail({ ...MAIL, html_body: '<p>It is <b>signed</b>.</p>', priority: 'high' });
    assert.equal(sent.status, 202, sent.text);
    assert.equal(sent.body.status, 'email_queued');
    const read = await fleet().call('GET', `/email/${sent.body.email_id}`, undefined, { as: 'internal' });
    assert.equal(read.status, 200, read.text);
    assert.equal(read.body.email_id, sent.body.email_id);
    assert.equal(read.body.subject, MAIL.subject);
    assert.equal(read.body.state, 'queued');
    assert.equal(read.body.status, 'PENDING');
    assert.equal(read.body.priority, 'high');
    assert.deepEqual(
      items(read.body.deliveries).map(({ channel, to }) => ({ channel, to })),
      [{ channel: 'email', to: 'r***l@example.org' }],
      'the address is masked',
    );
    const same = await fleet().call('GET', `/notifications/email/${sent.body.email_id}`);
    assert.deepEqual(same.body, read.body, 'also under the path of its sending');
  });

  test('an id that is no mail of that kind is not found', async () => {
    const text = await sms(SMS);
    assertProblem(await fleet().call('GET', `/email/${text.body.sms_id}`), 404);
    await fleet().person('ada', { email: 'ada@example.org' });
    const id = await fleet().send({ user_id: 'ada', message: 'x', type: 'email', channels: ['email'] });
    assertProblem(await fleet().call('GET', `/email/${id}`), 404);
    assertProblem(await fleet().call('GET', '/email/01890000-0000-7000-8000-000000000000'), 404);
    assertProblem(await fleet().call('GET', '/email/none'), 422, { path: 'id' });
  });

  test('a text message is answered with its id', async () => {
    const sent = await sms(SMS);
    assert.equal(sent.status, 202, sent.text);
    assert.equal(sent.body.status, 'sms_queued');
    const read = await fleet().call('GET', `/notifications/${sent.body.sms_id}`);
    assert.deepEqual(
      items(read.body.deliveries).map(({ channel, to }) => ({ channel, to })),
      [{ channel: 'sms', to: '+2519*****001' }],
    );
  });

  test('both can be scheduled', async () => {
    const send_at = Math.floor(Date.now() / 1000) + 3600;
    const later = await mail({ ...MAIL, send_at });
    assert.equal(later.status, 202);
    assert.equal((await fleet().call('GET', `/email/${later.body.email_id}`)).body.state, 'scheduled');
    const text = await sms({ ...SMS, send_at });
    const read = await fleet().call('GET', `/notifications/${text.body.sms_id}`);
    assert.equal(items(read.body.deliveries)[0]?.state, 'scheduled');
  });

  test('a mail that lacks a field is told which three are needed', async () => {
    await writesNothing(fleet(), async () => {
      for (const field of ['to', 'subject', 'body']) {
        for (const value of [undefined, null, '']) {
          assertProblem(await mail({ ...MAIL, [field]: value }), 422, {
            detail: 'To email, subject, and body are required',
            path: field,
          });
        }
      }
      assertProblem(await mail({}), 422, { detail: 'To email, subject, and body are required' });
      assertProblem(await mail([]), 422);
      assertProblem(await mail(undefined), 422, { detail: 'To email, subject, and body are required' });
    });
  });

  test('a text message that lacks a field is told which two are needed', async () => {
    await writesNothing(fleet(), async () => {
      for (const field of ['phone', 'message']) {
        for (const value of [undefined, null, '']) {
          assertProblem(await sms({ ...SMS, [field]: value }), 422, {
            detail: 'Phone number and message are required',
            path: field,
          });
        }
      }
      assertProblem(await sms({}), 422, { detail: 'Phone number and message are required' });
    });
  });

  test('an address that is none is refused, and so is one that would break out of its header', async () => {
    const wrong = [
      'rahel',
      'rahel@',
      '@example.org',
      'rahel@example',
      'rahel@example.org, eve@example.org',
      'rahel@example.org\r\nBcc: eve@example.org',
      'rahel@example.org\n',
      'rahel@example.org\u0000',
      'Rahel <rahel@example.org>',
      '<rahel@example.org>',
      'rahel @example.org',
      'rahel@exa\u2028mple.org',
      'rahel@-example.org.',
      `${'a'.repeat(250)}@example.org`,
      'rahel@[127.0.0.1',
      'file:///etc/passwd',
      ['rahel@example.org'],
      { address: 'rahel@example.org' },
      7,
      true,
    ];
    await writesNothing(fleet(), async () => {
      for (const to of wrong) {
        const answer = await mail({ ...MAIL, to });
        assert.equal(answer.status, 422, `${JSON.stringify(to)}: ${answer.text}`);
      }
    });
  });

  test('a subject with control characters is refused, one in any script is taken', async () => {
    const wrong = [
      'a\r\nBcc: x@y.z',
      'a\nb',
      'a\rb',
      'a\tb',
      'a\u0000b',
      'a\u007fb',
      'a\u0085b',
      'a\u2028b',
      '\u001b[31m',
    ];
    await fleet().person('ben', { email: 'ben@example.org' });
    await writesNothing(fleet(), async () => {
      for (const subject of [...wrong, 'x'.repeat(999), 7, ['x'], '\ud800']) {
        const answer = await mail({ ...MAIL, subject });
        assert.equal(answer.status, 422, `${JSON.stringify(subject)}: ${answer.text}`);
      }
    });
    for (const title of wrong)
      assertProblem(
        await fleet().call('POST', '/notifications/send', { user_id: 'ben', message: 'x', title }),
        422,
      );
    for (const subject of [
      'ክፍያዎ ደርሷል ✓',
      'Kaffaltiin keessan',
      '{{ secret }} <b>',
      "'; DROP TABLE person;--",
    ]) {
      const sent = await mail({ ...MAIL, subject });
      assert.equal(sent.status, 202, sent.text);
      assert.equal((await fleet().call('GET', `/email/${sent.body.email_id}`)).body.subject, subject);
    }
  });

  test('a phone number has to be E.164', async () => {
    const wrong = [
      '251911000001',
      '0911000001',
      '+0911000001',
      '+251 911 000001',
      '+251-911-000001',
      '+25191100000a',
      '+123456',
      '+1234567890123456',
      '++251911000001',
      '+251911000001\n',
      '+٢٥١٩١١٠٠٠٠٠١',
      'tel:+251911000001',
      251911000001,
    ];
    await writesNothing(fleet(), async () => {
      for (const phone of wrong) {
        const answer = await sms({ ...SMS, phone });
        assert.equal(answer.status, 422, `${JSON.stringify(phone)}: ${answer.text}`);
      }
    });
    for (const phone of ['+1234567', '+123456789012345'])
      assert.equal((await sms({ ...SMS, phone })).status, 202);
  });

  test('texts have their limits', async () => {
    assert.equal((await sms({ ...SMS, message: 'x'.repeat(1_530) })).status, 202);
    assertProblem(await sms({ ...SMS, message: 'x'.repeat(1_531) }), 422, { path: 'message' });
    assert.equal((await mail({ ...MAIL, body: 'x'.repeat(200_000) })).status, 202);
    assertProblem(await mail({ ...MAIL, body: 'x'.repeat(200_001) }), 422, { path: 'body' });
    assertProblem(await mail({ ...MAIL, html_body: '' }), 422, { path: 'html_body' });
  });
});
