import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { launchChromium } from '../support/chromium.js';
import { useFleet } from '../support/fleet.js';

describe('the inbox in a real browser', () => {
  const fleet = useFleet({ engine: 'postgres', api: 2 });
  const open: BrowserContext[] = [];
  const troubles: string[] = [];
  let browser: Browser;

  before(async () => {
    browser = await launchChromium();
    for (const id of ['sara', 'old', 'tabs', 'away', 'keys', 'markup', 'small']) await fleet().person(id);
  });
  after(() => browser?.close());
  afterEach(async () => {
    await Promise.all(open.splice(0).map((context) => context.close()));
    assert.deepEqual(troubles.splice(0), [], 'no script broke, and nothing was refused by the policy');
  });

  const send = (user_id: string, message: string, more: Readonly<Record<string, unknown>> = {}) =>
    fleet().send(
      { user_id, message, title: `About ${message}`, channels: ['realtime'], ...more },
      { api: 1 },
    );

  it('is opened by the token of its person, for this tab, until it is signed out', async () => {
    const page = await visit();
    for (const [token, reason] of [
      ['x', 'This is not a token.'],
      [`${(await fleet().token('user', 'sara')).slice(0, -8)}AAAAAAAA`, 'The token is not valid.'],
      [await fleet().token('user', 'nobody'), "This token is for 'nobody', who is not a person here."],
    ] as const) {
      await signIn(page, token);
      await page.locator('#refused', { hasText: reason }).waitFor();
      assert.equal(await page.locator('#inbox').isVisible(), false);
    }
    await signIn(page, await fleet().token('user', 'sara'));
    await page.locator('#none-title', { hasText: 'Nothing here yet' }).waitFor();
    await page.reload();
    await page.locator('#state', { hasText: 'Live' }).waitFor();
    assert.equal(await page.locator('#person').textContent(), 'sara');
    const stored = await page.evaluate('[localStorage.length, sessionStorage.length, document.cookie]');
    assert.deepEqual(stored, [0, 1, '']);
    await page.click('#leave');
    await page.locator('#enter').waitFor();
    assert.equal(await page.evaluate('sessionStorage.length'), 0);
  });

  it('shows what comes at once, counts it at the bell, and says it', async () => {
    const page = await inboxOf('sara');
    await send('sara', 'the lift', { data: { house: 7 } });
    await page.locator('.note h3', { hasText: 'About the lift' }).waitFor();
    await counts(page, 1);
    assert.equal(await page.title(), '(1) Inbox · Belfry');
    assert.equal(await page.locator('#bell').getAttribute('aria-label'), '1 unread');
    assert.equal(await page.locator('#said').textContent(), 'New: About the lift. the lift');
    await send('sara', 'the water', { priority: 'critical' });
    await page.locator('.note', { hasText: 'the water' }).waitFor();
    assert.deepEqual(await page.locator('.note h3').allTextContents(), ['About the water', 'About the lift']);
    await page.locator('.note', { hasText: 'the lift' }).locator('.mark').click();
    await counts(page, 1);
    await page.click('[data-show="unread"]');
    assert.deepEqual(await page.locator('.note h3').allTextContents(), ['About the water']);
    await page.click('#read-all');
    await page.locator('#none-title', { hasText: 'All caught up' }).waitFor();
    assert.equal(await page.locator('#count').isVisible(), false);
    assert.equal((await fleet().call('GET', '/users/sara/inbox/unread-count')).body.count, 0);
  });

  it('rings for what comes, and not for what is there', async () => {
    const id = await send('old', 'yesterday');
    await fleet().untilStatus(id, 'SENT');
    const page = await inboxOf('old');
    await counts(page, 1);
    assert.equal(await page.locator('#bell.rings').count(), 0);
    assert.equal(await page.locator('#said').textContent(), '');
    await send('old', 'today');
    await counts(page, 2);
    assert.equal(await page.locator('#bell.rings').count(), 1);
  });

  it('is the same in every tab: what is read in one is read in the other, also through another API', async () => {
    const one = await inboxOf('tabs');
    const two = await inboxOf('tabs', { api: 1 });
    for (const word of ['first', 'second', 'third']) await send('tabs', word);
    for (const page of [one, two]) await counts(page, 3);
    await one.locator('.note', { hasText: 'second' }).locator('.mark').click();
    for (const page of [one, two]) {
      await page.locator('.note[data-read="true"]', { hasText: 'second' }).waitFor();
      await counts(page, 2);
    }
    await two.click('#read-all');
    for (const page of [one, two]) await page.locator('#count').waitFor({ state: 'hidden' });
    assert.equal(await one.locator('.note[data-read="false"]').count(), 0);
  });

  it('says when it is cut off, and has what it missed when the API is back, once', async () => {
    const page = await inboxOf('away');
    await send('away', 'before');
    await counts(page, 1);
    const [api] = fleet().apis;
    assert.ok(api);
    assert.equal((await api.stop()).code, 0);
    await page.locator('#state', { hasText: 'Disconnected' }).waitFor();
    assert.match(
      (await page.locator('#away-text').textContent()) ?? '',
      /^Connection lost\. New notifications will appear when it is back\./,
    );
    const missed = await send('away', 'meanwhile');
    await fleet().untilStatus(missed, 'SENT');
    // What cannot be done is said, and is not shown as done.
    await page.locator('.mark').click();
    await page.locator('#said', { hasText: 'could not be marked' }).waitFor({ state: 'attached' });
    await page.locator('#trouble', { hasText: 'could not be marked as read' }).waitFor();
    await counts(page, 1);
    await fleet().addApi({ PORT: new URL(api.url).port });
    await page.click('#again').catch(() => undefined);
    await page.locator('#state', { hasText: 'Live' }).waitFor();
    await page.locator('#away').waitFor({ state: 'hidden' });
    await counts(page, 2);
    const after = await send('away', 'after');
    await fleet().untilStatus(after, 'SENT');
    await counts(page, 3);
    assert.deepEqual(await page.locator('.note .text').allTextContents(), ['after', 'meanwhile', 'before']);
    await page.locator('.note', { hasText: 'before' }).locator('.mark').click();
    await page.locator('#trouble').waitFor({ state: 'hidden' });
    await counts(page, 2);
    // Nobody answered, and then an API that was not ready yet.
    troubles.splice(
      0,
      troubles.length,
      ...troubles.filter((text) => !/ERR_CONNECTION_REFUSED|status of 503|response code: 503/.test(text)),
    );
  });

  it('is over when its session is ended, and asks again who it is', async () => {
    const page = await inboxOf('sara');
    assert.equal((await fleet().call('POST', '/websocket/disconnect/sara')).status, 200);
    await page.locator('#refused', { hasText: 'This session was ended.' }).waitFor();
    assert.equal(await page.locator('#inbox').isVisible(), false);
  });

  it('can be used by keyboard: reading one leads to the next', async () => {
    const page = await inboxOf('keys');
    for (const word of ['first', 'second']) await send('keys', word);
    await counts(page, 2);
    await page.locator('.note', { hasText: 'second' }).locator('.mark').focus();
    await page.keyboard.press('Enter');
    await counts(page, 1);
    assert.equal(await page.locator('.note', { hasText: 'first' }).locator('.mark:focus').count(), 1);
    await page.keyboard.press('Space');
    await page.locator('#count').waitFor({ state: 'hidden' });
    assert.equal(await page.evaluate('document.activeElement.id'), 'list-title');
  });

  it('shows markup as text, wherever it stands, and runs none of it', async () => {
    const page = await inboxOf('markup');
    const dialogs: string[] = [];
    page.on('dialog', (dialog) => {
      dialogs.push(dialog.message());
      void dialog.dismiss();
    });
    const evil = '<img src=x onerror=alert(1)>';
    await send('markup', evil, { title: `"'>${evil}`, data: { [evil]: `</pre><script>alert(2)</script>` } });
    await page.locator('.note .text', { hasText: evil }).waitFor();
    await page.locator('summary').click();
    assert.match((await page.locator('.note pre').textContent()) ?? '', /<script>alert\(2\)<\/script>/);
    await page.reload();
    await page.locator('.note .text', { hasText: evil }).waitFor();
    assert.equal(await page.locator('.note img, .note script').count(), 0);
    assert.deepEqual(dialogs, []);
  });

  it('fits a telephone, by day and by night', async () => {
    const word = 'Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen'.repeat(2);
    await fleet().untilStatus(await send('small', word, { type: 'x'.repeat(128), data: { word } }), 'SENT');
    for (const colorScheme of ['light', 'dark'] as const) {
      const page = await inboxOf('small', { colorScheme, viewport: { width: 360, height: 740 } });
      await page.locator('.note').waitFor();
      await page.locator('summary').click();
      assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 360);
    }
  });

  type Visit = BrowserContextOptions & { readonly api?: number };

  async function visit({ api = 0, ...options }: Visit = {}): Promise<Page> {
    const context = await browser.newContext(options);
    open.push(context);
    const page = await context.newPage();
    page.on('pageerror', (error) => troubles.push(error.message));
    page.on('console', (line) => {
      // That the API refuses a token is said by the browser as well.
      if (line.type() === 'error' && !/status of 40[14]/.test(line.text())) troubles.push(line.text());
    });
    await page.goto(`${fleet().apis[api]?.url}/inbox`);
    return page;
  }

  async function inboxOf(person: string, options?: Visit): Promise<Page> {
    const page = await visit(options);
    await signIn(page, await fleet().token('user', person));
    await page.locator('#state', { hasText: 'Live' }).waitFor();
    return page;
  }
});

async function signIn(page: Page, token: string): Promise<void> {
  await page.fill('#token', token);
  await page.click('#enter button');
}

async function counts(page: Page, unread: number): Promise<void> {
  await page.locator('#count', { hasText: new RegExp(`^${unread}$`) }).waitFor();
}
