import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readLocalSettings } from '@belfry/local/settings.js';

describe('the sandbox', () => {
  for (const [env, sandboxed] of [
    [{}, { email: true, sms: true }],
    [{ SMTP_URL: 'smtp://mail.example.org' }, { email: false, sms: true }],
    [
      { SMTP_URL: '', TWILIO_ACCOUNT_SID: 'AC0' },
      { email: true, sms: false },
    ],
    // Every machine in that cloud has it, and it names no provider.
    [{ AWS_REGION: 'eu-north-1' }, { email: true, sms: true }],
  ] as const) {
    it(`stands in for ${JSON.stringify(sandboxed)} with ${JSON.stringify(env)}`, () => {
      const settings = readLocalSettings(env);
      assert.ok(!('problem' in settings));
      assert.deepEqual(settings.sandboxed, sandboxed);
    });
  }
});
