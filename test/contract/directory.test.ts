import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createDirectoryClient, type DirectoryAnswer, urlFor } from '@belfry/shared/directory/client.js';
import {
  type DirectoryScript,
  type DirectoryServer,
  drip,
  drop,
  endless,
  hang,
  saying,
  startDirectory,
  status,
} from '../support/directory-server.js';
import { waitFor } from '../support/wait.js';

/** Of a client that has to wait until then. */
const SOON_MS = 300;

describe('asking the user directory', () => {
  let server: DirectoryServer;
  before(async () => {
    server = await startDirectory();
  });
  after(() => server.stop());
  const client = ({ token, timeoutMs = 10_000 }: { token?: string; timeoutMs?: number } = {}) =>
    createDirectoryClient({ url: server.url, token, timeoutMs });
  /** What somebody answered with by a client that has not asked before. */
  const told = (script: DirectoryScript, timeoutMs?: number): Promise<DirectoryAnswer> => {
    server.tell('one', script);
    return client(timeoutMs === undefined ? {} : { timeoutMs })('one');
  };
  const nothing = { email: null, phone: null, locale: 'en', timezone: 'UTC', roles: [], active: true };

  it('is done with a token and for JSON, one person at a path', async () => {
    server.tell('a@b:c', { email: 'a@example.org' });
    await client({ token: 's3cret' })('a@b:c');
    const last = server.asked.at(-1);
    assert.equal(last?.path, '/api/v1/users/a%40b%3Ac');
    assert.equal(last?.headers.authorization, 'Bearer s3cret');
    assert.equal(last?.headers.accept, 'application/json');
    await client()('a@b:c');
    assert.equal(server.asked.at(-1)?.headers.authorization, undefined);
  });

  it('takes what it knows and leaves the rest', async () => {
    const full = {
      id: 'other',
      email: 'one@example.org',
      phone: '+251911000001',
      locale: 'am',
      timezone: 'Africa/Addis_Ababa',
      roles: ['admin'],
      active: false,
    };
    const { id: _, ...change } = full;
    assert.deepEqual(await told({ ...full, groups: ['x'], created_at: 7 }), { kind: 'found', change });
    assert.deepEqual(await told({}), { kind: 'found', change: nothing });
    const empty = { email: '', phone: null, locale: null, timezone: '', roles: null, active: null };
    assert.deepEqual(await told(empty), { kind: 'found', change: nothing });
    const spoken = { ...nothing, locale: 'om-ET' };
    assert.deepEqual(await told({ preferred_language: 'om_ET' }), { kind: 'found', change: spoken });
  });

  it('tells nobody from nothing, whatever the status', async () => {
    for (const code of [404, 410]) assert.deepEqual(await told(status(code)), { kind: 'unknown' });
    const others = [201, 202, 204, 301, 302, 307, 308, 400, 401, 403, 405, 406, 408, 409, 418, 422, 429];
    for (const code of [...others, 500, 501, 502, 503, 504, 599]) {
      const location = { location: `${server.url.replace('{id}', 'elsewhere')}` };
      const bare: DirectoryScript = (_req, res) => void res.writeHead(code, location).end();
      const asked = server.asked.length;
      assert.deepEqual(await told(code === 204 ? bare : status(code, location)), {
        kind: 'down',
        why: `status-${code}`,
      });
      assert.equal(server.asked.length, asked + 1, `${code} is not followed`);
    }
  });

  it('takes no answer for a person that is not one', async () => {
    const wrong: Readonly<Record<string, string>> = {
      '': 'no-json',
      '{': 'no-json',
      '<html>': 'no-json',
      '\u0000': 'no-json',
      '[]': 'field-',
      null: 'field-',
      '"x"': 'field-',
      '{"email":"x"}': 'field-email',
      '{"email":["a@example.org"]}': 'field-email',
      '{"phone":"0911"}': 'field-phone',
      '{"phone":251911000001}': 'field-phone',
      '{"locale":"not a locale"}': 'field-locale',
      '{"timezone":"Mars/Olympus"}': 'field-timezone',
      '{"roles":"admin"}': 'field-roles',
      '{"active":"no"}': 'field-active',
      '{"active":0,"email":"x"}': 'field-email,field-active',
      '{"email":"a@example.org\\u0000"}': 'field-email',
    };
    for (const [text, why] of Object.entries(wrong))
      assert.deepEqual(await told(saying(text)), { kind: 'down', why }, text);
    assert.deepEqual(await told(saying(`{"email":"a@example.org","x":"${'x'.repeat(70_000)}"}`)), {
      kind: 'down',
      why: 'too-large',
    });
  });

  it('has a deadline, for the whole answer', async () => {
    for (const script of [hang, drip]) {
      const since = performance.now();
      assert.deepEqual(await told(script, SOON_MS), { kind: 'down', why: 'timeout' });
      assert.ok(performance.now() - since >= SOON_MS - 20);
    }
    assert.deepEqual(await told(endless), { kind: 'down', why: 'too-large' });
    assert.deepEqual(await told(drop), { kind: 'down', why: 'unreachable' });
    const gone = await startDirectory();
    await gone.stop();
    const ask = createDirectoryClient({ url: gone.url, token: undefined, timeoutMs: 10_000 });
    assert.deepEqual(await ask('one'), { kind: 'down', why: 'unreachable' });
  });

  it('lets a directory that fails rest, and tries it again', async () => {
    const ask = client();
    server.tell('well', { email: 'well@example.org' });
    for (let n = 0; n < 5; n += 1) {
      server.tell(`bad-${n}`, status(500));
      await ask(`bad-${n}`);
    }
    const asked = server.asked.length;
    assert.deepEqual(await ask('well'), { kind: 'down', why: 'resting' });
    assert.equal(server.asked.length, asked, 'it is not asked');
    await waitFor(async () => (await ask('well')).kind === 'found', { what: 'the rest to be over' });
  });

  it('does not take one bad record, nor a strange id, for a bad directory', async () => {
    const ask = client();
    server.tell('broken', { email: 'x' });
    server.tell('strange', status(400));
    for (let n = 0; n < 10; n += 1) {
      await ask('broken');
      await ask('strange');
    }
    server.tell('well', { email: 'well@example.org' });
    assert.equal((await ask('well')).kind, 'found');
  });

  it('of a thousand at once is bounded, in number and in time', async () => {
    const busy = await startDirectory();
    busy.others((_req, res) => void setTimeout(() => res.writeHead(404).end(), 20));
    const ask = createDirectoryClient({ url: busy.url, token: undefined, timeoutMs: 1_000 });
    const ids = Array.from({ length: 1_000 }, (_, n) => `p${n}`);
    const since = performance.now();
    const answers = await Promise.all(ids.map((id) => ask(id)));
    // On a busy machine some have waited too long for their turn, and are told so.
    assert.ok(answers.some(({ kind }) => kind === 'unknown'));
    assert.ok(busy.atOnce() > 1 && busy.atOnce() <= 32, `${busy.atOnce()} at once`);
    busy.others(hang);
    const asked = busy.asked.length;
    const late = await Promise.all(ids.map((id) => ask(`h${id}`)));
    assert.ok(late.every(({ kind }) => kind === 'down'));
    assert.ok(busy.asked.length - asked <= 64, 'most of them did not even ask');
    assert.ok(
      performance.now() - since < 20_000,
      'nobody waited longer than the turn and the answer may take',
    );
    await busy.stop();
  });

  it('fills the id into the address, and cannot be led astray by it', () => {
    const table: readonly (readonly [string, string, string | null])[] = [
      ['https://x.example/users/{id}', 'abebe', 'https://x.example/users/abebe'],
      ['https://x.example/users/{id}/card?full=1', 'a@b', 'https://x.example/users/a%40b/card?full=1'],
      ['https://x.example/find?id={id}', 'a:b', 'https://x.example/find?id=a%3Ab'],
      ['https://x.example/users', 'abebe', 'https://x.example/users/abebe'],
      ['https://x.example/users/', 'abebe', 'https://x.example/users/abebe'],
      ['https://x.example', 'abebe', 'https://x.example/abebe'],
      ['https://x.example/users?key=7', 'abebe', 'https://x.example/users/abebe?key=7'],
      ['https://x.example/users/{id}', '.', null],
      ['https://x.example/users/{id}', '..', null],
      ['https://x.example/users', '..', null],
      ['https://x.example/users/{id}', '...', 'https://x.example/users/...'],
    ];
    for (const [template, id, wanted] of table) {
      const url = urlFor(template, id);
      assert.equal(url, wanted);
      if (url !== null)
        assert.ok(new URL(url).pathname.startsWith(new URL(template).pathname.split('%7B')[0] ?? ''));
    }
  });
});
