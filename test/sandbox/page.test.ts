import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { fcm } from '@belfry/channels/push/fcm.js';
import type { Browser, Page } from 'playwright-core';
import { push as toTelephone } from '../contract/fcm-subject.js';
import { create } from '../contract/subject.js';
import { launchChromium } from '../support/chromium.js';
import { ask } from '../support/http.js';
import { mailer, type Running, twilioClient, withSandbox } from './with-sandbox.js';

const LIMIT = { timeout: 60_000 };
const EVIL = '<img src=x onerror="alert(1)"><script>alert(2)</script><svg onload=alert(3)>';

let browser: Browser;
before(async () => {
  browser = await launchChromium();
});
after(() => browser?.close());

test('script in any field of a mail or an SMS is shown as text and never runs', LIMIT, () =>
  withPage(async ({ sandbox, client }, page) => {
    const outside = await startOutside();
    const alarms: string[] = [];
    page.on('dialog', (dialog) => {
      alarms.push(`dialog ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('pageerror', ({ message }) => alarms.push(message));
    await mailer(sandbox).sendMail({
      from: '"<b>x</b>" <x@example.org>',
      to: 'a@example.org',
      subject: EVIL,
      text: EVIL,
      html: `<h1 id="seen">Hello</h1><a id="out" href="javascript:alert(4)">go</a>
        <img src="${outside.url}/pixel.png"><meta http-equiv="refresh" content="0;url=${outside.url}/">
        <iframe srcdoc="<script>parent.alert(5)</script>"></iframe><form action="${outside.url}/"><button id="post">p</button></form>${EVIL}`,
      headers: { 'X-Belfry-Delivery': EVIL, 'X-Evil': EVIL },
    });
    await twilioClient(sandbox).messages.create({
      to: '+251911234567',
      from: EVIL,
      body: EVIL,
      statusCallback: `https://belfry.invalid/?delivery=${encodeURIComponent(EVIL)}`,
    });
    await fetch(`${sandbox.httpUrl}/webhook/${encodeURIComponent(EVIL)}`, {
      method: 'POST',
      headers: { 'webhook-id': EVIL, 'webhook-signature': EVIL, 'x-evil': EVIL },
      body: JSON.stringify({ type: EVIL, data: { title: EVIL } }),
    });
    await pushTo(sandbox, { title: EVIL, body: EVIL });
    await client.fault({ channel: 'email', recipient: EVIL.replaceAll('*', ''), action: { kind: 'drop' } });

    await page.getByRole('heading', { name: EVIL }).waitFor();
    const mail = page.frameLocator('iframe.letter');
    await mail.locator('#seen').waitFor();
    await mail.locator('#out').click();
    await mail.locator('#post').click();
    await page.getByRole('button', { name: 'Text' }).click();
    await page.locator('#reader pre', { hasText: 'onerror' }).waitFor();
    await page.getByRole('button', { name: 'Headers' }).click();
    await page.locator('#reader dd', { hasText: 'onload' }).first().waitFor();
    await page.getByRole('tab', { name: 'SMS' }).click();
    await page.locator('.bubbles p', { hasText: 'onerror' }).waitFor();
    await page.getByRole('tab', { name: 'Push' }).click();
    await page.locator('#pushed .note p', { hasText: 'onerror' }).waitFor();
    await page.getByRole('tab', { name: 'Webhooks' }).click();
    await page.locator('#request pre', { hasText: 'onerror' }).waitFor();
    await page.locator('#request dd', { hasText: 'onload' }).first().waitFor();
    await page.getByRole('tab', { name: 'Faults' }).click();
    await page.locator('.rules', { hasText: 'onerror' }).waitFor();

    assert.equal(
      await page
        .locator('body img:not(.brand img, .note img), body svg:not(.avatar svg), body script')
        .count(),
      0,
    );
    assert.deepEqual(alarms, []);
    await outside.stop();
    assert.deepEqual(outside.requests, []);
  }),
);

test('a mail opened alone has no scripts and no origin either', LIMIT, () =>
  withPage(async ({ sandbox, client }, page) => {
    const html = '<p id="seen">x</p><script>document.title = "ran"</script>';
    await mailer(sandbox).sendMail({
      from: 'x@example.org',
      to: 'a@example.org',
      subject: 's',
      text: 't',
      html,
    });
    const { id } = await client.expectEmail('a@example.org', /s/);
    await page.goto(`${sandbox.httpUrl}/messages/${id}/html`);
    await page.locator('#seen').waitFor();
    assert.notEqual(await page.title(), 'ran');
    assert.equal(await page.evaluate('self.origin'), 'null');
  }),
);

test(
  'messages appear while the page is open, the filter narrows them, and the width switch turns the mail',
  LIMIT,
  () =>
    withPage(async ({ sandbox, client }, page) => {
      await page.getByText('live', { exact: true }).waitFor();
      for (const subject of ['ክፍያዎ ተሳክቷል', 'Kaffaltiin milkaa’eera'])
        await mailer(sandbox).sendMail({
          from: 'x@example.org',
          to: 'a@example.org',
          subject,
          text: 't',
          html: '<p>h</p>',
        });
      await page.locator('#count-mail', { hasText: /^2$/ }).waitFor();
      await page.getByRole('searchbox').fill('ተሳክቷል');
      await page.locator('#count-mail', { hasText: /^1$/ }).waitFor();
      await page.getByRole('button', { name: 'Phone' }).click();
      const box = await page.locator('iframe.letter').boundingBox();
      assert.ok(box !== null && box.width > 380 && box.width < 400, `${box?.width}`);
      await page.getByRole('button', { name: 'Clear' }).click();
      await page.getByText('No mail', { exact: true }).waitFor();
      assert.equal((await client.messages()).length, 0);
    }),
);

test(
  'a rule added on the page is in the book, a wrong one says why, and both can be removed there',
  LIMIT,
  () =>
    withPage(async ({ client }, page) => {
      await page.getByRole('tab', { name: 'Faults' }).click();
      await page.getByLabel('Only for').fill('*@example.org');
      await page.getByRole('button', { name: 'SMTP 550' }).click();
      await page.locator('.rules', { hasText: 'code 550' }).waitFor();
      assert.equal((await client.faults())[0]?.recipient, '*@example.org');
      await page.getByLabel('Only for').fill('a*b');
      await page.getByRole('button', { name: 'SMS 503' }).click();
      await page.locator('#fault-recipient:invalid').waitFor();
      await page.getByRole('button', { name: 'Remove this rule' }).click();
      await page.getByText('None: every provider behaves.').waitFor();
      assert.equal((await client.faults()).length, 0);
    }),
);

for (const width of [320, 360, 400, 1400]) {
  test(`nothing sticks out sideways at ${width} px`, LIMIT, () =>
    withPage(async ({ sandbox }, page) => {
      await page.setViewportSize({ width, height: 900 });
      const long = 'x'.repeat(300);
      await mailer(sandbox).sendMail({
        from: 'x@example.org',
        to: 'a@example.org',
        subject: long,
        text: long,
      });
      await twilioClient(sandbox).messages.create({ to: '+251911234567', from: '+15005550006', body: long });
      const hook = { method: 'POST', headers: { 'webhook-id': long }, body: JSON.stringify({ type: long }) };
      await fetch(`${sandbox.httpUrl}/webhook/${long}`, hook);
      await pushTo(sandbox, { title: long, body: long });
      for (const [tab, row] of [
        ['Mail', '#mail .row'],
        ['SMS', '#sms .row'],
        ['Push', '#push .row'],
        ['Webhooks', '#hooks .row'],
        ['Faults', '#fault-buttons button'],
      ] as const) {
        await page.getByRole('tab', { name: tab }).click();
        await page.locator(row).first().click();
        const excess = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
        assert.equal(excess, 0, tab);
      }
    }),
  );
}

/** A push to a telephone: a text in it can be of any length. */
async function pushTo({ httpUrl }: Running['sandbox'], note: { title: string; body: string }): Promise<void> {
  const { text } = await ask('GET', `${httpUrl}/fcm/credentials`);
  const provider = await create(fcm, { FCM_CREDENTIALS: text, FCM_BASE_URL: httpUrl });
  const message = toTelephone();
  const content = { ...message.content, ...note };
  assert.equal((await provider.send({ ...message, content }, AbortSignal.timeout(5_000))).kind, 'sent');
  await provider.close();
}

async function withPage(work: (running: Running, page: Page) => Promise<void>): Promise<void> {
  await withSandbox(async (running) => {
    const context = await browser.newContext({ viewport: { width: 1400, height: 900 } });
    try {
      const page = await context.newPage();
      page.setDefaultTimeout(10_000);
      await page.goto(running.sandbox.httpUrl);
      await work(running, page);
    } finally {
      await context.close();
    }
  });
}

/** A server that a mail should never reach; it tells who came nevertheless. */
async function startOutside() {
  const requests: string[] = [];
  const server = createServer(({ url }, res) => {
    requests.push(String(url));
    res.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
