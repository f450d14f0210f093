import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  channelList,
  emailAddress,
  externalId,
  line,
  locale,
  moment,
  phoneNumber,
  prose,
  timezone,
} from '@belfry/shared/channels/fields.js';
import { emailRequest, sendRequest, smsRequest } from '@belfry/shared/channels/requests.js';
import fc from 'fast-check';
import type { z } from 'zod';

/** One test for each value: taken, or refused with a sentence. */
function table(
  name: string,
  schema: z.ZodType,
  taken: readonly unknown[],
  refused: readonly unknown[],
): void {
  describe(name, () => {
    for (const value of taken) {
      it(`takes ${show(value)}`, () => assert.ok(schema.safeParse(value).success));
    }
    for (const value of refused) {
      it(`refuses ${show(value)}`, () => {
        const result = schema.safeParse(value);
        assert.ok(!result.success);
        assert.ok(result.error.issues[0]?.message);
      });
    }
  });
}

function show(value: unknown): string {
  const text = typeof value === 'bigint' ? `${value}n` : (JSON.stringify(value) ?? String(value));
  return text.length > 50 ? `${text.slice(0, 50)}… (${text.length})` : text;
}

const NO_TEXT = [null, undefined, 7, true, {}, []];
const SECOND = 1_000;
const YEAR_S = 365 * 24 * 3600;
const soon = Math.floor(Date.now() / SECOND) + 3600;

table(
  'a moment',
  moment,
  [
    soon,
    soon + 0.25,
    soon + 0.123456,
    String(soon),
    0,
    new Date(soon * SECOND).toISOString(),
    '2026-03-01T09:00Z',
    '2026-03-01T09:00:00.123456789Z',
    '2026-03-01T09:00:00+03:00',
    '2026-03-01T09:00:00-0530',
    '2024-02-29T00:00:00Z',
    '2026-12-31T23:59:59Z',
  ],
  [
    ...[null, undefined, true, {}, []],
    '',
    'tomorrow',
    '2026-03-01',
    '2026-03-01T09:00:00',
    '2026-03-01 09:00:00Z',
    '2026-02-29T00:00:00Z',
    '2026-02-30T00:00:00Z',
    '2026-04-31T09:00:00+03:00',
    '2026-13-01T00:00:00Z',
    '2026-00-01T00:00:00Z',
    '2026-03-01T24:00:00Z',
    '2026-03-01T09:60:00Z',
    '2026-03-01T09:00:60Z',
    '2026-03-01T09:00:00+25:00',
    '2026-03-01T09:00:00+03:99',
    'Sun, 01 Mar 2026 09:00:00 GMT',
    '2026-W09-7',
    '2026-03-01T09:00:00Z\n',
    -1,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    1e21,
    soon * SECOND,
    soon + 3 * YEAR_S,
    ' 1700000000',
    '1700000000 ',
    '0x10',
    '1e9',
  ],
);

describe('a moment', () => {
  it('is the same in every spelling', () => {
    const spellings = ['2026-03-01T09:00:00Z', '2026-03-01T12:00+03:00', 1772355600, '1772355600.000'];
    for (const spelling of spellings)
      assert.equal(moment.parse(spelling).toISOString(), '2026-03-01T09:00:00.000Z');
  });

  it('comes back from its own ISO form', () => {
    const anyDate = fc.date({ min: new Date(0), max: new Date(soon * SECOND), noInvalidDate: true });
    fc.assert(fc.property(anyDate, (date) => assert.deepEqual(moment.parse(date.toISOString()), date)));
  });
});

table(
  'a time zone',
  timezone,
  ['UTC', 'Africa/Addis_Ababa', 'America/Argentina/Buenos_Aires', 'Etc/GMT+3', 'europe/berlin'],
  [
    ...NO_TEXT,
    '',
    'Mars/Olympus',
    '+03:00',
    '-05:00',
    'UTC+3',
    'Africa/Addis Ababa',
    ' UTC',
    '../etc',
    'a'.repeat(65),
  ],
);

table(
  'a locale',
  locale,
  ['en', 'am', 'om-ET', 'zh-Hant-TW', 'EN-us', 'de-u-nu-latn'],
  [...NO_TEXT, '', 'e', 'en_US', 'english language', 'en-', '*', '../../en', 'en\n', `en-${'x'.repeat(40)}`],
);

