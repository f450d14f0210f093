import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { configuredProviders, openProviders, PROVIDERS, parseSettings } from '@belfry/channels/providers.js';
import { NO_PORTS } from './subject.js';
import { keyFile } from './token-server.js';
import { ACCOUNT, FROM, TOKEN } from './twilio-subject.js';
import { SECRET } from './webhook-subject.js';
import { VAPID } from './webpush-subject.js';

const TWILIO = { TWILIO_ACCOUNT_SID: ACCOUNT, TWILIO_AUTH_TOKEN: TOKEN, TWILIO_FROM: FROM };
const SMTP = { SMTP_URL: 'smtp://mail.example' };
const WEBHOOK = { WEBHOOK_SECRETS: SECRET };
const FCM = { FCM_CREDENTIALS: JSON.stringify(keyFile('https://oauth2.example/token')) };
const SES = { AWS_REGION: 'eu-west-1', SES_CREDENTIALS: 'chain' };
const names = (env: Record<string, string>) => configuredProviders(env).map(({ name }) => name);

/** The settings that stand in the way. */
function complaints(env: Record<string, string>): string[] {
  const parsed = parseSettings(env);
  return parsed.ok ? [] : parsed.problems.map(({ setting }) => setting);
}

function smtpServer(url: string): unknown {
  const parsed = parseSettings({ SMTP_URL: url });
  return parsed.ok
    ? parsed.providers.find((one) => one.definition.name === 'smtp')?.settings.SMTP_URL
    : undefined;
}

describe('provider settings', () => {
  it('switch nothing on but the inbox when there are none', () => {
    assert.deepEqual(names({}), ['inbox']);
    assert.deepEqual(names({ SMTP_URL: '', TWILIO_BASE_URL: 'http://localhost', MAIL_FROM: 'a@b.example' }), [
      'inbox',
    ]);
  });

  it('switch on what they name', () => {
    assert.deepEqual(names({ ...SMTP, ...TWILIO }), ['inbox', 'smtp', 'twilio']);
    assert.deepEqual(complaints({ ...SMTP, ...TWILIO }), []);
  });

  it('are told all together when they are wrong, with a remedy and without their values', () => {
    const env = {
      SMTP_URL: 'http://u:pass-4711@x',
      MAIL_FROM: 'nobody',
      TWILIO_ACCOUNT_SID: 'SK4711',
      TWILIO_FROM: '0911',
    };
    const parsed = parseSettings(env);
    assert.ok(!parsed.ok);
    assert.deepEqual(
      parsed.problems.map(({ provider, setting }) => `${provider} ${setting}`),
      [
        'smtp SMTP_URL',
        'smtp MAIL_FROM',
        'twilio TWILIO_ACCOUNT_SID',
        'twilio TWILIO_AUTH_TOKEN',
        'twilio TWILIO_FROM',
      ],
    );
    for (const { remedy } of parsed.problems) assert.match(remedy, /^(set it|take away|give|write) /);
    for (const value of Object.values(env)) assert.ok(!JSON.stringify(parsed.problems).includes(value));
  });

  it('count as left out when they are empty', () => {
    assert.deepEqual(complaints({ ...SMTP, MAIL_FROM: '' }), []);
    assert.deepEqual(complaints({ ...TWILIO, TWILIO_AUTH_TOKEN: '' }), ['TWILIO_AUTH_TOKEN']);
  });

  for (const [url, server] of [
    ['smtp://mail.example', { host: 'mail.example', port: 587, secure: false, requireTls: false }],
    ['smtps://mail.example', { host: 'mail.example', port: 465, secure: true, requireTls: false }],
    ['smtp://[::1]:2525/', { host: '::1', port: 2525, secure: false, requireTls: false }],
    [
      'smtp://mail.example?requireTLS=true',
      { host: 'mail.example', port: 587, secure: false, requireTls: true },
    ],
    [
      'smtp://me%40here:p%2Fw@mail.example:25',
      {
        host: 'mail.example',
        port: 25,
        secure: false,
        requireTls: false,
        auth: { user: 'me@here', pass: 'p/w' },
      },
    ],
  ] as const) {
    it(`read ${url}`, () => {
      assert.deepEqual(smtpServer(url), server);
    });
  }

  for (const query of [
    'tls.rejectUnauthorized=false',
    'ignoreTLS=true',
    'opportunisticTLS=true',
    'insecure',
    'insecure=1',
    'requireTLS=false',
    'requireTLS=true&tls.rejectUnauthorized=false',
    'secure=false',
    'proxy=http://x',
    'logger=true&debug=true',
  ]) {
    it(`cannot weaken encryption with ?${query}`, () => {
      assert.deepEqual(complaints({ SMTP_URL: `smtps://mail.example?${query}` }), ['SMTP_URL']);
    });
  }

  for (const url of [
    'mail.example',
    'smtp://',
    'https://mail.example',
    'smtp://u@mail.example',
    'smtp://a/b',
    'smtp://%zz:x@a',
  ]) {
    it(`refuse ${url} as a mail server`, () => {
      assert.deepEqual(complaints({ SMTP_URL: url }), ['SMTP_URL']);
    });
  }

  for (const url of ['api.twilio.com', 'ftp://x', 'http://u:p@x', 'http://x?a=b']) {
    it(`refuse ${url} as the base of the Twilio API`, () => {
      assert.deepEqual(complaints({ ...TWILIO, TWILIO_BASE_URL: url }), ['TWILIO_BASE_URL']);
    });
  }

  it('open every provider they switch on', async () => {
    const parsed = parseSettings({ ...SMTP, ...SES, ...TWILIO, ...VAPID, ...FCM, ...WEBHOOK });
    assert.ok(parsed.ok);
    const open = await openProviders(parsed.providers, NO_PORTS);
    assert.deepEqual(
      open.map(({ provider }) => provider.name),
      PROVIDERS.map(({ name }) => name),
    );
    for (const { provider } of open) await provider.close();
  });
});
