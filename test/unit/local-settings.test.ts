import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { configuredProviders } from '@belfry/channels/providers.js';
import { readLocalSettings } from '@belfry/local/settings.js';

describe('the sandbox', () => {
  it('stands in for no mail that a provider would be switched on for', () => {
    for (const name of [
      'SMTP_URL',
      'AWS_ACCESS_KEY_ID',
      'AWS_SECRET_ACCESS_KEY',
      'SES_ENDPOINT',
      'SES_CREDENTIALS',
      'AWS_REGION',
      'MAIL_FROM',
    ]) {
      const settings = readLocalSettings({ [name]: 'x' });
      assert.ok(!('problem' in settings));
      const on = configuredProviders({ [name]: 'x' }).some(({ channel }) => channel === 'email');
      assert.equal(settings.sandboxed.email, !on, name);
    }
  });

  for (const [env, sandboxed] of [
    [{}, { email: true, sms: true, push: true, webhook: true }],
    [{ SMTP_URL: 'smtp://mail.example.org' }, { email: false, sms: true, push: true, webhook: true }],
    [
      { SMTP_URL: '', TWILIO_ACCOUNT_SID: 'AC0' },
      { email: true, sms: false, push: true, webhook: true },
    ],
    // Every machine in that cloud has it, and it names no provider.
    [{ AWS_REGION: 'eu-north-1' }, { email: true, sms: true, push: true, webhook: true }],
    [
      { AWS_REGION: 'eu-north-1', SES_CREDENTIALS: 'chain' },
      { email: false, sms: true, push: true, webhook: true },
    ],
    [{ AWS_ACCESS_KEY_ID: 'AKIA0' }, { email: false, sms: true, push: true, webhook: true }],
    [{ WEBHOOK_SECRETS: 'whsec_0' }, { email: true, sms: true, push: true, webhook: false }],
    [{ VAPID_PUBLIC_KEY: 'x' }, { email: true, sms: true, push: false, webhook: true }],
    [{ FCM_CREDENTIALS: '{}' }, { email: true, sms: true, push: false, webhook: true }],
  ] as const) {
    it(`stands in for ${JSON.stringify(sandboxed)} with ${JSON.stringify(env)}`, () => {
      const settings = readLocalSettings(env);
      assert.ok(!('problem' in settings));
      assert.deepEqual(settings.sandboxed, sandboxed);
    });
  }
});
