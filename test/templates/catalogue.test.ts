import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHANNELS } from '@belfry/shared/domain/channel.js';
import { loadCatalogue } from '@belfry/shared/templates/catalogue.js';
import { createRenderer } from '@belfry/shared/templates/render.js';
import { LOCALES, SAMPLES } from './samples.js';
import { copyEvent, emptyFolder, folderWith, problemsOf, rendered, shipped } from './support.js';

test('the four events ship in three languages and add email and SMS', async () => {
  const events = (await shipped).events();
  assert.deepEqual(events.map(({ name }) => name).sort(), Object.keys(SAMPLES).sort());
  for (const event of events) {
    assert.deepEqual(event.channels, ['email', 'sms']);
    assert.deepEqual(event.locales, [...LOCALES].sort());
    assert.equal(event.version, 1);
  }
});

test('a folder copied under another name is another event', async (t) => {
  const dir = await emptyFolder(t);
  await copyEvent('payment_success', dir, 'deposit_received');
  const catalogue = await loadCatalogue(dir);
  assert.deepEqual(catalogue.find('deposit_received')?.channels, ['email', 'sms']);
  const context = { property_title: 'Loft', amount: 5 };
  assert.equal(catalogue.check('deposit_received', context).ok, true);
  for (const channel of CHANNELS) {
    const { template } = await rendered(createRenderer(catalogue), {
      event: 'deposit_received',
      context,
      channel,
      locale: 'om-ET',
    });
    assert.equal(template, 'deposit_received@1/om');
  }
});

test('a folder of templates needs nothing but its events', async (t) => {
  const catalogue = await loadCatalogue(await folderWith(t, {}));
  assert.deepEqual(catalogue.events(), [
    { ...catalogue.find('hello'), name: 'hello', title: 'hello', version: 3, channels: [], locales: ['en'] },
  ]);
  const { content } = await rendered(createRenderer(catalogue), {
    event: null,
    message: 'Hi',
    channel: 'sms',
  });
  assert.equal(content.text, 'Hi');
});

test('a layout of its own replaces the one that ships', async (t) => {
  const dir = await folderWith(t, {
    '_layouts/mail.html.liquid': '<main>{% block content %}{% endblock %}</main>',
    'hello/en/email.html.liquid': "{% layout 'mail.html' %}{% block content %}{{ name }}{% endblock %}",
  });
  const renderer = createRenderer(await loadCatalogue(dir));
  const { content } = await rendered(renderer, {
    event: 'hello',
    context: { name: '<i>' },
    channel: 'email',
  });
  assert.equal(content.html, '<main>&lt;i&gt;</main>\n');
});

test('neither the free message nor a property of objects is an event', async () => {
  const catalogue = await shipped;
  for (const name of [
    '_message',
    'constructor',
    '__proto__',
    'toString',
    '',
    '../payment_success',
    'payment_success/en',
  ]) {
    assert.equal(catalogue.find(name), undefined, name);
    const checked = catalogue.check(name, {});
    assert.equal(checked.ok, false);
  }
});

