import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALERT_EVENT, DEFAULT_TEMPLATES_DIR, loadCatalogue } from '@belfry/shared/templates/catalogue.js';
import { createRenderer } from '@belfry/shared/templates/render.js';
import { rendered } from './support.js';

const at = new Date('2026-11-25T12:30:00Z');
const alert = (n: number) => ({
  context: {
    level: 'critical',
    type: `disk_${n}`,
    severity: 'high',
    message: `Full ${n}`,
    source: 'db01',
    code: '1',
  },
  at,
});
const items = Array.from({ length: 50 }, (_, n) => alert(n));
const ASK = { event: ALERT_EVENT, context: {}, items, count: 2_000 } as const;

test('a bundle of alerts names the first of them and counts the others, and is short as a text message', async () => {
  const renderer = createRenderer(await loadCatalogue(DEFAULT_TEMPLATES_DIR));
  const { content } = await rendered(renderer, { ...ASK, channel: 'email' });
  assert.equal(content.subject, '2000 more alerts');
  assert.match(
    content.text,
    /^2000 more alerts that nobody has acknowledged:\n\n- CRITICAL: disk_0 \(db01\): Full 0\n/,
  );
  assert.match(content.text, /\n- CRITICAL: disk_9 \(db01\): Full 9\n- and 1990 others\n$/);
  assert.doesNotMatch(content.text, /disk_10/);
  const sms = await rendered(renderer, { ...ASK, channel: 'sms' });
  assert.equal(
    sms.content.text,
    '2000 more alerts: CRITICAL disk_0; CRITICAL disk_1; CRITICAL disk_2; and 1997 others',
  );
  const two = { ...ASK, items: items.slice(0, 2), count: 2 };
  assert.equal(
    (await rendered(renderer, { ...two, channel: 'sms' })).content.text,
    '2 more alerts: CRITICAL disk_0; CRITICAL disk_1',
  );
  assert.doesNotMatch((await rendered(renderer, { ...two, channel: 'email' })).content.text, /others/);
});

test('one that is left alone in a bundle is told of as ever', async () => {
  const renderer = createRenderer(await loadCatalogue(DEFAULT_TEMPLATES_DIR));
  const { content } = await rendered(renderer, {
    ...ASK,
    items: items.slice(0, 1),
    count: 1,
    channel: 'email',
  });
  assert.equal(content.subject, 'CRITICAL ALERT: disk_0');
});

for (const [locale, sms, subject] of [
  ['am', /^2000 ተጨማሪ ማንቂያዎች፦ CRITICAL disk_0; .*; እና 1997 ሌሎች$/, '2000 ተጨማሪ ማንቂያዎች'],
  [
    'om',
    /^Akeekkachiisa dabalataa 2000: CRITICAL disk_0; .*; fi kan biraa 1997$/,
    'Akeekkachiisa dabalataa 2000',
  ],
] as const)
  test(`a bundle speaks ${locale}`, async () => {
    const renderer = createRenderer(await loadCatalogue(DEFAULT_TEMPLATES_DIR));
    assert.match((await rendered(renderer, { ...ASK, locale, channel: 'sms' })).content.text, sms);
    const mail = await rendered(renderer, { ...ASK, locale, channel: 'email' });
    assert.deepEqual([mail.content.subject, mail.template], [subject, `_alert@1/${locale}`]);
  });

const answered = (n: number, ways: Readonly<Record<string, unknown>>) => {
  const { context } = alert(n);
  return { context: { ...context, code: String(4_821 + n), ...ways }, at };
};
const acknowledge_url = (n: number) => `https://belfry.example.com/a/${n}`;

for (const [locale, last, link] of [
  ['en', 'Reply ACK and a number, such as ACK 4821.', 'Acknowledge'],
  ['am', 'ለማረጋገጥ ACK ከቁጥሩ ጋር ይመልሱ፤ ለምሳሌ ACK 4821።', 'መቀበሌን አረጋግጥ'],
  ['om', 'Mirkaneessuuf ACK lakkoofsa waliin deebisi, fakkeenyaaf ACK 4821.', 'Fudhachuu mirkaneessi'],
] as const)
  test(`a bundle says how each of its alerts is acknowledged, in ${locale}`, async () => {
    const renderer = createRenderer(await loadCatalogue(DEFAULT_TEMPLATES_DIR));
    const both = [0, 1].map((n) => answered(n, { acknowledge_url: acknowledge_url(n), answers: true }));
    const ask = { ...ASK, items: both, count: 2, locale };
    const sms = (await rendered(renderer, { ...ask, channel: 'sms' })).content.text;
    assert.ok(sms.endsWith(`CRITICAL disk_0 (4821); CRITICAL disk_1 (4822)\n${last}`), sms);
    const mail = (await rendered(renderer, { ...ask, channel: 'email' })).content.text;
    assert.ok(mail.includes(`Full 0\n  ${link}: ${acknowledge_url(0)}\n- CRITICAL: disk_1`), mail);
    const linked = [0, 1].map((n) => answered(n, { acknowledge_url: acknowledge_url(n) }));
    const alone = (await rendered(renderer, { ...ask, items: linked, channel: 'sms' })).content.text;
    assert.ok(
      alone.endsWith(`CRITICAL disk_0 ${acknowledge_url(0)}; CRITICAL disk_1 ${acknowledge_url(1)}`),
      alone,
    );
  });
