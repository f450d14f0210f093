import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { forEachEngine } from '../support/engines.js';
import { useFleet } from '../support/fleet.js';
import { email, only, outcomes } from './sending.js';

forEachEngine((engine) => {
  const fleet = useFleet({ engine, workers: [], env: { RETRY_SWEEP_MS: '3600000' } });
  afterEach(() => fleet().sandbox.clearFaults());
  /** The settings of SES, with the sandbox in its place. */
  const ses = () => ({
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'the-sandbox-takes-any',
    AWS_SECRET_ACCESS_KEY: 'the-sandbox-takes-any',
    SES_ENDPOINT: fleet().env.TWILIO_BASE_URL,
  });

  test('without a mail server of its own, mail goes out by SES; what is throttled there costs no attempt', async () => {
    const { sandbox, untilStatus, addWorker } = fleet();
    const worker = await addWorker({ env: { SMTP_URL: '', ...ses() } });
    const action = { kind: 'status', status: 429, retryAfter: 0 } as const;
    await sandbox.fault({ channel: 'email', provider: 'ses', action, times: 2 });
    const to = 'by-ses@example.org';
    const id = await email(fleet(), to, { html_body: '<b>There</b>' });
    await untilStatus(id, 'SENT');
    const mail = await sandbox.expectEmail(to, /^Hello$/);
    const delivery = await only(fleet(), id);
    assert.deepEqual(outcomes(delivery), [
      ...Array<string>(2).fill('throttled ses-TooManyRequestsException'),
      'sent http-200',
    ]);
    assert.equal(delivery.attempts, 1);
    assert.equal(delivery.tried.at(-1)?.provider, 'ses');
    assert.equal(mail.details?.provider, 'ses');
    assert.equal(mail.delivery_id, delivery.id, 'SES renames the message, and this header stays');
    assert.equal(mail.html?.trim(), '<b>There</b>');
    await worker.stop();
  });

  test('SES carries what the mail server cannot take, in the same attempt', async () => {
    const { sandbox, untilStatus, addWorker } = fleet();
    const worker = await addWorker({ env: ses() });
    await sandbox.fault({ channel: 'email', action: { kind: 'smtp', code: 421, at: 'connect' } });
    const to = 'failover@example.org';
    const id = await email(fleet(), to);
    await untilStatus(id, 'SENT');
    const delivery = await only(fleet(), id);
    assert.equal(delivery.attempts, 1);
    assert.deepEqual(
      delivery.tried.map(({ provider, outcome }) => `${provider} ${outcome}`),
      ['smtp retry', 'ses sent'],
    );
    await sandbox.expectEmail(to, /^Hello$/);
    await sandbox.clearFaults();
    const again = await email(fleet(), to);
    await untilStatus(again, 'SENT');
    const { tried } = await only(fleet(), again);
    assert.equal(tried[0]?.provider, 'smtp', 'the mail server comes first');
    assert.equal((await sandbox.messages({ to })).length, 2);
    await worker.stop();
  });
});
