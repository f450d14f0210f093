import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { operations } from '../support/api-document/operations.js';
import { launchChromium } from '../support/chromium.js';
import { useFleet } from '../support/fleet.js';

describe('/docs in a real browser', () => {
  const fleet = useFleet({ engine: 'postgres' });
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];
  const hosts = new Set<string>();

  before(async () => {
    browser = await launchChromium();
    page = await browser.newPage({ viewport: { width: 1280, height: 1600 } });
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => hosts.add(new URL(request.url()).host));
    await page.goto(`${fleet().api.url}/docs`);
    await page.locator('.opblock').first().waitFor();
  });
  after(() => browser?.close());

  it('shows every call of the document', async () => {
    for (const { method, path } of operations())
      await page.locator(`.opblock-${method} [data-path="${path}"]`).first().waitFor({ timeout: 5_000 });
    assert.equal(await page.locator('.opblock').count(), operations().length);
  });

  it('makes a call with the token that is pasted', async () => {
    await fleet().person('sara');
    const id = await fleet().send({ user_id: 'sara', message: 'Hello' });
    await page.locator('.auth-wrapper .authorize').click();
    // The first is for the tokens of callers, the second for those of alert sources.
    const tokens = page.locator('.auth-container').first();
    await tokens.locator('input').fill(await fleet().token('admin'));
    await tokens.locator('button[type=submit]').click();
    await tokens.locator('.btn-done').click();
    const call = page.locator('#operations-Reading-listNotifications');
    await call.locator('.opblock-summary-control').click();
    await call.locator('button.execute').click();
    await call.locator('.live-responses-table .response-col_status', { hasText: '200' }).waitFor();
    assert.match((await call.locator('.live-responses-table').textContent()) ?? '', new RegExp(id));
  });

  it('makes the call that an example shows', async () => {
    await fleet().person('abebe', { email: 'abebe@example.com' });
    const call = page.locator('#operations-Sending-sendNotification');
    await call.locator('.opblock-summary-control').click();
    await call.locator('button.execute').click();
    await call.locator('.live-responses-table .response-col_status', { hasText: '202' }).waitFor();
  });

  it('asks no other host, and nothing is refused by its own policy', () => {
    assert.deepEqual([...hosts], [new URL(fleet().api.url).host]);
    assert.deepEqual(complaints, []);
  });

  it('may run no script but its own', async () => {
    const { headers } = await fleet().page('/docs', { as: null });
    const policy = headers.get('content-security-policy') ?? '';
    assert.match(policy, /(^|;)script-src 'self'(;|$)/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.doesNotMatch(policy, /unsafe/);
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
  });
});
