import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { launchChromium } from '../support/chromium.js';
import { useFleet } from '../support/fleet.js';

describe('the console in a real browser', () => {
  const fleet = useFleet({ engine: 'postgres' });
  let browser: Browser;

  before(async () => {
    browser = await launchChromium();
  });
  after(() => browser?.close());

  it('shows nothing of the ledger before an administrator signs in', async () => {
    const page = await open(browser, fleet().api.url);
    assert.equal(await page.locator('#ledger').isVisible(), false);
    await signIn(page, await fleet().token('user'));
    await page.locator('#refused', { hasText: 'administrator' }).waitFor();
    assert.equal(await page.locator('#ledger').isVisible(), false);
  });

  it('shows what was sent, how it ended and every attempt', async () => {
    await fleet().person('sara', { email: 'sara@example.com' });
    const id = await fleet().send({
      user_id: 'sara',
      message: 'The lift works again.',
      title: 'Lift',
      type: 'house',
      priority: 'high',
      data: { floor: 7 },
    });
    await fleet().untilStatus(id, 'SENT');
    const page = await open(browser, fleet().api.url);
    await signIn(page, await fleet().token('admin'));
    await page.locator(`#latest [data-id="${id}"]`, { hasText: 'Lift' }).getByRole('button').click();
    await page.locator('#timeline li', { hasText: 'email attempt 1: sent' }).waitFor();
    assert.match(
      (await page.locator('#timeline').textContent()) ?? '',
      /email sent s\*+a@example\.com · smtp/,
    );
    const facts = (await page.locator('#facts > *').allTextContents()).join(' ');
    for (const fact of [
      'Status SENT',
      'Person sara',
      'Type house',
      'Title Lift',
      'Message The lift works again.',
      'Data {"floor":7}',
      'Priority high',
      'Accepted ',
      'Sent ',
    ])
      assert.ok(facts.includes(fact), `${fact}: ${facts}`);
    assert.doesNotMatch((await page.locator('#timeline').textContent()) ?? '', /inbox inbox/);
    assert.match((await page.locator('#ready').textContent()) ?? '', /^ready/);
  });

  it('leads to the API page, and shows how all ended on a telephone too', async () => {
    const page = await browser.newPage({ viewport: { width: 360, height: 740 } });
    await page.goto(`${fleet().api.url}/`);
    assert.equal(await page.locator('nav a[href="/docs"]').count(), 1);
    await signIn(page, await fleet().token('admin'));
    const box = await page.locator('#latest .status').first().boundingBox();
    assert.ok(box !== null && box.x + box.width <= 360, JSON.stringify(box));
    await page.locator('#latest button').first().click();
    await page.locator('#facts').waitFor();
    assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 360);
  });

  it('opens the notification that a link names, once an administrator signs in', async () => {
    const id = await fleet().send({ user_id: 'sara', message: 'Linked', channels: ['realtime'] });
    await fleet().untilStatus(id, 'SENT');
    const page = await browser.newPage();
    await page.goto(`${fleet().api.url}/?notification=${id}`);
    assert.equal(await page.locator('#details').isVisible(), false);
    await signIn(page, await fleet().token('admin'));
    await page.locator('#details-title', { hasText: id }).waitFor();
    await page.locator('#timeline li', { hasText: 'realtime sent' }).waitFor();
    const none = '01890000-0000-7000-8000-000000000000';
    await page.goto(`${fleet().api.url}/?notification=${none}`);
    await page.locator('#details-title', { hasText: `There is no notification ${none}` }).waitFor();
  });

  it('shows markup in ids and events as text, and runs none of it', async () => {
    const id = await fleet().send({
      user_id: 'sara',
      message: 'x',
      type: 'a',
      data: { html: '<img src=x onerror=alert(1)>' },
    });
    await fleet().untilStatus(id, 'SENT');
    await fleet().database.query('UPDATE notification SET event_type = $2 WHERE id = $1', [
      id,
      '<img src=x onerror=alert(1)>',
    ]);
    const page = await open(browser, fleet().api.url);
    const dialogs: string[] = [];
    page.on('dialog', (dialog) => {
      dialogs.push(dialog.message());
      void dialog.dismiss();
    });
    await signIn(page, await fleet().token('admin'));
    await page.locator('#latest td', { hasText: '<img src=x' }).waitFor();
    assert.equal(await page.locator('#latest img').count(), 0);
    assert.deepEqual(dialogs, []);
  });
});

async function open(browser: Browser, url: string): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(`${url}/`);
  return page;
}

async function signIn(page: Page, token: string): Promise<void> {
  await page.fill('#token', token);
  await page.click('#sign-in button');
}
