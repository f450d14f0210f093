import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { CHANNELS, PRIORITIES } from '@belfry/shared/domain/channel.js';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { quickHash } from '../api/board-visit.js';
import { email } from '../fleet/sending.js';
import { launchChromium } from '../support/chromium.js';
import { forEachEngine } from '../support/engines.js';
import { useFleet } from '../support/fleet.js';

const PASSWORD = 'correct horse battery staple';
const JOB = 'ul[class^="jobActions-"] li:visible button';
const env = { ADMIN_PASSWORD_HASH: await quickHash(PASSWORD), RETRY_SWEEP_MS: '3600000' };

forEachEngine((engine) => {
  const fleet = useFleet({ engine, env });
  let browser: Browser;
  const violations: string[] = [];

  before(async () => {
    browser = await launchChromium();
  });
  after(() => browser?.close());

  async function newPage(): Promise<Page> {
    const page = await (await browser.newContext({ viewport: { width: 1400, height: 900 } })).newPage();
    page.on('console', (line) => {
      if (/Content Security Policy/.test(line.text())) violations.push(line.text());
    });
    return page;
  }

  const board = (path = '') => `${fleet().api.url}/admin/queues${path}`;

  async function signIn(page: Page, secret: string, path = ''): Promise<void> {
    const answer = await page.goto(board(path));
    assert.equal(answer?.status(), 401);
    await page.getByLabel('Admin token or password').fill(secret);
    await page.getByRole('button', { name: 'Sign in' }).click();
  }

  async function pressAndConfirm(page: Page, nth: number): Promise<void> {
    await page.locator(JOB).nth(nth).click();
    await page.getByRole('button', { name: 'Confirm' }).click();
  }

  /** A mail that was given up once, and would be taken now. */
  async function deadMail(to: string): Promise<string> {
    const action = { kind: 'smtp', code: 550, text: 'no' } as const;
    await fleet().sandbox.fault({ channel: 'email', recipient: to, action, times: 1 });
    const id = await email(fleet(), to);
    await fleet().untilStatus(id, 'FAILED');
    return id;
  }

  it('a failed job is retried after a sign-in, and its mail arrives', async () => {
    const id = await deadMail('retried@example.org');
    const page = await newPage();
    await signIn(page, 'not the password');
    await page.getByRole('alert').getByText('neither a valid token nor the password').waitFor();
    await signIn(page, PASSWORD);
    for (const channel of CHANNELS)
      for (const priority of PRIORITIES)
        await page.locator(`a[href*="/queue/${channel}.${priority}"]`).first().waitFor({ state: 'attached' });

    await page.goto(board('/queue/email.normal?status=failed'));
    await page.getByText('Retry all').first().waitFor();
    assert.equal(
      await page.locator(JOB).count(),
      2,
      'a failed job can be retried and removed, and nothing else',
    );
    await page.locator('a[href*="/queue/email.normal/"]').first().click();
    await page.getByText('UnrecoverableError').waitFor();
    await pressAndConfirm(page, 0);
    await fleet().untilStatus(id, 'SENT');
    await fleet().sandbox.waitForMessage({ channel: 'email', to: 'retried@example.org' });
    assert.equal((await fleet().deliveries(id))[0]?.state, 'sent');
    await page.getByText(/-g2$/).first().waitFor();
    await page.locator(`a[href="/?notification=${id}"]`).waitFor();
    assert.deepEqual(violations, []);
    await page.context().close();
  });

  it('a delayed job is promoted, and its mail arrives at once', async () => {
    const send_at = new Date(Date.now() + 3_600_000).toISOString();
    const id = await email(fleet(), 'promoted@example.org', { send_at });
    const page = await newPage();
    await signIn(page, await fleet().token('admin'), '/queue/email.normal?status=delayed');
    await page.getByText('Promote all').waitFor();
    assert.match(page.url(), /\/queue\/email\.normal\?status=delayed$/, 'the page that was asked for');
    assert.equal(await page.locator(JOB).count(), 2);
    await pressAndConfirm(page, 0);
    await fleet().untilStatus(id, 'SENT');
    await fleet().sandbox.waitForMessage({ channel: 'email', to: 'promoted@example.org' });
    await page.context().close();
  });

  it('a viewer sees the jobs and no button', async () => {
    const id = await deadMail('viewed@example.org');
    const page = await newPage();
    await signIn(page, await fleet().token('viewer'), '/queue/email.normal?status=failed');
    await page.locator(`a[href="/?notification=${id}"]`).waitFor();
    assert.equal(await page.locator(JOB).count(), 0);
    assert.equal(await page.getByText('Retry all').count(), 0);
    await page.goto(board('/sign-out'));
    await page.getByText('and cannot change anything').waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Admin token or password').waitFor();
    await page.context().close();
  });

  it('another site can press no button, although somebody is signed in', async () => {
    const id = await deadMail('attacked@example.org');
    const [delivery] = await fleet().deliveries(id);
    const page = await newPage();
    await signIn(page, PASSWORD);
    await page.locator('a[href*="/queue/email.normal"]').first().waitFor({ state: 'attached' });
    await serveEvilSite(page.context(), board());
    const target = board(`/api/queues/email.normal/${delivery?.id}/retry`);
    await page.goto('http://evil.example/');
    const sent = await page.evaluate(
      (url) => fetch(url, { method: 'PUT', credentials: 'include', mode: 'cors' }).then(String, String),
      target,
    );
    assert.match(sent, /Failed to fetch/);
    const posted = page.waitForResponse((answer) => answer.request().method() === 'POST');
    await page.locator('form button').click();
    assert.equal((await posted).status(), 403);
    assert.equal((await fleet().deliveries(id))[0]?.state, 'dead');
    await page.context().close();
  });
});

/** A page of somebody else that posts to the board. */
async function serveEvilSite(context: BrowserContext, board: string): Promise<void> {
  const body = `<form method="post" action="${board}/sign-in"><button>Win</button></form>`;
  await context.route('http://evil.example/**', (route) => route.fulfill({ contentType: 'text/html', body }));
}
