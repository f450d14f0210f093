import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachEngine } from '../support/engines.js';
import { useFleet } from '../support/fleet.js';
import { waitFor } from '../support/wait.js';
import { email } from './sending.js';

const PAYMENT = {
  event_type: 'payment_success',
  context: { property_title: 'Villa', amount: 12_500 },
};
const READERS = [
  { locale: 'am', subject: 'ክፍያ ተፈጽሟል፦ ብር 12,500.00 ለ«Villa»', sms: /^ለ«Villa» የብር 12,500\.00 ክፍያ ተፈጽሟል።/ },
  {
    locale: 'om',
    subject: "Kaffaltiin milkaa'eera: Br 12,500.00, Villa",
    sms: /^Kaffaltiin qabeenya Villa \(Br 12,500\.00\)/,
  },
  {
    locale: 'en',
    subject: 'Payment received: ETB 12,500.00 for Villa',
    sms: /^Payment of ETB 12,500\.00 for Villa received/,
  },
] as const;

forEachEngine((engine) => {
  const fleet = useFleet({ engine });

  for (const [index, { locale, subject, sms }] of READERS.entries()) {
    test(`an event reaches a person by email and SMS in ${locale}`, async () => {
      const { person, send, sandbox, untilStatus, deliveries } = fleet();
      const email = `reader-${locale}@example.org`;
      const phone = `+25191100010${index}`;
      await person(`reader-${locale}`, { email, phone, locale, preferences: { sms: true } });
      const id = await send({ user_id: `reader-${locale}`, ...PAYMENT });

      const mail = await sandbox.waitForMessage({ channel: 'email', to: email }, { timeoutMs: 30_000 });
      assert.equal(plain(mail.subject), subject);
      assert.match(mail.text, /Villa/);
      assert.match(mail.html ?? '', new RegExp(`<html[^>]* lang="${locale}"`));
      assert.match(plain((await sandbox.waitForMessage({ channel: 'sms', to: phone })).text), sms);
      await untilStatus(id, 'SENT');

      const rows = await deliveries(id);
      assert.deepEqual(
        rows.map(({ channel, state, attempts, template }) => [channel, state, attempts, template]),
        ['email', 'realtime', 'sms'].map((channel) => [channel, 'sent', 1, `payment_success@1/${locale}`]),
      );
      const [byMail] = rows;
      assert.equal(mail.delivery_id, byMail?.id, 'the mail carries the id of its delivery');
      assert.equal(mail.message_id, `<${byMail?.id}@belfry.test>`);
      for (const { tried, channel } of rows) {
        assert.deepEqual(
          tried.map(({ n, outcome }) => [n, outcome]),
          [[1, 'sent']],
          channel,
        );
        assert.ok(tried.every((one) => one.started_at <= one.finished_at));
      }
      const inbox = await fleet().database.query(
        'SELECT title, body FROM inbox_item WHERE notification_id = $1',
        [id],
      );
      assert.equal(inbox.rowCount, 1);
    });
  }

  test('a mail and a text message to bare addresses arrive as they were written', async () => {
    const { call, sandbox, untilStatus } = fleet();
    const mail = await call('POST', '/notifications/email/send', {
      to: 'bare@example.org',
      subject: 'Ünïcode ✓',
      body: 'Plain {{ text }}',
      html_body: '<p>Rich</p>',
    });
    const sms = await call('POST', '/notifications/sms/send', {
      phone: '+251911000199',
      message: 'Selam {{ you }} ሰላም',
    });
    assert.deepEqual([mail.status, sms.status], [202, 202]);
    const arrived = await sandbox.waitForMessage({ channel: 'email', to: 'bare@example.org' });
    assert.deepEqual(
      [arrived.subject, arrived.text.trim(), arrived.html?.trim()],
      ['Ünïcode ✓', 'Plain {{ text }}', '<p>Rich</p>'],
    );
    assert.equal((await sandbox.waitForMessage({ to: '+251911000199' })).text, 'Selam {{ you }} ሰላም');
    await untilStatus(String(mail.body.email_id), 'SENT');
    await untilStatus(String(sms.body.sms_id), 'SENT');
  });

  test('a notification can be followed through the logs by its id, from the call to the answer of the provider', async () => {
    const { logs, untilStatus, sandbox } = fleet();
    const id = await email(fleet(), 'followed@example.org');
    await sandbox.waitForMessage({ to: 'followed@example.org' });
    await untilStatus(id, 'SENT');
    const trail = await waitFor(() => {
      const lines = logs()
        .map((line): Record<string, unknown> => JSON.parse(line))
        .filter((line) => line.notification_id === id);
      return lines.length >= 3
        ? lines.sort((one, two) => String(one.time).localeCompare(String(two.time)))
        : undefined;
    });
    assert.deepEqual(
      trail.map(({ service, event, outcome, state }) => [service, event, outcome ?? state ?? null]),
      [
        ['api', 'accepted', null],
        ['worker', 'attempted', 'sent'],
        ['worker', 'moved', 'sent'],
      ],
    );
  });

  test('nothing arrived that was not asked for', async () => {
    await fleet().sandbox.expectNothingElse();
  });
});

/** Intl puts no-break spaces between a currency and its amount; to the reader they are spaces. */
function plain(text: string | undefined): string {
  return (text ?? '').replace(/[\u00a0\u202f]/g, ' ');
}
