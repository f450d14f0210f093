import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openProviders, parseSettings } from '@belfry/channels/providers.js';
import { NO_PORTS } from './subject.js';
import { ACCOUNT, FROM, TOKEN } from './twilio-subject.js';

const TWILIO = { TWILIO_ACCOUNT_SID: ACCOUNT, TWILIO_AUTH_TOKEN: TOKEN, TWILIO_FROM: FROM };
const second = (env: Record<string, string>) =>
  Object.fromEntries(Object.entries(env).map(([name, value]) => [`${name}_2`, value]));

function accounts(env: Record<string, string>) {
  const parsed = parseSettings(env);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.providers.filter(({ definition }) => definition.channel !== 'realtime');
}

const names = (env: Record<string, string>) => accounts(env).map(({ account }) => account);

function complaints(env: Record<string, string>): [setting: string, remedy: string][] {
  const parsed = parseSettings(env);
  return parsed.ok ? [] : parsed.problems.map(({ setting, remedy }) => [setting, remedy]);
}

describe('the accounts of a provider', () => {
  const MAIL = { SMTP_URL: 'smtp://one.example', SMTP_URL_2: 'smtp://two.example' };

  it('have the settings with a number behind them, and are named by it', () => {
    assert.deepEqual(names({ ...MAIL, SMTP_URL_9: 'smtp://nine.example' }), ['smtp', 'smtp-2', 'smtp-9']);
    assert.deepEqual(names({ SMTP_URL_3: 'smtp://three.example' }), ['smtp-3']);
    assert.deepEqual(names({ ...MAIL, SMTP_URL_2: '', SMTP_URL_10: 'smtp://x', SMTP_URL_1: 'smtp://x' }), [
      'smtp',
    ]);
  });

  it('go by the list of providers, then by number', () => {
    assert.deepEqual(names({ ...second(TWILIO), ...TWILIO, ...MAIL }), [
      'smtp',
      'smtp-2',
      'twilio',
      'twilio-2',
    ]);
  });

  it('take what they may leave out from the first', () => {
    const env = { ...MAIL, MAIL_FROM: 'a@b.example', SMTP_RATE: '7/1s', SMTP_URL_3: 'smtp://three.example' };
    const read = accounts({ ...env, MAIL_FROM_3: 'c@d.example', SMTP_RATE_3: 'off' });
    assert.deepEqual(
      read.map(({ settings, rate }) => [settings.SMTP_URL, settings.MAIL_FROM, rate].map(plain)),
      [
        ['one.example', 'a@b.example', 7],
        ['two.example', 'a@b.example', 7],
        ['three.example', 'c@d.example', null],
      ],
    );
  });

  it('never mix what makes an account: each needs its whole set', () => {
    const { TWILIO_AUTH_TOKEN: _, ...half } = TWILIO;
    assert.deepEqual(
      complaints({ ...TWILIO, ...second(half) }).map(([setting]) => setting),
      ['TWILIO_AUTH_TOKEN_2'],
    );
  });

  it('are told apart in what is wrong with them', () => {
    const wrong = { SMTP_URL: 'http://x', SMTP_URL_2: 'http://y', SMTP_RATE_2: '5' };
    assert.deepEqual(
      complaints(wrong).map(([setting]) => setting),
      ['SMTP_URL', 'SMTP_URL_2', 'SMTP_RATE_2'],
    );
    for (const [, remedy] of complaints(wrong)) assert.match(remedy, /^set it to /);
  });

  it('are opened each with their own settings, under their own names', async () => {
    const open = await openProviders(accounts({ ...MAIL, SMTP_RATE_2: '5/1s' }), NO_PORTS);
    assert.deepEqual(
      open.map(({ account, rate }) => [account, rate?.points ?? null]),
      [
        ['smtp', null],
        ['smtp-2', 5],
      ],
    );
    for (const { provider } of open) await provider.close();
  });
});

describe('the order of accounts', () => {
  const env = { SMTP_URL: 'smtp://one.example', SMTP_URL_2: 'smtp://two.example', ...TWILIO };

  it('can be set for each channel, and leaves out what it does not name', () => {
    assert.deepEqual(names({ ...env, EMAIL_PROVIDERS: ' smtp-2 , smtp' }), ['smtp-2', 'smtp', 'twilio']);
    assert.deepEqual(names({ ...env, EMAIL_PROVIDERS: 'smtp-2,smtp-2' }), ['smtp-2', 'twilio']);
    const parsed = parseSettings({ ...env, EMAIL_PROVIDERS: 'smtp-2' });
    assert.ok(parsed.ok);
    assert.deepEqual(
      parsed.unused.map(({ account }) => account),
      ['smtp'],
    );
  });

  for (const [setting, value, remedy] of [
    ['EMAIL_PROVIDERS', 'smtp,smtp-3', /smtp, smtp-2; any other account needs its own settings first/],
    ['EMAIL_PROVIDERS', 'twilio', /smtp, smtp-2;/],
    ['EMAIL_PROVIDERS', ',', /smtp, smtp-2;/],
    ['SMS_PROVIDERS', 'smtp', /set it to some of: twilio;/],
    ['PUSH_PROVIDERS', 'fcm', /take it away, or set up an account for push first/],
  ] as const) {
    it(`is refused when ${setting} is ${value}, with what to do`, () => {
      const [[name, said] = ['', ''], ...others] = complaints({ ...env, [setting]: value });
      assert.equal(name, setting);
      assert.match(said, remedy);
      assert.deepEqual(others, []);
    });
  }

  it('adds no complaint about an account whose own settings are wrong', () => {
    assert.deepEqual(
      complaints({ SMTP_URL: 'http://x', EMAIL_PROVIDERS: 'smtp' }).map(([setting]) => setting),
      ['SMTP_URL'],
    );
  });
});

/** The part of a setting that tells it apart. */
function plain(value: unknown): unknown {
  const read: { host?: unknown; address?: unknown; points?: unknown } = Object(value);
  return read.host ?? read.address ?? read.points ?? null;
}
