import assert from 'node:assert/strict';
import { createECDH } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parseSettings } from '@belfry/channels/providers.js';
import { fcm as definition } from '@belfry/channels/push/fcm.js';
import { startProcess } from '../support/process.js';
import { grant, keyFile, tokenServer } from './token-server.js';
import { VAPID } from './webpush-subject.js';

describe('the settings of Web Push', () => {
  const complaints = (change: Record<string, string>) => {
    const parsed = parseSettings({ ...VAPID, ...change });
    return parsed.ok ? [] : parsed.problems.map(({ setting }) => setting);
  };
  const pair = createECDH('prime256v1');
  pair.generateKeys();
  const other = { publicKey: pair.getPublicKey('base64url'), privateKey: pair.getPrivateKey('base64url') };
  for (const [change, wrong] of [
    [{}, []],
    [{ VAPID_SUBJECT: 'https://example.org/contact' }, []],
    [{ VAPID_SUBJECT: 'ops@example.org' }, ['VAPID_SUBJECT']],
    [{ VAPID_SUBJECT: 'http://example.org' }, ['VAPID_SUBJECT']],
    [{ VAPID_SUBJECT: '' }, ['VAPID_SUBJECT']],
    [{ VAPID_PUBLIC_KEY: other.publicKey }, ['VAPID_PRIVATE_KEY']],
    [{ VAPID_PRIVATE_KEY: other.privateKey }, ['VAPID_PRIVATE_KEY']],
    [{ VAPID_PUBLIC_KEY: other.publicKey, VAPID_PRIVATE_KEY: other.privateKey }, []],
    [{ VAPID_PUBLIC_KEY: 'x' }, ['VAPID_PUBLIC_KEY']],
    [{ VAPID_PUBLIC_KEY: Buffer.alloc(65, 4).toString('base64url') }, ['VAPID_PUBLIC_KEY']],
    [{ VAPID_PRIVATE_KEY: Buffer.alloc(32).toString('base64url') }, ['VAPID_PRIVATE_KEY']],
    [{ VAPID_PRIVATE_KEY: 'x' }, ['VAPID_PRIVATE_KEY']],
    [{ VAPID_PUBLIC_KEY: '', VAPID_PRIVATE_KEY: '' }, ['VAPID_PUBLIC_KEY', 'VAPID_PRIVATE_KEY']],
    [{ PUSH_ALLOW_ADDRESSES: 'localhost' }, ['PUSH_ALLOW_ADDRESSES']],
    [{ PUSH_ALLOW_ADDRESSES: '10.0.0.0/8 [fd00::1]:8443' }, []],
  ] as const)
    it(`are ${wrong.length === 0 ? 'taken' : `wrong in ${wrong.join(' and ')}`} with ${JSON.stringify(change)}`, () =>
      assert.deepEqual(complaints(change), wrong));

  it('may have a second pair of keys, for subscriptions of before', () => {
    const parsed = parseSettings({
      ...VAPID,
      VAPID_SUBJECT_2: VAPID.VAPID_SUBJECT,
      VAPID_PUBLIC_KEY_2: other.publicKey,
      VAPID_PRIVATE_KEY_2: other.privateKey,
    });
    assert.ok(parsed.ok);
    assert.deepEqual(
      parsed.providers.map(({ account }) => account).filter((name) => name.startsWith('webpush')),
      ['webpush', 'webpush-2'],
    );
  });

  it('are what npm run vapid prints, other ones each time', async () => {
    const printed = async () => {
      const made = await startProcess('apps/api/bundle/commands/vapid.js', {}, { readyMessage: false });
      assert.equal((await made.exited).code, 0, made.stderr.join('\n'));
      return Object.fromEntries(made.stdout.map((line) => line.split('=', 2)));
    };
    const [first, second] = await Promise.all([printed(), printed()]);
    assert.deepEqual(Object.keys(first), ['VAPID_PUBLIC_KEY', 'VAPID_PRIVATE_KEY']);
    for (const keys of [first, second]) assert.deepEqual(complaints(keys), []);
    assert.notDeepEqual(first, second);
  });
});

describe('the settings of FCM', () => {
  const good = JSON.stringify(keyFile('https://oauth2.example/token'));
  const complaints = (env: Record<string, string>) => {
    const parsed = parseSettings(env);
    return parsed.ok ? [] : parsed.problems.map(({ setting }) => setting);
  };
  let dir = '';
  before(() => {
    dir = mkdtempSync(path.join(tmpdir(), 'fcm-'));
  });
  after(() => rmSync(dir, { recursive: true }));

  it('take a key file by its path and by its text', () => {
    const file = path.join(dir, 'key.json');
    writeFileSync(file, good);
    for (const given of [file, good, ` \n${good}`])
      assert.deepEqual(complaints({ FCM_CREDENTIALS: given }), []);
  });

  it('refuse what is none, without a word of it', () => {
    const change = (more: object) => JSON.stringify({ ...JSON.parse(good), ...more });
    for (const wrong of [
      path.join(dir, 'absent.json'),
      dir,
      '{',
      '{}',
      '[]',
      change({ type: 'authorized_user' }),
      change({ private_key: 'canary' }),
      change({ private_key: undefined }),
      change({ project_id: '../x' }),
      change({ token_uri: 'ftp://x' }),
      change({ client_email: '' }),
    ]) {
      const parsed = parseSettings({ FCM_CREDENTIALS: wrong });
      assert.ok(!parsed.ok, wrong);
      assert.deepEqual(
        parsed.problems.map(({ setting }) => setting),
        ['FCM_CREDENTIALS'],
      );
      assert.ok(!JSON.stringify(parsed.problems).includes('canary'));
    }
    assert.deepEqual(complaints({ FCM_CREDENTIALS: good, FCM_BASE_URL: 'fcm' }), ['FCM_BASE_URL']);
  });

  it('can be proved without sending anything', async () => {
    const server = await tokenServer(() => grant());
    const probed = (uri: string) => {
      const settings = definition.settings.parse({ FCM_CREDENTIALS: JSON.stringify(keyFile(uri)) });
      return definition.probe?.(settings);
    };
    const answer = await probed(server.url);
    assert.equal(answer?.kind, 'answers');
    // Whoever answers is named: it need not be Google.
    assert.ok(
      answer?.finding?.startsWith(`${new URL(server.url).host} takes the service account of project `),
    );
    server.close();
    assert.equal((await probed(server.url))?.kind, 'unreachable');
    const refusing = await tokenServer(
      () => (_request, _form, response) => void response.writeHead(400).end(),
    );
    assert.equal((await probed(refusing.url))?.kind, 'refuses');
    refusing.close();
  });
});
