import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHANNELS } from '@belfry/shared/domain/channel.js';
import { loadCatalogue } from '@belfry/shared/templates/catalogue.js';
import { createRenderer } from '@belfry/shared/templates/render.js';
import fc from 'fast-check';
import { AT, LOCALES } from './samples.js';
import { folderWith, rendered, shipped } from './support.js';

const renderer = createRenderer(await shipped);

test('markup in a value is text in HTML and untouched elsewhere', async () => {
  const property_title = `<script>alert("1")</script>' onload='x' & <b>`;
  const context = { property_title, amount: 1, location: '</td></table><a href="//evil">' };
  const mail = await rendered(renderer, { context, channel: 'email' });
  assert.doesNotMatch(mail.content.html ?? '', /<script|<b>|<a |onload='/);
  assert.ok(
    mail.content.html?.includes(
      '&lt;script&gt;alert(&#34;1&#34;)&lt;/script&gt;&#39; onload=&#39;x&#39; &amp; &lt;b&gt;',
    ),
  );
  assert.ok(mail.content.text.includes(property_title));
  assert.ok(mail.content.subject.includes(property_title));
  const note = await rendered(renderer, { context, channel: 'push' });
  assert.ok(note.content.body.includes(property_title));
});

test('lines of a value stay lines in HTML, and stay escaped', async () => {
  const context = { property_title: 'Loft', update: 'a<b\r\nc&d\ne' };
  const { content } = await rendered(renderer, { event: 'tenant_update', context, channel: 'email' });
  assert.ok(content.html?.includes('a&lt;b<br>\nc&amp;d<br>\ne'));
});

test('a subject and a title are one line without control characters', async () => {
  const title = 'Rent\r\nBcc: all@example.com\u0000\u001b[31m\u2028due\u0085 \t now';
  const mail = await rendered(renderer, { event: null, title, message: 'x', channel: 'email' });
  assert.equal(mail.content.subject, 'Rent Bcc: all@example.com [31m due now');
  const note = await rendered(renderer, { event: null, title, message: 'x', channel: 'push' });
  assert.equal(note.content.title, mail.content.subject);
  const context = { property_title: 'Loft\r\nX-Evil: 1', amount: 1 };
  assert.doesNotMatch((await rendered(renderer, { context, channel: 'email' })).content.subject, /[\r\n]/);
});

test('a text message has no control characters but line ends, and no spaces that cost', async () => {
  const message = 'a\u0000b\u001b[0m\r\nc\u00a0d\u202fe\u0007';
  const { content } = await rendered(renderer, { event: null, message, channel: 'sms' });
  assert.equal(content.text, 'ab[0m\nc d e');
});

test('a value is never expanded', async () => {
  const property_title = '{{ amount }}{% raw %}{{ "x" | upcase }}{{ constructor }}';
  const context = { property_title, amount: 42, tenant_name: '{% render "footer" %}' };
  const mail = await rendered(renderer, { context, channel: 'email' });
  assert.ok(mail.content.subject.includes(property_title));
  assert.ok(mail.content.text.includes(property_title));
  assert.ok(mail.content.text.includes('Tenant: {% render "footer" %}'));
  assert.ok(mail.content.html?.includes('{{ amount }}{% raw %}{{ &#34;x&#34; | upcase }}{{ constructor }}'));
});

test('a long value is cut in a text message between letters, not inside one', async () => {
  const context = { property_title: '👨‍👩‍👧‍👦'.repeat(30), amount: 1 };
  const { content } = await rendered(renderer, { context, channel: 'sms' });
  assert.ok(
    content.text.includes(`${'👨‍👩‍👧‍👦'.repeat(30)}`),
    'thirty letters are within the limit of forty',
  );
  const long = await rendered(renderer, {
    context: { ...context, property_title: '👍🏽'.repeat(60) },
    channel: 'sms',
  });
  assert.ok(long.content.text.includes(` ${'👍🏽'.repeat(37)}... `), long.content.text);
});

async function helloWith(t: Parameters<typeof folderWith>[0], sms: string) {
  const loose =
    'export default ({ z }) => ({ version: 1, variables: z.object({ name: z.any().optional(), list: z.any().optional() }) });';
  const dir = await folderWith(t, { 'hello/manifest.js': loose, 'hello/en/sms.liquid': sms });
  const own = createRenderer(await loadCatalogue(dir), { renderLimit: 50 });
  return (context: Record<string, unknown>) =>
    own.render({ event: 'hello', context, data: {}, channel: 'sms', locale: 'en', timezone: 'UTC', at: AT });
}

test('a template reaches its context and neither a prototype nor a function', async (t) => {
  const paths = [
    'constructor',
    '__proto__',
    'constructor.constructor',
    'toString',
    'prototype',
    '__proto__.polluted',
  ];
  const template = paths.map((path) => `[{{ name.${path} }}{{ name["${path.split('.')[0]}"] }}]`).join('');
  const render = await helloWith(t, `${template}{{ name }}{{ list.first.constructor }}`);
  for (const name of ['x', 'y']) {
    const result = await render({ name, list: [{}] });
    assert.ok(result.ok, JSON.stringify(result));
    assert.equal('text' in result.content && result.content.text, `${'[]'.repeat(paths.length)}${name}`);
  }
  assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false);
});

