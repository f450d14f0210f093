import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { alertOf, linkIn, raiseAlert } from '../support/alerting.js';
import { launchChromium } from '../support/chromium.js';
import { useFleet } from '../support/fleet.js';
import { freePort } from '../support/ports.js';

const PORT = await freePort();
const PHONE = { viewport: { width: 320, height: 640 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
/** A folder that pictures of the page are put into; none when it is not set. */
const PICTURES = process.env.PICTURES;
const MESSAGE =
  'The disk of db-1 is full: 0 bytes are left on /var/lib/postgresql, and the ledger cannot be written any more.';

describe('the page to acknowledge an alert, on a phone', () => {
  const fleet = useFleet({
    engine: 'postgres',
    env: { PORT: String(PORT), PUBLIC_URL: `http://127.0.0.1:${PORT}` },
  });
  const open: BrowserContext[] = [];
  const troubles: string[] = [];
  let browser: Browser;

  before(async () => {
    browser = await launchChromium();
    const people = { en: 'Europe/Berlin', am: 'Africa/Addis_Ababa', om: 'Africa/Addis_Ababa' };
    for (const [locale, timezone] of Object.entries(people))
      await fleet().person(locale, { email: `${locale}@example.org`, roles: ['admin'], locale, timezone });
  });
  after(() => browser?.close());
  afterEach(async () => {
    await Promise.all(open.splice(0).map((context) => context.close()));
    assert.deepEqual(troubles.splice(0), [], 'nothing was refused by the policy');
  });

  it('is reached from the mail, acknowledges with one tap, without any script, and then says who it was', async () => {
    const { id } = await raiseAlert(fleet(), 'critical/disk_full', {
      message: MESSAGE,
      source: 'database_monitor',
      affected_systems: ['user_service', 'order_service'],
    });
    const mail = await fleet().sandbox.expectEmail('en@example.org', /disk_full/);
    const reader = await phone({ colorScheme: 'light', javaScriptEnabled: false });
    await reader.setContent(mail.html ?? '');
    await reader.getByRole('link', { name: 'Acknowledge' }).click();
    await reader.locator('#state', { hasText: 'Nobody has acknowledged it yet.' }).waitFor();
    await picture(reader, 'open');
    const button = reader.getByRole('button', { name: 'Acknowledge' });
    const box = await button.boundingBox();
    assert.ok(box !== null && box.height >= 48 && box.width >= 240, JSON.stringify(box));
    assert.ok(box.y + box.height <= PHONE.viewport.height, 'the button is seen at once');
    assert.equal(String((await alertOf(fleet(), id)).status), 'open', 'looking changes nothing');
    await button.tap();
    await reader.locator('#state', { hasText: /^Acknowledged by en, / }).waitFor();
    await picture(reader, 'acknowledged');
    assert.equal(reader.url(), linkIn(mail.text), 'loading it anew sends nothing');
    assert.equal(String((await alertOf(fleet(), id)).acknowledged_by), 'en');
    await reader.getByRole('button', { name: 'Mark as resolved' }).tap();
    await reader.locator('#state', { hasText: /^Resolved by en, / }).waitFor();
    assert.equal(await reader.locator('button').count(), 0);
    assert.equal(String((await alertOf(fleet(), id)).status), 'resolved');
  });

  it('fits, day and night, in each language', async () => {
    const word = 'Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen'.repeat(2);
    await raiseAlert(fleet(), 'warning/disk_almost_full', {
      message: `${MESSAGE} ${word} ${'and so on, '.repeat(100)}`,
      source: word,
    });
    for (const [person, colorScheme] of [
      ['am', 'dark'],
      ['om', 'light'],
      ['en', 'dark'],
    ] as const) {
      const { text } = await fleet().sandbox.expectEmail(`${person}@example.org`, /almost_full/);
      const page = await phone({ colorScheme });
      await page.goto(linkIn(text));
      assert.equal(await page.locator('html').getAttribute('lang'), person);
      assert.equal(await page.evaluate('document.documentElement.scrollWidth'), PHONE.viewport.width);
      const box = await page.locator('button').boundingBox();
      assert.ok(box !== null && box.y + box.height <= PHONE.viewport.height, 'the button is seen at once');
      await picture(page, `${person}-${colorScheme}`);
    }
  });

  it('says what is wrong with a link in the language of the browser', async () => {
    const page = await phone({ locale: 'am' });
    await page.goto(`${fleet().api.url}/a/${'A'.repeat(38)}`);
    assert.equal(await page.locator('html').getAttribute('lang'), 'am');
    assert.equal(await page.locator('h1').textContent(), 'ይህ ማስፈንጠሪያ የትም አያደርስም');
    await picture(page, 'unknown');
  });

  async function phone(options: Parameters<Browser['newContext']>[0]): Promise<Page> {
    const context = await browser.newContext({ ...PHONE, ...options });
    open.push(context);
    const page = await context.newPage();
    page.on('pageerror', (error) => troubles.push(error.message));
    page.on('console', (line) => {
      if (line.type() === 'error' && !/status of 404/.test(line.text())) troubles.push(line.text());
    });
    return page;
  }
});

async function picture(page: Page, name: string): Promise<void> {
  if (PICTURES !== undefined) await page.screenshot({ path: `${PICTURES}/${name}.png`, fullPage: true });
}
