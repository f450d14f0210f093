import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { webpush } from '@belfry/channels/push/webpush.js';
import type { Browser, Page } from 'playwright-core';
import { create, NO_PORTS } from '../contract/subject.js';
import { push, VAPID } from '../contract/webpush-subject.js';
import { type Running, withSandbox } from '../sandbox/with-sandbox.js';
import { launchChromium } from '../support/chromium.js';
import { ask } from '../support/http.js';
import { subscribe } from '../support/push-env.js';
import { waitFor } from '../support/wait.js';

const LIMIT = { timeout: 60_000 };

let browser: Browser;
before(async () => {
  browser = await launchChromium();
});
after(() => browser?.close());

/** What a browser's push service hands on of a push: sent by the provider, read by the sandbox. */
async function payloadOf({ sandbox, client }: Running): Promise<string> {
  const { endpoint, keys } = await subscribe(sandbox.httpUrl, 'a-browser');
  const { text: certificate } = await ask('GET', `${sandbox.httpUrl}/push/certificate`);
  const settings = { ...VAPID, PUSH_ALLOW_ADDRESSES: '127.0.0.1' };
  const provider = await create(webpush, settings, { ...NO_PORTS, authorities: [certificate] });
  const message = { ...push(endpoint), device: { platform: 'web', keys } } as const;
  assert.equal((await provider.send(message, AbortSignal.timeout(5_000))).kind, 'sent');
  await provider.close();
  const { details } = await client.waitForMessage({ channel: 'push', to: 'a-browser' });
  return String(details?.payload);
}

test('a service worker shows what Belfry pushes, and a copy takes the place of the first', LIMIT, () =>
  withPage(async (running, page, origin) => {
    await page.locator('#permission', { hasText: 'granted' }).waitFor();
    const session = await page.context().newCDPSession(page);
    let registrationId = '';
    session.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
      registrationId = registrations.at(-1)?.registrationId ?? registrationId;
    });
    await session.send('ServiceWorker.enable');
    await page.getByRole('button', { name: 'Register the service worker' }).click();
    await page.locator('#worker', { hasText: 'ready' }).waitFor();
    await waitFor(() => registrationId !== '', { what: 'the registration' });

    const data = await payloadOf(running);
    for (const _copy of [1, 2])
      await session.send('ServiceWorker.deliverPushMessage', { origin, registrationId, data });
    await page.locator('#arrived .note', { hasText: 'canary-body: rent received' }).nth(1).waitFor();
    const shown = (await page.evaluate(
      `navigator.serviceWorker.ready.then((one) => one.getNotifications()).then((all) => all.map(({ title, body, tag, data }) => ({ title, body, tag, data })))`,
    )) as unknown;
    assert.deepEqual(shown, [
      {
        title: 'canary-title',
        body: 'canary-body: rent received',
        tag: JSON.parse(data).delivery_id,
        data: { amount: 12_500 },
      },
    ]);
  }),
);

test('a browser that cannot reach its maker’s push service says so', LIMIT, () =>
  withPage(async (_running, page) => {
    await page.getByRole('button', { name: 'Register the service worker' }).click();
    await page.locator('#worker', { hasText: 'ready' }).waitFor();
    assert.equal(await page.getByLabel('The VAPID public key').inputValue(), '', 'nobody has told it');
    await page.route('**/push/vapid-key', (route) =>
      route.fulfill({ json: { public_key: VAPID.VAPID_PUBLIC_KEY } }),
    );
    await page.reload();
    await page.waitForFunction('document.getElementById("key").value.length === 87');
    await page.getByRole('button', { name: 'Register the service worker' }).click();
    await page.locator('#worker', { hasText: 'ready' }).waitFor();
    await page.getByRole('button', { name: 'Subscribe' }).click();
    await page.locator('#subscription', { hasText: /^failed: |^subscribed/ }).waitFor();
  }),
);

test('the sandbox shows a push as a person would see it, and what the device reads', LIMIT, () =>
  withPage(async (running, page) => {
    await payloadOf(running);
    await page.goto(`${running.sandbox.httpUrl}/#push`);
    await page.locator('.note', { hasText: 'canary-body: rent received' }).waitFor();
    await page.locator('#pushed pre', { hasText: '"amount": 12500' }).waitFor();
    await page.locator('#count-push', { hasText: /^1$/ }).waitFor();
    await page.locator('#push-list .who', { hasText: 'a-browser’s browser' }).waitFor();
    await page.locator('#push-list .avatar svg').waitFor();
  }),
);

async function withPage(
  work: (running: Running, page: Page, origin: string) => Promise<void>,
): Promise<void> {
  await withSandbox(async (running) => {
    // 127.0.0.1 is a secure context, so a service worker may be registered without TLS.
    const origin = running.sandbox.httpUrl;
    const context = await browser.newContext({ viewport: { width: 1200, height: 900 } });
    await context.grantPermissions(['notifications'], { origin });
    try {
      const page = await context.newPage();
      page.setDefaultTimeout(10_000);
      await page.goto(`${origin}/browser.html`);
      await work(running, page, origin);
    } finally {
      await context.close();
    }
  });
}
