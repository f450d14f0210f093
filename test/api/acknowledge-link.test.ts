import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { alertOf, linkIn, raiseAlert } from '../support/alerting.js';
import { useFleet } from '../support/fleet.js';
import { ask } from '../support/http.js';
import { freePort } from '../support/ports.js';

const PORT = await freePort();
const PUBLIC_URL = `http://127.0.0.1:${PORT}`;
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

describe('the link to acknowledge an alert', () => {
  const fleet = useFleet({
    engine: 'postgres',
    env: { PORT: String(PORT), PUBLIC_URL: `${PUBLIC_URL}/`, LOG_LEVEL: 'trace' },
  });
  const mailLink = async (to: string, subject: RegExp) =>
    linkIn((await fleet().sandbox.expectEmail(to, subject)).text);
  const press = (link: string, verb?: string) =>
    ask('POST', link, verb === undefined ? undefined : `verb=${verb}`, verb === undefined ? {} : FORM);

  before(async () => {
    await fleet().person('sara', {
      email: 'sara@example.org',
      phone: '+251911000001',
      roles: ['admin'],
      timezone: 'Africa/Addis_Ababa',
    });
    await fleet().person('abebe', { email: 'abebe@example.org', locale: 'am', roles: ['admin'] });
    await fleet().person('caaltuu', { email: 'caaltuu@example.org', locale: 'om-ET', roles: ['admin'] });
  });

  test('is in the mail as text and as a button, and in the text message, the same in both', async () => {
    await raiseAlert(fleet(), 'critical/in_both');
    const { sandbox } = fleet();
    const mail = await sandbox.expectEmail('sara@example.org', /in_both/);
    const sms = await sandbox.expectSms('+251911000001', /in_both/);
    assert.ok(linkIn(mail.text).startsWith(`${PUBLIC_URL}/a/`));
    assert.equal(linkIn(mail.html ?? ''), linkIn(mail.text));
    assert.equal(linkIn(sms.text), linkIn(mail.text));
    assert.doesNotMatch(sms.text, /Reply ACK/, 'nobody is asked for an answer that is not understood');
    const other = await mailLink('abebe@example.org', /in_both/);
    assert.notEqual(other, linkIn(mail.text), 'each person has their own');
  });

  test('whoever looks changes nothing: a scanner, a preview, a prefetch', async () => {
    const { id } = await raiseAlert(fleet(), 'critical/looked_at');
    const link = await mailLink('sara@example.org', /looked_at/);
    for (const [method, headers] of [
      ['GET', {}],
      ['HEAD', {}],
      ['GET', { 'sec-purpose': 'prefetch;prerender', purpose: 'prefetch' }],
      ['GET', { 'user-agent': 'Mozilla/5.0 (compatible; SafeLinks)' }],
    ] as const) {
      const answer = await ask(method, link, undefined, headers);
      assert.equal(answer.status, 200);
      if (method === 'GET') assert.match(answer.text, /Nobody has acknowledged it yet/);
    }
    for (const method of ['OPTIONS', 'PUT', 'DELETE']) await fetch(link, { method });
    assert.equal(String((await alertOf(fleet(), id)).status), 'open');
  });

  test('the button acknowledges for its person, once; then everybody sees who it was, and may say that it is over', async () => {
    const { id } = await raiseAlert(fleet(), 'critical/pressed');
    const [hers, his] = await Promise.all([
      mailLink('sara@example.org', /pressed/),
      mailLink('abebe@example.org', /pressed/),
    ]);
    const pressed = await press(hers);
    assert.equal(pressed.status, 303);
    assert.equal(new URL(pressed.headers.get('location') ?? '', hers).href, hers);
    const taken = await alertOf(fleet(), id);
    assert.deepEqual([taken.status, taken.acknowledged_by, taken.acknowledged_via].map(String), [
      'acknowledged',
      'sara',
      'link',
    ]);
    assert.match((await ask('GET', hers)).text, /Acknowledged by sara, .+20\d\d/);
    assert.equal((await press(his)).status, 303, 'too late is no error');
    assert.match((await ask('GET', his)).text, /በsara ተረጋግጧል/);
    assert.equal(String((await alertOf(fleet(), id)).acknowledged_by), 'sara');
    await press(his, 'resolve');
    const over = await alertOf(fleet(), id);
    assert.deepEqual([over.status, over.resolved_by, over.resolved_via].map(String), [
      'resolved',
      'abebe',
      'link',
    ]);
    const page = await ask('GET', hers);
    assert.match(page.text, /Resolved by abebe/);
    assert.doesNotMatch(page.text, /<button/);
    await press(hers);
    assert.equal(String((await alertOf(fleet(), id)).acknowledged_by), 'sara');
  });

  test('the page is in the language of its person, escapes what it shows, lets nothing in, and is kept by nobody', async () => {
    const message = `<img src=x onerror="alert(1)"> & 'it'`;
    await raiseAlert(fleet(), 'critical/escaped', {
      message,
      source: '<b>',
      affected_systems: ['"><script>'],
    });
    const link = await mailLink('caaltuu@example.org', /escaped/);
    const { text, headers } = await ask('GET', link);
    assert.match(text, /<html lang="om">/);
    assert.match(text, /Fudhachuu mirkaneessi/);
    assert.ok(text.includes('&lt;img src=x onerror=&quot;alert(1)&quot;&gt; &amp; &#39;it&#39;'));
    assert.doesNotMatch(text, /<img|<script|<b>/);
    assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'.*form-action 'self'/);
    assert.doesNotMatch(headers.get('content-security-policy') ?? '', /unsafe/);
    assert.deepEqual(
      ['cache-control', 'referrer-policy', 'x-robots-tag', 'x-frame-options'].map((name) =>
        headers.get(name),
      ),
      ['no-store', 'no-referrer', 'noindex, nofollow', 'DENY'],
    );
  });

  test('one that nobody made here is 404, too many from one address 429, and a good one works all the while', async () => {
    await raiseAlert(fleet(), 'critical/guessed');
    const link = await mailLink('sara@example.org', /guessed/);
    const statuses = new Set<number>();
    for (let n = 0; n < 40; n += 1) {
      const forged = link.replace(/.{6}$/, String(100_000 + n));
      const answer = await ask(n % 2 === 0 ? 'GET' : 'POST', forged, undefined, { 'accept-language': 'am' });
      statuses.add(answer.status);
      assert.match(answer.text, /<html lang="am">/);
    }
    assert.deepEqual([...statuses], [404, 429]);
    assert.equal((await ask('GET', link)).status, 200);
  });

  test('after a week, and of somebody who is not active or was erased, it is good no more', async () => {
    const { id } = await raiseAlert(fleet(), 'critical/old');
    const link = await mailLink('sara@example.org', /old/);
    const his = await mailLink('abebe@example.org', /old/);
    const theirs = await mailLink('caaltuu@example.org', /old/);
    const active = (on: boolean) =>
      fleet().database.query(`UPDATE person SET active = $1 WHERE id = 'caaltuu'`, [on]);
    await active(false);
    await fleet().database.query(
      `UPDATE notification SET created_at = now() - interval '8 days' WHERE alert_id = $1 AND person_id = 'sara'`,
      [id],
    );
    await fleet().untilSettled();
    assert.equal((await fleet().call('DELETE', '/users/abebe')).status, 204);
    for (const one of [link, his, theirs]) {
      assert.equal((await ask('GET', one)).status, 410);
      assert.equal((await press(one)).status, 410);
    }
    assert.equal(String((await alertOf(fleet(), id)).status), 'open');
    await active(true);
    assert.equal((await ask('GET', theirs)).status, 200);
  });

  test('the link is in no log and not in the ledger', async () => {
    await raiseAlert(fleet(), 'critical/secret');
    const link = await mailLink('sara@example.org', /secret/);
    await press(link);
    await fleet().untilSettled();
    const token = link.split('/').at(-1) ?? '';
    const written = fleet().logs().join('\n');
    assert.ok(written.includes('alert_moved'));
    assert.ok(!written.includes(token) && !written.includes('/a/'), 'a log has it');
    const { rows } = await fleet().database.query(
      `SELECT count(*)::int AS n FROM notification n LEFT JOIN delivery d ON d.notification_id = n.id
       LEFT JOIN inbox_item i ON i.delivery_id = d.id WHERE strpos(n::text || d::text || coalesce(i::text, ''), $1) > 0`,
      [token],
    );
    assert.equal(rows[0].n, 0);
  });
});

describe('without an address of the installation', () => {
  const fleet = useFleet({ engine: 'postgres' });

  test('what tells of an alert has no link, and none is known', async () => {
    await fleet().person('sara', { email: 'sara@example.org', roles: ['admin'] });
    await raiseAlert(fleet(), 'critical/x');
    const mail = await fleet().sandbox.expectEmail('sara@example.org', /x/);
    assert.doesNotMatch(`${mail.text}${mail.html}`, /\/a\/|Acknowledge/);
    assert.equal((await ask('GET', `${fleet().api.url}/a/${'x'.repeat(38)}`)).status, 404);
  });
});