test('a context that was made to pollute does not', async () => {
  const context = JSON.parse(
    '{"property_title": "Loft", "amount": 1, "__proto__": {"polluted": 1}, "constructor": {"x": 1}}',
  );
  await rendered(renderer, { context, channel: 'email' });
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
});

for (const [claim, template] of [
  [
    'a loop without an end',
    '{% for a in (1..9000) %}{% for b in (1..9000) %}{{ b }}{% endfor %}{% endfor %}',
  ],
  [
    'an empty loop without an end',
    '{% for a in (1..9000) %}{% for b in (1..9000) %}{% endfor %}{% endfor %}',
  ],
  ['a huge range', '{% for a in (1..4000000000) %}x{% endfor %}'],
  [
    'a text that doubles',
    '{% assign s = "x" %}{% for a in (1..60) %}{% assign s = s | append: s %}{% endfor %}{{ s }}',
  ],
] as const) {
  test(`${claim} is stopped and told as a reason`, async (t) => {
    const render = await helloWith(t, template);
    const result = await render({});
    assert.equal(result.ok, false);
    assert.match(result.ok ? '' : result.reason, /^hello@1: .*limit exceeded/);
  });
}

test('many renderings at once do not see each other', async (t) => {
  const render = await helloWith(t, '{% assign seen = name %}{% increment counter %}:{{ seen }}');
  const names = Array.from({ length: 200 }, (_, index) => `n${index}`);
  const results = await Promise.all(names.map((name) => render({ name })));
  const texts = results.map((result) =>
    result.ok && 'text' in result.content ? result.content.text : result,
  );
  assert.deepEqual(
    texts,
    names.map((name) => `0:${name}`),
  );
});

test('whatever text a value is, every channel is whole and HTML has no markup of it', async () => {
  const tags = (html: string) => html.split(/[<>]/).length;
  const plain = {
    property_title: 'x',
    location: 'x',
    tenant_name: 'x',
    update: 'x',
    amount: 1,
    currency: 'ETB',
  };
  const value = fc
    .oneof(
      fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }),
      fc.string({
        unit: fc.constantFrom(
          '<',
          '>',
          '&',
          '"',
          "'",
          '{{',
          '}}',
          '{%',
          '%}',
          '|',
          '\\',
          '\u0000',
          '\ud800',
          'a',
        ),
      }),
    )
    .filter((text) => text.trim() !== '' && text.trim().length <= 300 && !/[\r\n]/.test(text));
  const request = fc.record({
    event: fc.constantFrom('payment_success', 'payment_failed', 'listing_approved', 'tenant_update'),
    locale: fc.constantFrom(...LOCALES),
    values: fc.record({ property_title: value, location: value, tenant_name: value, update: value }),
    amount: fc.double({ noNaN: true, noDefaultInfinity: true }),
  });
  await fc.assert(
    fc.asyncProperty(request, async ({ event, locale, values, amount }) => {
      const context = { ...plain, ...values, amount };
      for (const channel of CHANNELS) await rendered(renderer, { event, locale, context, channel });
      const mail = await rendered(renderer, { event, locale, context, channel: 'email' });
      const bare = await rendered(renderer, { event, locale, context: plain, channel: 'email' });
      assert.equal(tags(mail.content.html ?? ''), tags(bare.content.html ?? ''));
      assert.doesNotMatch(mail.content.subject, /\p{Cc}/u);
    }),
    { numRuns: 150 },
  );
});

test('whatever a caller sends as context, locale and zone, checking and rendering never throw', async () => {
  const catalogue = await shipped;
  await fc.assert(
    fc.asyncProperty(fc.anything(), fc.string(), fc.string(), async (context, locale, timezone) => {
      catalogue.check('payment_success', context);
      const request = { data: {}, locale, timezone, at: AT, context: { context } };
      await renderer.render({ ...request, event: 'payment_success', channel: 'email' });
      await rendered(renderer, {
        ...request,
        event: null,
        message: locale,
        title: timezone,
        channel: 'email',
      });
    }),
    { numRuns: 300 },
  );
});
