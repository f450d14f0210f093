import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { describe, it } from 'node:test';
import { readSettings } from '@belfry/shared/config/read.js';
import { apiSettings } from '@belfry/shared/config/settings.js';
import {
  hashPassword,
  isPassword,
  isPasswordHash,
  LONGEST_PASSWORD,
} from '@belfry/shared/domain/password.js';
import { ROOT } from '../support/process.js';

const PASSWORD = 'pässword for a test';
/** Costs as little as the settings take. */
const QUICK = { ln: 14, r: 8, p: 1 };
const needed = { DATABASE_URL: 'postgres://localhost/x', JWT_SECRET: 'x'.repeat(32) };

describe('the hash of a password', () => {
  it('fits its password alone, and never comes out the same', async () => {
    const [one, two] = [await hashPassword(PASSWORD, QUICK), await hashPassword(PASSWORD, QUICK)];
    assert.notEqual(one, two);
    for (const hash of [one, two]) {
      assert.ok(isPasswordHash(hash));
      assert.doesNotMatch(hash, /[$"'\s]/, 'it needs no quotes anywhere');
      assert.equal(await isPassword(PASSWORD, hash), true);
      // Typed on another keyboard: the same character in two code points.
      assert.equal(await isPassword(PASSWORD.normalize('NFD'), hash), true);
      for (const wrong of ['', 'password for a test', `${PASSWORD} `, hash])
        assert.equal(await isPassword(wrong, hash), false);
    }
  });

  it('is not looked for in a password that is too long', async () => {
    const long = 'p'.repeat(LONGEST_PASSWORD + 1);
    assert.equal(await isPassword(long, await hashPassword(long, QUICK)), false);
  });

  it('is refused when it is no hash, or one that would cost too much or too little', async () => {
    const good = await hashPassword(PASSWORD);
    assert.deepEqual(
      readSettings(apiSettings, { ...needed, ADMIN_PASSWORD_HASH: good }).ADMIN_PASSWORD_HASH,
      good,
    );
    for (const bad of [
      PASSWORD,
      good.slice(0, -1),
      `${good}x`,
      good.replace('ln=15', 'ln=10'),
      good.replace('ln=15', 'ln=24'),
      good.replace('p=3', 'p=99'),
      good.replace('r=8', 'r=0'),
      good.replaceAll(':', '$'),
    ])
      for (const name of ['ADMIN_PASSWORD_HASH', 'VIEWER_PASSWORD_HASH'])
        assert.throws(
          () => readSettings(apiSettings, { ...needed, [name]: bad }),
          (error: Error) => {
            assert.match(
              error.message,
              new RegExp(`${name} must be a line that "npm run password-hash" has printed`),
            );
            assert.ok(!error.message.includes(bad), 'what was written there is not repeated');
            return true;
          },
        );
  });

  it('asks for SESSION_SECRET where tokens come from an identity provider', async () => {
    const elsewhere = { ...needed, ALGORITHM: 'ES256', JWKS_URL: 'https://id.example.org/keys' };
    const ADMIN_PASSWORD_HASH = await hashPassword(PASSWORD, QUICK);
    assert.throws(
      () => readSettings(apiSettings, { ...elsewhere, ADMIN_PASSWORD_HASH }),
      /SESSION_SECRET is required/,
    );
    readSettings(apiSettings, elsewhere);
    readSettings(apiSettings, { ...elsewhere, ADMIN_PASSWORD_HASH, SESSION_SECRET: 's'.repeat(32) });
  });

  it('is what the command prints for a password on its stdin, and nothing else', async () => {
    const run = (input: string) =>
      spawnSync(process.execPath, [path.join(ROOT, 'apps/api/bundle/commands/password-hash.js')], {
        input,
        encoding: 'utf8',
        timeout: 30_000,
      });
    const { status, stdout, stderr } = run(`${PASSWORD}\n`);
    assert.deepEqual([status, stderr], [0, '']);
    assert.equal(await isPassword(PASSWORD, stdout.trim()), true);
    for (const [input, sentence] of [
      ['short\n', /at least 12 characters/],
      [`${'p'.repeat(LONGEST_PASSWORD + 1)}\n`, /at most 1024 bytes/],
      ['', /no password on stdin/],
    ] as const) {
      const refused = run(input);
      assert.equal(refused.status, 1);
      assert.equal(refused.stdout, '');
      assert.match(refused.stderr, sentence);
    }
  });
});
