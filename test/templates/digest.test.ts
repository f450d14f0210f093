import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadCatalogue } from '@belfry/shared/templates/catalogue.js';
import { createRenderer } from '@belfry/shared/templates/render.js';
import { folderWith, problemsOf, rendered } from './support.js';

const manifest = (lines: string) =>
  `export default ({ z, text }) => ({ version: 3, channels: ['email'], ${lines}, variables: z.object({ name: text() }) });\n`;
const DIGEST = 'digest: { window_minutes: 10, most: 5 }';
const FILES = {
  'hello/manifest.js': manifest(DIGEST),
  'hello/en/digest.title.liquid': '{{ count }} hellos\n',
  'hello/en/digest.body.liquid':
    "{% for item in items %}- {{ item.name }}, {{ item.at | date: 'time' }}\n{% endfor %}",
  'hello/am/digest.body.liquid': 'ሰላም {{ items[0].name }}\n',
};
const items = ['Anna', '<b>'].map((name) => ({ context: { name }, at: new Date('2026-11-25T12:30:00Z') }));

test('several are told of in one message on every channel, in the language of the person', async (t) => {
  const renderer = createRenderer(await loadCatalogue(await folderWith(t, FILES)));
  const ask = { event: 'hello', context: {}, items, timezone: 'UTC' } as const;
  const mail = await rendered(renderer, { ...ask, channel: 'email', locale: 'en' });
  assert.deepEqual(mail.content, { subject: '2 hellos', text: '- Anna, 12:30 PM\n- <b>, 12:30 PM\n' });
  const note = await rendered(renderer, { ...ask, channel: 'push', locale: 'en' });
  assert.deepEqual([note.content.title, note.content.type], ['2 hellos', 'hello']);
  const sms = await rendered(renderer, { ...ask, channel: 'sms', locale: 'am' });
  assert.deepEqual([sms.content.text, sms.template], ['ሰላም Anna', 'hello@3/am']);
});

test('one alone is told of as ever', async (t) => {
  const renderer = createRenderer(await loadCatalogue(await folderWith(t, FILES)));
  const { content } = await rendered(renderer, {
    event: 'hello',
    context: {},
    items: items.slice(0, 1),
    channel: 'sms',
  });
  assert.equal(content.text, 'Hello Anna');
});

test('an item that the manifest does not fit any more fails the whole, naming the variable', async (t) => {
  const renderer = createRenderer(await loadCatalogue(await folderWith(t, FILES)));
  const odd = { context: {}, at: new Date() };
  const result = await renderer.render({
    event: 'hello',
    context: {},
    data: {},
    items: [...items, odd],
    channel: 'sms',
    locale: 'en',
    timezone: 'UTC',
    at: new Date(),
  });
  assert.deepEqual(result, { ok: false, reason: 'The variable "name" is missing.' });
});

test('a manifest says clearly what is wrong with mandatory, digest and limit', async (t) => {
  for (const [lines, message] of [
    ['mandatory: 1', /mandatory: /],
    ['mandatory: true, channels: []', /mandatory: on which channels/],
    [`mandatory: true, ${DIGEST}`, /mandatory: .*not held back/],
    ['mandatory: true, limit: { per_hour: 3 }', /mandatory: .*not held back/],
    ['digest: true', /digest: /],
    ['digest: { window_minutes: 0, most: 5 }', /digest\.window_minutes: /],
    ['digest: { window_minutes: 1381, most: 5 }', /digest\.window_minutes: /],
    ['digest: { window_minutes: 10, most: 1 }', /digest\.most: /],
    ['digest: { window_minutes: 10, most: 51 }', /digest\.most: /],
    ['digest: { window_minutes: 10 }', /digest\.most: /],
    ['digest: { window_minutes: 10, most: 5, least: 2 }', /digest: .*least/],
    ['limit: { per_hour: 0 }', /limit\.per_hour: /],
    ['limit: { per_hour: 1.5 }', /limit\.per_hour: /],
    ['limit: {}', /limit\.per_hour: /],
  ] as const) {
    const problems = await problemsOf(
      await folderWith(t, { ...FILES, 'hello/manifest.js': manifest(lines) }),
    );
    assert.match(problems.join('\n'), message, lines);
  }
});

test('a digest without its text, and a text without its digest, are told with the file', async (t) => {
  const missing = await problemsOf(await folderWith(t, { ...FILES, 'hello/en/digest.body.liquid': null }));
  assert.match(missing.join(), /^hello\/en\/digest\.body\.liquid: is missing/);
  const unused = await problemsOf(
    await folderWith(t, { ...FILES, 'hello/manifest.js': manifest('title: "x"') }),
  );
  assert.match(unused.join(), /hello\/am\/digest\.body\.liquid: is not used/);
  const unknown = await problemsOf(
    await folderWith(t, { ...FILES, 'hello/en/digest.title.liquid': '{{ name }}' }),
  );
  assert.match(unknown.join(), /digest\.title\.liquid: reads name, which the manifest does not declare/);
});

test('the manifest tells which channels of a mandatory event nobody can switch off', async (t) => {
  const dir = await folderWith(t, { 'hello/manifest.js': manifest('mandatory: true') });
  assert.deepEqual((await loadCatalogue(dir)).find('hello')?.mandatory, ['email']);
});