table(
  'a phone number',
  phoneNumber,
  ['+251911000001', '+15005550006', '+1234567', '+123456789012345'],
  [
    ...NO_TEXT,
    '',
    '251911000001',
    '0911000001',
    '+0911000001',
    '+123456',
    '+1234567890123456',
    '+251 911 000001',
    '+251-911-000001',
    '+251911000001\n',
    'tel:+251911000001',
    '+٢٥١٩١١٠٠٠٠٠١',
  ],
);

table(
  'an email address',
  emailAddress,
  ['a@b.example', 'abebe.k+tag@mail.example.org', "o'neil@example.org", `${'a'.repeat(64)}@example.org`],
  [
    ...NO_TEXT,
    '',
    'abebe',
    'abebe@',
    '@example.org',
    'a@b@c.example',
    'a b@example.org',
    'Abebe <abebe@example.org>',
    'a@example.org\r\nBcc: b@example.org',
    'a@example.org\n',
    'a@example.org, b@example.org',
    'a\u0000@example.org',
    'a..b@example.org',
    '.a@example.org',
    `${'a'.repeat(250)}@example.org`,
  ],
);

table(
  'the id of an application',
  externalId,
  ['a', 'user123', '0190d3e2-1111-7111-8111-111111111111', 'a._-:@Z', 'x'.repeat(128)],
  [...NO_TEXT, '', 'x'.repeat(129), 'a b', 'a/b', 'a\n', 'ä', "a'b", 'a%20', '\u0000'],
);

table(
  'a line',
  line(10),
  ['a', 'ሰላም', '😀', 'x'.repeat(10)],
  [
    ...NO_TEXT,
    '',
    'x'.repeat(11),
    'a\nb',
    'a\rb',
    'a\tb',
    '\u0000',
    '\u001b[31m',
    'a\u0085',
    '\u2028',
    '\u007f',
  ],
);

table('prose', prose(10), ['a\nb', 'a\tb', 'x'.repeat(10)], [...NO_TEXT, '', 'x'.repeat(11)]);

table(
  'channels',
  channelList,
  [['email'], ['sms', 'email']],
  [[], ['fax'], 'email', null, Array(6).fill('email')],
);

describe('channels', () => {
  it('count once', () => assert.deepEqual(channelList.parse(['sms', 'sms']), ['sms']));
});

describe('a request', () => {
  const past = soon - 2 * 3600;
  const TEXT = { user_id: 'sara', message: 'Hello' };
  const at = (schema: z.ZodType, body: unknown) =>
    schema.safeParse(body).error?.issues.map(({ path }) => path.join('.')) ?? [];

  it('has an event or a message, and not both', () => {
    assert.deepEqual(at(sendRequest, { user_id: 'sara' }), ['event_type']);
    assert.deepEqual(at(sendRequest, { ...TEXT, event_type: 'payment_success' }), ['message']);
    assert.deepEqual(at(sendRequest, TEXT), []);
  });

  it('is normal when it says nothing', () => {
    assert.equal(sendRequest.parse(TEXT).priority, 'normal');
    assert.equal(smsRequest.parse({ phone: '+251911000001', message: 'x' }).priority, 'normal');
  });

  it('expires after it is sent, and not before it came', () => {
    const mail = { to: 'a@b.example', subject: 's', body: 'b' };
    assert.deepEqual(at(sendRequest, { ...TEXT, expires_at: past }), ['expires_at']);
    assert.deepEqual(at(emailRequest, { ...mail, send_at: soon, expires_at: soon }), ['expires_at']);
    assert.deepEqual(at(emailRequest, { ...mail, send_at: soon, expires_at: soon + 1 }), []);
    assert.deepEqual(at(sendRequest, { ...TEXT, send_at: past }), []);
  });

  it('has a subject that fits on lines that every mail server takes', () => {
    const about = (subject: string) => at(emailRequest, { to: 'a@b.example', subject, body: 'b' });
    assert.deepEqual(about('x'.repeat(899)), []);
    assert.deepEqual(about('x'.repeat(900)), ['subject']);
    assert.deepEqual(about(`rent ${'ብ'.repeat(900)}`), ['subject']);
    assert.deepEqual(about(`${'x'.repeat(500)} ${'x'.repeat(497)}`), []);
  });

  it('names every field that is wrong', () => {
    const wrong = {
      user_id: 'a b',
      message: 7,
      title: 'a\nb',
      priority: 'urgent',
      send_at: 'soon',
      data: [],
    };
    assert.deepEqual(at(sendRequest, wrong).sort(), Object.keys(wrong).sort());
  });
});
