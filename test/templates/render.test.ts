import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHANNELS } from '@belfry/shared/domain/channel.js';
import { loadCatalogue } from '@belfry/shared/templates/catalogue.js';
import { createRenderer } from '@belfry/shared/templates/render.js';
import { AT, LOCALES, SAMPLES } from './samples.js';
import { copyEvent, emptyFolder, folderWith, rendered, shipped } from './support.js';

const renderer = createRenderer(await shipped);

/** GSM 03.38 without its extension table: a text message of these letters alone has 160 of them. */
const GSM = /^[@£$¥èéùìòÇ\nØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&'()*+,\-./0-9:;<=>?¡A-ZÄÖÑÜ§¿a-zäöñüà]*$/;

for (const [event, context] of Object.entries(SAMPLES)) {
  for (const locale of LOCALES) {
    test(`${event} in ${locale} is whole on every channel, with all variables and with the fewest`, async () => {
      const { property_title, amount } = context;
      for (const given of [context, { property_title, amount }]) {
        for (const channel of CHANNELS) {
          const { content, template } = await rendered(renderer, { event, context: given, channel, locale });
          assert.equal(template, `${event}@1/${locale}`);
          for (const [field, text] of Object.entries(content)) {
            if (typeof text !== 'string') continue;
            assert.notEqual(text.trim(), '', field);
            assert.doesNotMatch(
              text,
              /\{\{|\{%|%\}|\}\}|undefined|null|NaN|\[object|Invalid|\n{3}/,
              `${channel} ${field}`,
            );
          }
        }
      }
    });

    test(`${event} in ${locale} fits into few text messages`, async () => {
      const { content } = await rendered(renderer, { event, channel: 'sms', locale });
      if (locale === 'am') return assert.ok(content.text.length <= 2 * 67, `${content.text.length} letters`);
      assert.match(content.text, GSM);
      return assert.ok(content.text.length <= 160, `${content.text.length} letters`);
    });
  }
}

test('a mail says what happened in the language of its reader, in both parts', async () => {
  const context = { property_title: 'ቪላ', amount: 12500, tenant_name: 'Abebe' };
  const { content } = await rendered(renderer, { context, channel: 'email', locale: 'am-ET' });
  assert.equal(content.subject, 'ክፍያ ተፈጽሟል፦ ብር 12,500.00 ለ«ቪላ»');
  assert.match(content.html ?? '', /<html lang="am-ET" dir="ltr">/);
  for (const part of [content.text, content.html ?? '']) {
    assert.match(part, /በተሳካ ሁኔታ ተፈጽሟል/);
    assert.match(part, /Abebe/);
    assert.match(part, /1 ጃንዋሪ 2027, 01:30/);
  }
});

test('a mail loads nothing from elsewhere and runs nothing', async () => {
  const { content } = await rendered(renderer, { channel: 'email' });
  assert.doesNotMatch(content.html ?? '', /https?:|src=|url\(|@import|<script|<link|<img|javascript:/i);
});

test('a note has its type and carries its data untouched', async () => {
  const data = { link: '/payments/7', note: '{{ amount }}' };
  for (const channel of ['realtime', 'push', 'webhook'] as const) {
    const { content } = await rendered(renderer, { channel, data });
    assert.equal(content.title, 'Payment received');
    assert.equal(content.type, 'payment_success');
    assert.deepEqual(content.data, data);
    assert.equal((await rendered(renderer, { channel, data, type: 'billing' })).content.type, 'billing');
  }
});

test('a free message is sent as it was written', async () => {
  const free = {
    event: null,
    message: 'Water is off until 14:00.\nSorry {{ title }}',
    locale: 'en',
  } as const;
  const sms = await rendered(renderer, { ...free, channel: 'sms' });
  assert.equal(sms.content.text, free.message);
  assert.equal(sms.template, '_message@1/en');
  const titled = await rendered(renderer, { ...free, title: 'Notice', channel: 'sms' });
  assert.equal(titled.content.text, `Notice: ${free.message}`);
  const note = await rendered(renderer, { ...free, channel: 'realtime' });
  assert.deepEqual(note.content, { title: 'Notification', body: free.message, type: 'info', data: {} });
  const mail = await rendered(renderer, { ...free, title: 'Notice', channel: 'email' });
  assert.equal(mail.content.subject, 'Notice');
  assert.ok(mail.content.text.startsWith(free.message));
  assert.match(mail.content.html ?? '', /Water is off until 14:00\.<br>\nSorry \{\{ title \}\}/);
});

test('a locale falls back to its language and then to English', async () => {
  for (const [locale, used] of [
    ['am-ET', 'am'],
    ['AM-ethi-et', 'am'],
    ['am-ET-u-nu-ethi', 'am'],
    ['om-KE', 'om'],
    ['orm', 'om'],
    ['en-GB', 'en'],
    ['fr', 'en'],
    ['zh-Hant-TW', 'en'],
    ['', 'en'],
    ['../am', 'en'],
    ['constructor', 'en'],
  ] as const) {
    const { template } = await rendered(renderer, { channel: 'sms', locale });
    assert.equal(template, `payment_success@1/${used}`, locale);
  }
});

test('another variety of the same language is nearer than English', async (t) => {
  const dir = await folderWith(t, { 'hello/pt-BR/sms.liquid': 'Olá {{ name }}' });
  const own = createRenderer(await loadCatalogue(dir));
  const request = { event: 'hello', context: { name: 'Ana' }, channel: 'sms' } as const;
  for (const locale of ['pt-BR', 'pt', 'pt-PT']) {
    assert.equal((await rendered(own, { ...request, locale })).content.text, 'Olá Ana');
  }
});

test('a file that a locale lacks comes in English, without mixing the parts of a mail', async (t) => {
  const dir = await folderWith(t, {
    'hello/am/email.subject.liquid': 'ሰላም {{ name }}',
    'hello/am/email.text.liquid': 'ሰላም {{ name }}',
    'hello/om/sms.liquid': 'Akkam {{ name }}',
  });
  const own = createRenderer(await loadCatalogue(dir));
  const request = { event: 'hello', context: { name: 'Ana' } } as const;
  const sms = await rendered(own, { ...request, channel: 'sms', locale: 'am' });
  assert.deepEqual([sms.content.text, sms.template], ['Hello Ana', 'hello@3/en']);
  const mail = await rendered(own, { ...request, channel: 'email', locale: 'am' });
  assert.deepEqual(mail.content, { subject: 'ሰላም Ana', text: 'ሰላም Ana\n' });
  const english = await rendered(own, { ...request, channel: 'email', locale: 'om' });
  assert.deepEqual(english.content, {
    subject: 'Hello Ana',
    text: 'Hello Ana\n',
    html: '<p>Hello Ana</p>\n',
  });
});

test('a moment is written as the clock of the reader shows it', async () => {
  for (const [locale, timezone, line] of [
    ['en', 'Europe/London', 'Date: Dec 31, 2026, 10:30 PM'],
    ['en-GB', 'Africa/Addis_Ababa', 'Date: 1 Jan 2027, 01:30'],
    ['am', 'Africa/Addis_Ababa', 'ቀን፦ 1 ጃንዋሪ 2027, 01:30'],
    ['om', 'Africa/Addis_Ababa', 'Guyyaa: Amajjii 1, 2027, 01:30'],
    ['om', 'America/New_York', 'Guyyaa: Mudde 31, 2026, 17:30'],
    ['fr', 'Asia/Kathmandu', 'Date: Jan 1, 2027, 4:15 AM'],
    ['en', 'Mars/Olympus', 'Date: Dec 31, 2026, 10:30 PM'],
  ] as const) {
    const { content } = await rendered(renderer, { channel: 'email', locale, timezone });
    // ICU writes a narrow no-break space before AM and PM.
    assert.ok(
      content.text.replaceAll('\u202f', ' ').includes(line),
      `${locale} ${timezone}: ${content.text}`,
    );
  }
});

test('an amount is written in the currency and the locale', async () => {
  for (const [locale, currency, amount, text] of [
    ['en', 'USD', 1234567.5, '$1,234,567.50'],
    ['en', 'JPY', 1500, '¥1,500'],
    ['am', undefined, 900, 'ብር 900.00'],
    ['om-ET', 'ETB', 0, 'Br 0.00'],
    ['om-KE', 'KES', 1e6, 'Ksh 1,000,000.00'],
    ['fr', 'EUR', 1234.5, '€1,234.50'],
  ] as const) {
    const context = { property_title: 'Loft', amount, currency };
    const { content } = await rendered(renderer, { context, channel: 'sms', locale });
    assert.ok(content.text.includes(text), content.text);
  }
});

test('what cannot be rendered is a reason, not half a message', async (t) => {
  const dir = await emptyFolder(t);
  await copyEvent('payment_success', dir, 'only');
  const own = createRenderer(await loadCatalogue(dir));
  const request = { data: {}, channel: 'sms', locale: 'en', timezone: 'UTC', at: AT } as const;
  assert.deepEqual(await own.render({ ...request, event: 'payment_success', context: {} }), {
    ok: false,
    reason: 'there is no template for "payment_success"',
  });
  assert.deepEqual(await own.render({ ...request, event: 'only', context: { property_title: 'Loft' } }), {
    ok: false,
    reason: 'The variable "amount" is missing.',
  });
  assert.deepEqual(await own.render({ ...request, event: null, context: {} }), {
    ok: false,
    reason: 'The variable "message" is missing.',
  });
});
