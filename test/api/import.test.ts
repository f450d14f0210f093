import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { useFleet } from '../support/fleet.js';
import type { Answer, Json } from '../support/http.js';
import { auditOf } from './audit-rows.js';
import { writesNothing } from './ledger-rows.js';
import { assertProblem } from './problem.js';

const NDJSON = 'application/x-ndjson';

describe('importing people', () => {
  const fleet = useFleet({ engine: 'postgres', workers: [], env: { LOG_LEVEL: 'trace' } });

  const send = (
    body: string | Uint8Array | undefined,
    headers: Record<string, string> = {},
  ): Promise<Answer> =>
    fleet().call('POST', '/users/import', body, { headers: { 'content-type': NDJSON, ...headers } });
  const lines = (...people: readonly unknown[]) => people.map((one) => JSON.stringify(one)).join('\n');
  const get = async (id: string) => (await fleet().call('GET', `/users/${id}`)).body;

  async function good(body: string | Uint8Array, headers?: Record<string, string>): Promise<Json> {
    const answer = await send(body, headers);
    assert.equal(answer.status, 200, answer.text);
    return answer.body;
  }

  test('makes and changes people as PUT would, and says how many', async () => {
    await fleet().person('there', { email: 'there@example.org', phone: '+251911000009', groups: ['g', 'h'] });
    const full = {
      id: 'full',
      email: 'full@example.org',
      phone: '+251911000001',
      locale: 'am',
      timezone: 'Africa/Addis_Ababa',
      roles: ['admin'],
      active: false,
      groups: ['b', 'a', 'a'],
      preferences: { sms: true, email: false },
      webhook_url: 'https://hooks.example.org/x',
    };
    const told = await good(lines(full, { id: 'bare' }, { id: 'there', phone: null, groups: ['h', 'i'] }));
    const { import_id, ...rest } = told;
    assert.match(String(import_id), /^[0-9a-f-]{36}$/);
    assert.deepEqual(rest, {
      lines: 3,
      imported: 3,
      created: 2,
      updated: 1,
      refused_count: 0,
      refused: [],
      refused_omitted: 0,
    });
    const { created_at: _, updated_at: __, ...stored } = await get('full');
    const { preferences: ___, ...shown } = full;
    assert.deepEqual(stored, { ...shown, groups: ['a', 'b'] });
    const wishes = (await fleet().call('GET', '/users/full/preferences')).body;
    assert.deepEqual([wishes.sms, wishes.email, wishes.push], [true, false, true]);
    const bare = await get('bare');
    assert.deepEqual([bare.email, bare.locale, bare.timezone, bare.active], [null, 'en', 'UTC', true]);
    const there = await get('there');
    assert.equal(there.email, 'there@example.org', 'what is left out stays');
    assert.equal(there.phone, null);
    assert.deepEqual(there.groups, ['h', 'i']);
    const again = await good(lines(full, { id: 'bare' }));
    assert.deepEqual([again.created, again.updated], [0, 2], 'it can be repeated');
    assert.deepEqual((await get('full')).groups, ['a', 'b']);
  });

  test('takes bodies however they are cut, packed and ended', async () => {
    const people = Array.from({ length: 1_203 }, (_, n) => ({ id: `many-${n}`, locale: 'om' }));
    const text = lines(...people);
    assert.equal((await good(text)).created, 1_203);
    const told = [
      await good(`\ufeff${text}`),
      await good(`${people.map((one) => JSON.stringify(one)).join('\r\n')}\r\n\r\n \t\n`),
      await good(gzipSync(text), { 'content-encoding': 'gzip' }),
      await good(deflateSync(text), { 'content-encoding': 'deflate' }),
      await good(brotliCompressSync(text), { 'content-encoding': 'br' }),
      await good(Buffer.concat([gzipSync(text.slice(0, 999)), gzipSync(text.slice(999))]), {
        'content-encoding': 'gzip',
      }),
    ];
    for (const one of told) assert.deepEqual([one.created, one.updated, one.refused_count], [0, 1_203, 0]);
    for (const body of ['', '\n\n', undefined]) {
      const nothing = await send(body);
      assert.equal(nothing.status, 200, nothing.text);
      assert.equal(nothing.body.imported, 0);
    }
  });

  test('the later line of one id wins, within a chunk and across chunks', async () => {
    const between = Array.from({ length: 700 }, (_, n) => ({ id: `between-${n}` }));
    const first = { id: 'twice', email: 'first@example.org', locale: 'am', preferences: { sms: true } };
    const near = { id: 'twice', email: 'second@example.org', groups: ['x'], preferences: { push: false } };
    const far = { id: 'twice', email: null, timezone: 'Africa/Addis_Ababa' };
    const told = await good(lines(first, near, ...between, far));
    assert.deepEqual([told.created, told.updated, told.lines], [701, 2, 703]);
    const { email, locale, timezone, groups } = await get('twice');
    assert.deepEqual(
      { email, locale, timezone, groups },
      { email: null, locale: 'am', timezone: 'Africa/Addis_Ababa', groups: ['x'] },
    );
    const wishes = (await fleet().call('GET', '/users/twice/preferences')).body;
    assert.deepEqual([wishes.sms, wishes.push], [true, false]);
  });

  test('told line by line: progress after every chunk, every refused line, and at last the whole', async () => {
    const people = Array.from({ length: 1_100 }, (_, n) => ({
      id: n % 500 === 3 ? 'not good' : `told-${n}`,
    }));
    const answer = await send(lines(...people), { accept: NDJSON });
    assert.equal(answer.status, 200);
    assert.match(answer.headers.get('content-type') ?? '', /^application\/x-ndjson/);
    const said = answer.text
      .trim()
      .split('\n')
      .map((line): Json => JSON.parse(line));
    assert.deepEqual(
      said.map(({ type }) => String(type)),
      ['refused', 'progress', 'refused', 'progress', 'refused', 'summary'],
    );
    assert.deepEqual(
      said.filter(({ type }) => String(type) === 'refused').map(({ line }) => Number(line)),
      [4, 504, 1_004],
    );
    const progress = said.filter(({ type }) => String(type) === 'progress');
    assert.deepEqual(
      progress.map(({ lines, imported, refused_count }) => [lines, imported, refused_count]),
      [
        [500, 499, 1],
        [1_000, 998, 2],
      ],
    );
    const { import_id, ...last } = said.at(-1) ?? {};
    assert.match(String(import_id), /^[0-9a-f-]{36}$/);
    const counts = { lines: 1_100, imported: 1_097, created: 1_097, updated: 0, refused_count: 3 };
    assert.deepEqual(last, { type: 'summary', ...counts, complete: true });
  });

  test('a body of another kind is not taken', async () => {
    await writesNothing(fleet(), async () => {
      const good = lines({ id: 'kind' });
      for (const type of ['application/json', 'text/plain', 'text/csv', ';', '*/*'])
        assertProblem(await send(good, { 'content-type': type }), 415);
      for (const encoding of ['zstd', 'compress', 'gzip, gzip', '__proto__', 'toString'])
        assertProblem(await send(good, { 'content-encoding': encoding }), 415);
      for (const body of [good, gzipSync(good).subarray(0, -6), Buffer.alloc(10)])
        assertProblem(await send(body, { 'content-encoding': 'gzip' }), 422, { code: 'invalid_encoding' });
    });
    for (const type of ['APPLICATION/X-NDJSON; charset=utf-8', 'application/ndjson', 'application/jsonl'])
      assert.equal((await send(lines({ id: 'kind' }), { 'content-type': type })).status, 200, type);
  });

  test('what stops it in the middle is told with how far it came, and what was committed stays', async () => {
    const people = lines(...Array.from({ length: 8_000 }, (_, n) => ({ id: `kept-${n}` })));
    const packed = gzipSync(people);
    const torn = Buffer.concat([packed.subarray(0, -8), Buffer.from('garbage!')]);
    const answer = await send(torn, { 'content-encoding': 'gzip' });
    assertProblem(answer, 422, { code: 'invalid_encoding' });
    const kept = Number(answer.body.created);
    assert.ok(kept >= 500 && kept % 500 === 0, answer.text);
    assert.equal((await get(`kept-${kept - 1}`)).id, `kept-${kept - 1}`);
    assert.equal((await get(`kept-${kept}`)).status, 404);
    const [ended, begun] = await auditOf(fleet(), 'person.import');
    assert.equal(begun?.target, `import:${answer.body.import_id}`);
    assert.deepEqual(begun?.details, { state: 'begun' });
    assert.equal(ended?.target, begun?.target);
    assert.deepEqual(ended?.details, { state: 'broken_off', created: kept, updated: 0, refused: 0 });
    const streamed = await send(torn, { 'content-encoding': 'gzip', accept: NDJSON });
    assert.equal(streamed.status, 200);
    const last: Json = JSON.parse(streamed.text.trim().split('\n').at(-1) ?? '');
    assert.deepEqual([last.complete, last.updated], [false, kept]);
    assert.equal(last.problem?.status, 422);
    assert.equal((await good(people)).created, 8_000 - kept, 'repeating it finishes it');
  });

  test('it is for administrators', async () => {
    await writesNothing(fleet(), async () => {
      const headers = { 'content-type': NDJSON };
      const body = lines({ id: 'role' });
      const ask = (as: 'internal' | 'user' | null) =>
        fleet().call('POST', '/users/import', body, { as, headers });
      assertProblem(await ask(null), 401);
      for (const as of ['internal', 'user'] as const) assertProblem(await ask(as), 403);
    });
  });

  test('nothing went wrong inside, and no id or address is in the log', () => {
    const logs = fleet().logs();
    assert.deepEqual(
      logs.filter((line) => /"level":"(error|fatal)"|full@example|many-7|told-/.test(line)),
      [],
    );
  });
});
