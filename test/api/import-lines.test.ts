import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { useFleet } from '../support/fleet.js';
import { type Answer, items, type Json } from '../support/http.js';

describe('the lines of an import', () => {
  const fleet = useFleet({ engine: 'postgres', workers: [] });
  const send = (body: string | Uint8Array): Promise<Answer> =>
    fleet().call('POST', '/users/import', body, { headers: { 'content-type': 'application/x-ndjson' } });
  const lines = (...people: readonly unknown[]) => people.map((one) => JSON.stringify(one)).join('\n');
  const get = (id: string) => fleet().call('GET', `/users/${id}`);

  async function good(body: string | Uint8Array): Promise<Json> {
    const answer = await send(body);
    assert.equal(answer.status, 200, answer.text);
    return answer.body;
  }

  test('a wrong line is refused by its number with what is wrong, and harms no other', async () => {
    const long = JSON.stringify({ id: 'long', note: 'x'.repeat(65_536) });
    const deep = `{"id":"deep","note":${'['.repeat(33)}${']'.repeat(33)}}`;
    const wrong: readonly (readonly [string | Uint8Array, string, RegExp, string?])[] = [
      ['{', '', /JSON object/],
      ['[]', '', /JSON object/],
      ['null', '', /JSON object/],
      ['"text"', '', /JSON object/],
      ['{"id":"a"}{"id":"b"}', '', /JSON object/],
      ['{}', 'id', /is required/],
      ['{"id":7}', 'id', /a string/],
      ['{"id":"a b"}', 'id', /1 to 128/],
      ['{"id":"a\\u0000b"}', 'id', /NUL/],
      ['{"id":"nul","note":"\\u0000"}', 'note', /NUL/, 'nul'],
      ['{"id":"half","locale":"\\ud800"}', 'locale', /surrogate/, 'half'],
      ['{"id":"proto","__proto__":{"active":false}}', '__proto__', /not an allowed name/, 'proto'],
      ['{"id":"under","preferences":{"__proto__":true}}', 'preferences.__proto__', /allowed/, 'under'],
      [deep, `note${'.0'.repeat(31)}`, /nested deeper/, 'deep'],
      [
        `{"id":"abyss","n":${'['.repeat(30_000)}${']'.repeat(30_000)}}`,
        `n${'.0'.repeat(31)}`,
        /deeper/,
        'abyss',
      ],
      [long, '', /at most 65536 bytes/],
      [Buffer.from('{"id":"latin","note":"\xe9"}', 'latin1'), '', /UTF-8/],
      [Buffer.from('\u0000'), '', /JSON object/],
      ['{"id":"mail","email":"x"}', 'email', /email address/, 'mail'],
      ['{"id":"tel","phone":"0911"}', 'phone', /E\.164/, 'tel'],
      ['{"id":"lang","locale":"en_US"}', 'locale', /BCP 47/, 'lang'],
      ['{"id":"zone","timezone":"Mars/Olympus"}', 'timezone', /IANA/, 'zone'],
      ['{"id":"roles","roles":"admin"}', 'roles', /an array/, 'roles'],
      ['{"id":"group","groups":["a",7]}', 'groups.1', /a string/, 'group'],
      ['{"id":"active","active":"yes"}', 'active', /true or false/, 'active'],
      [`{"id":"fax","preferences":{"fax":true}}`, 'preferences.fax', /no channel/, 'fax'],
      ['{"id":"empty","preferences":{}}', 'preferences', /at least one/, 'empty'],
      ['{"id":"hook","webhook_url":"ftp://x.example"}', 'webhook_url', /URL/, 'hook'],
    ];
    const body = Buffer.concat(
      wrong.flatMap(([line], n) => [Buffer.from(line), Buffer.from(`\n{"id":"well-${n}"}\n`)]),
    );
    const told = await good(body);
    assert.equal(told.created, wrong.length, JSON.stringify(told));
    assert.equal(told.refused_count, wrong.length);
    const refused = items(told.refused);
    assert.deepEqual(
      refused.map(({ line }) => Number(line)),
      wrong.map((_, n) => 2 * n + 1),
    );
    wrong.forEach(([line, path, message, id], n) => {
      const [error] = items(refused[n]?.errors);
      const what = String(line).slice(0, 80);
      assert.equal(error?.path, path, what);
      assert.match(String(error?.message), message, what);
      assert.equal(refused[n]?.id, id, what);
    });
    assert.equal((await get('proto')).status, 404);
    assert.equal((await get('long')).status, 404);
  });

  test('the list of refused lines has an end, and so has what is said about one line', async () => {
    const bad = lines(...Array.from({ length: 640 }, () => ({ id: 'x y' })));
    const told = await good(bad);
    assert.deepEqual([told.refused_count, items(told.refused).length, told.refused_omitted], [640, 100, 540]);
    const groups = Array.from({ length: 900 }, () => 'a b');
    const many = await good(lines({ id: 'a', groups, ['x'.repeat(30_000)]: 1 }));
    assert.equal(items(items(many.refused)[0]?.errors).length, 10);
    const name = JSON.stringify({ id: 'a', preferences: { ['x'.repeat(60_000)]: true } });
    assert.ok((await send(name)).text.length < 1_000);
  });

  test('whatever is in a line, the others are imported and no answer is a 5xx', async () => {
    const field = fc.constantFrom(
      'email',
      'phone',
      'locale',
      'timezone',
      'roles',
      'active',
      'groups',
      'preferences',
      'webhook_url',
      '__proto__',
      'constructor',
    );
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 3 }),
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.constantFrom('\u0000', '\ud800', 'a@b.example', '+251911000001', 'en', 'UTC', true, null, ['g']),
    );
    const person = fc.dictionary(field, value, { maxKeys: 4 }).map((one) => ({ ...one, id: 'fuzzed' }));
    const noise = fc.oneof(
      person.map((one) => Buffer.from(JSON.stringify(one))),
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 10))),
      fc.string({ unit: 'binary', maxLength: 40 }).map((text) => Buffer.from(text.replaceAll('\n', ' '))),
    );
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(noise, { minLength: 1, maxLength: 40 }), async (some) => {
        round += 1;
        const parts = some.flatMap((bytes, n) => [bytes, Buffer.from(`\n{"id":"sound-${round}-${n}"}\n`)]);
        const told = await good(Buffer.concat(parts));
        const taken = Number(told.imported) + Number(told.refused_count);
        assert.equal(taken, Number(told.lines));
        const { rows } = await fleet().database.query<{ count: number }>(
          `SELECT count(*)::int AS count FROM person WHERE id LIKE 'sound-${round}-%'`,
        );
        assert.equal(rows[0]?.count, some.length);
      }),
      { numRuns: 60, seed: 20261125 },
    );
  });

  test('after all that nothing went wrong inside', () => {
    assert.deepEqual(
      fleet()
        .logs()
        .filter((line) => /"level":"(error|fatal)"/.test(line)),
      [],
    );
  });
});