const BROKEN: readonly {
  readonly claim: string;
  readonly files: Readonly<Record<string, string | null>>;
  readonly says: RegExp;
}[] = [
  {
    claim: 'a missing manifest',
    files: { 'hello/manifest.js': null },
    says: /^hello\/manifest\.js: cannot be loaded/,
  },
  {
    claim: 'a manifest that is no JavaScript',
    files: { 'hello/manifest.js': 'export default {{' },
    says: /^hello\/manifest\.js: cannot be loaded: /,
  },
  {
    claim: 'a manifest without a version',
    files: { 'hello/manifest.js': 'export default ({ z }) => ({ variables: z.object({}) });' },
    says: /^hello\/manifest\.js: .*version/,
  },
  {
    claim: 'a manifest with a channel that does not exist',
    files: {
      'hello/manifest.js':
        "export default ({ z }) => ({ version: 1, channels: ['fax'], variables: z.object({}) });",
    },
    says: /^hello\/manifest\.js: .*channels\.0/,
  },
  {
    claim: 'a manifest whose variables are no zod object',
    files: { 'hello/manifest.js': 'export default { version: 1, variables: { name: 1 } };' },
    says: /^hello\/manifest\.js: .*variables: must be made by z\.object/,
  },
  {
    claim: 'a variable that takes a built-in name',
    files: {
      'hello/manifest.js':
        'export default ({ z, text }) => ({ version: 1, variables: z.object({ locale: text() }) });',
    },
    says: /^hello\/manifest\.js: .*locale already means something/,
  },
  {
    claim: 'a missing English file',
    files: { 'hello/en/sms.liquid': null },
    says: /^hello\/en\/sms\.liquid: is missing/,
  },
  {
    claim: 'a misspelled file',
    files: { 'hello/en/smss.liquid': 'x' },
    says: /^hello\/en\/smss\.liquid: is not a file that is used; rename/,
  },
  {
    claim: 'a folder that is no locale',
    files: { 'hello/EN_us/sms.liquid': 'x' },
    says: /^hello\/EN_us: .*named after a locale/,
  },
  {
    claim: 'a folder that is no event name',
    files: { 'a b/manifest.js': '' },
    says: /^a b: .*named after its event/,
  },
  {
    claim: 'an HTML part without its text part',
    files: { 'hello/am/email.html.liquid': 'x' },
    says: /^hello\/am\/email\.text\.liquid: is missing; both parts/,
  },
  {
    claim: 'a tag that is not closed',
    files: { 'hello/en/sms.liquid': '{% if name %}x' },
    says: /^hello\/en\/sms\.liquid: tag .* not closed/,
  },
  {
    claim: 'an unknown filter',
    files: { 'hello/en/sms.liquid': '{{ name | moeny }}' },
    says: /^hello\/en\/sms\.liquid: undefined filter: moeny/,
  },
  {
    claim: 'an unknown layout',
    files: { 'hello/en/email.html.liquid': "{% layout 'nowhere.html' %}" },
    says: /^hello\/en\/email\.html\.liquid: .*nowhere\.html/,
  },
  {
    claim: 'a layout that is a file of the machine',
    files: {
      'hello/en/sms.liquid': "{% render '/etc/hostname' %}{% include '../../../../../../etc/hostname' %}",
    },
    says: /^hello\/en\/sms\.liquid: .*etc\/hostname/,
  },
  {
    claim: 'a variable that is not declared',
    files: { 'hello/en/sms.liquid': '{% if nmae %}{{ naem | upcase }}{% endif %}' },
    says: /^hello\/en\/sms\.liquid: reads nmae, naem, which the manifest does not declare/,
  },
  {
    claim: 'a partial that includes itself',
    files: { '_layouts/loop.liquid': "{% render 'loop' %}", 'hello/en/sms.liquid': "{% render 'loop' %}" },
    says: /^hello\/en\/sms\.liquid: .*includes itself/,
  },
];

for (const { claim, files, says } of BROKEN) {
  test(`${claim} is an error that names the file`, async (t) => {
    const problems = await problemsOf(await folderWith(t, files));
    assert.equal(problems.length, 1, problems.join('\n'));
    assert.match(problems[0] ?? '', says);
  });
}

test('all problems are told at once', async (t) => {
  const dir = await folderWith(t, {
    'hello/en/sms.liquid': '{{ x',
    'hello/en/note.title.liquid': null,
    'other/manifest.js': 'export default 1;',
  });
  const files = (await problemsOf(dir)).map((line) => line.split(': ')[0]);
  for (const file of [
    'hello/en/sms.liquid',
    'hello/en/note.title.liquid',
    'other/manifest.js',
    'other/en/sms.liquid',
  ]) {
    assert.ok(files.includes(file), file);
  }
});

test('a templates folder that is empty or absent is an error with a remedy', async (t) => {
  const dir = await emptyFolder(t);
  for (const path of [dir, `${dir}/absent`])
    assert.match((await problemsOf(path)).join(), /add a folder, or set TEMPLATES_DIR/);
});
