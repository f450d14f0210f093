import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readSettings, SettingsError } from '@belfry/shared/config/read.js';
import {
  apiFields,
  apiSettings,
  fleetFields,
  fleetSettings,
  tokenSettings,
  workerFields,
  workerSettings,
} from '@belfry/shared/config/settings.js';
import type { z } from 'zod';

const CANARY = 'canary-4711';
const GOOD = { DATABASE_URL: 'postgres://belfry@localhost/belfry', JWT_SECRET: 'x'.repeat(32) };

/** The names of the settings that stand in the way, in the order in which they are told. */
function complaints(shape: z.ZodType, env: Record<string, string>): string[] {
  return problems(shape, env).map((problem) => problem.split(' ')[0] ?? '');
}

function problems(shape: z.ZodType, env: Record<string, string>): readonly string[] {
  try {
    readSettings(shape, env);
    return [];
  } catch (error) {
    assert.ok(error instanceof SettingsError, String(error));
    for (const problem of error.problems) assert.ok(error.message.includes(problem));
    return error.problems;
  }
}

describe('the settings', () => {
  it('need nothing but a ledger, and a secret where tokens are checked', () => {
    assert.deepEqual(complaints(fleetSettings, {}), ['DATABASE_URL']);
    assert.deepEqual(complaints(workerSettings, {}), ['DATABASE_URL']);
    assert.deepEqual(complaints(tokenSettings, {}), ['JWT_SECRET']);
    assert.deepEqual(complaints(apiSettings, GOOD), []);
  });

  it('have the defaults that the documents promise', () => {
    const read = { ...readSettings(apiSettings, GOOD), ...readSettings(workerSettings, GOOD) };
    const promised = {
      PORT: 3000,
      ALGORITHM: 'HS256',
      ACCESS_TOKEN_EXPIRE_MINUTES: 30,
      RATE_LIMIT: { points: 1000, seconds: 60 },
      RATE_LIMIT_SEND: { points: 10, seconds: 60 },
      WORKER_QUEUES: '*',
      MAX_ATTEMPTS: 3,
      RETRY_BASE_MS: 1000,
      SWEEP_INTERVAL_MS: 15_000,
      RETRY_SWEEP_MS: 300_000,
    };
    assert.deepEqual(
      Object.fromEntries(Object.keys(promised).map((name) => [name, Reflect.get(read, name)])),
      promised,
    );
  });

  it('are told all together when they are wrong, each once', () => {
    const wrong = {
      PORT: '70000',
      REDIS_URL: 'localhost:6379',
      RATE_LIMIT: '10',
      MAX_ATTEMPTS: '0',
      LOG_LEVEL: 'loud',
      MIGRATE: 'yes',
    };
    // The rules between settings count among them: without a secret no token can be checked.
    const wanted = ['DATABASE_URL', 'JWT_SECRET', ...Object.keys(wrong)];
    assert.deepEqual(complaints(apiSettings, wrong).sort(), wanted.sort());
  });

  it('never show what was found, since it may be a secret', () => {
    const names = Object.keys({ ...fleetFields, ...apiFields, ...workerFields });
    const env = Object.fromEntries(names.map((name) => [name, CANARY]));
    const told = [...problems(apiSettings, env), ...problems(workerSettings, env)];
    assert.ok(told.length > names.length / 2);
    for (const problem of told) assert.ok(!problem.includes(CANARY), problem);
    const url = `mysql://root:${CANARY}@db/${CANARY}`;
    for (const problem of problems(apiSettings, {
      ...GOOD,
      DATABASE_URL: url,
      REDIS_URL: url,
      JWKS_URL: url,
    }))
      assert.ok(!problem.includes(CANARY), problem);
  });

  it('count as left out when they are empty', () => {
    const read = readSettings(apiSettings, { ...GOOD, REDIS_URL: '', PORT: '', JWT_ISSUER: '' });
    assert.deepEqual([read.REDIS_URL, read.PORT, read.JWT_ISSUER], [undefined, 3000, undefined]);
    assert.deepEqual(complaints(apiSettings, { ...GOOD, DATABASE_URL: '' }), ['DATABASE_URL']);
  });

  it('ask for keys with an asymmetric algorithm, and for no secret', () => {
    const { JWT_SECRET: _, ...keyless } = GOOD;
    assert.deepEqual(complaints(apiSettings, { ...keyless, ALGORITHM: 'RS256' }), ['JWKS_URL']);
    assert.deepEqual(
      complaints(apiSettings, { ...keyless, ALGORITHM: 'ES256', JWKS_URL: 'https://id.example/keys' }),
      [],
    );
    assert.deepEqual(complaints(apiSettings, { ...GOOD, ALGORITHM: 'none' }), ['ALGORITHM']);
    assert.deepEqual(complaints(apiSettings, { ...GOOD, JWT_SECRET: 'x'.repeat(15) }), ['JWT_SECRET']);
    assert.deepEqual(complaints(apiSettings, { JWT_SECRET: 'x' }), ['DATABASE_URL', 'JWT_SECRET']);
    assert.deepEqual(complaints(apiSettings, { PORT: 'x', ALGORITHM: 'none' }), [
      'DATABASE_URL',
      'PORT',
      'ALGORITHM',
    ]);
  });

  for (const [name, value] of [
    ['PORT', '-1'],
    ['PORT', '80.5'],
    ['PORT', '0x50'],
    ['PORT', ' 80'],
    ['MAX_ATTEMPTS', '101'],
    ['MAX_ATTEMPTS', '1e1'],
    ['RATE_LIMIT', '0/60s'],
    ['RATE_LIMIT', '10/60'],
    ['RATE_LIMIT', '10/0s'],
    ['RATE_LIMIT', 'OFF'],
    ['DATABASE_URL', 'http://localhost'],
    ['DATABASE_URL', 'postgres:///belfry'],
    ['REDIS_URL', 'redis'],
  ] as const) {
    it(`refuse ${name}=${value}`, () =>
      assert.deepEqual(complaints(apiSettings, { ...GOOD, [name]: value }), [name]));
  }

  it('take limits as points and seconds, or off', () => {
    const read = readSettings(apiSettings, { ...GOOD, RATE_LIMIT: 'off', RATE_LIMIT_SEND: '7/3600s' });
    assert.deepEqual([read.RATE_LIMIT, read.RATE_LIMIT_SEND], [null, { points: 7, seconds: 3600 }]);
  });

  it('give a channel its own concurrency where it has one', () => {
    const env = { ...GOOD, WORKER_CONCURRENCY: '5', WORKER_CONCURRENCY_SMS: '2' };
    const { concurrency } = readSettings(workerSettings, env);
    assert.deepEqual(concurrency, { realtime: 5, email: 5, sms: 2, push: 5, webhook: 5 });
  });

  it('of the MQTT door are told with all that is wrong, and never with a password', () => {
    const wrong = problems(apiSettings, {
      ...GOOD,
      MQTT_URL: `http://belfry:${CANARY}@broker`,
      MQTT_VERSION: '3.1',
      MQTT_NAME: 'a/b',
      MQTT_CA_FILE: '/nowhere/ca.pem',
      MQTT_RESPONSES: 'notifications/answers',
      MQTT_IDENTITIES:
        'users/#=a:internal, notifications/#=a:viewer, notifications/#=a b:user, notifications/x',
    });
    assert.deepEqual(
      wrong.map((problem) => problem.match(/^\S+|\(entry \d\)/g)?.join(' ')),
      [
        'MQTT_URL',
        'MQTT_VERSION',
        'MQTT_CA_FILE',
        'MQTT_NAME',
        'MQTT_IDENTITIES (entry 1)',
        'MQTT_IDENTITIES (entry 2)',
        'MQTT_IDENTITIES (entry 3)',
        'MQTT_IDENTITIES (entry 4)',
        'MQTT_RESPONSES',
      ],
    );
    assert.ok(!wrong.join().includes(CANARY));
    const good = { MQTT_IDENTITIES: 'notifications/alerts/+/fire=plc:1:Internal' };
    assert.deepEqual(readSettings(apiSettings, { ...GOOD, ...good }).MQTT_IDENTITIES, [
      { filter: 'notifications/alerts/+/fire', subject: 'plc:1', role: 'internal' },
    ]);
  });
});
