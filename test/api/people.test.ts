import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { useFleet } from '../support/fleet.js';
import { type Answer, items } from '../support/http.js';
import { writesNothing } from './ledger-rows.js';
import { assertProblem } from './problem.js';

describe('people and what they wish', () => {
  const fleet = useFleet({ engine: 'postgres', workers: [] });
  const put = (id: string, body: unknown) => fleet().call('PUT', `/users/${id}`, body);
  const get = (id: string) => fleet().call('GET', `/users/${id}`);

  test('a person is created with defaults, changed in part, and read back', async () => {
    const made = await put('user123', {});
    assert.equal(made.status, 201, made.text);
    const { created_at, updated_at, ...rest } = made.body;
    assert.deepEqual(rest, {
      id: 'user123',
      email: null,
      phone: null,
      locale: 'en',
      timezone: 'UTC',
      roles: [],
      active: true,
      groups: [],
      webhook_url: null,
    });
    for (const time of [created_at, updated_at]) assert.match(String(time), /^\d{4}-\d\d-\d\dT.*Z$/);
    const full = {
      email: 'user@example.org',
      phone: '+251911000001',
      locale: 'om-ET',
      timezone: 'Africa/Addis_Ababa',
      roles: ['admin'],
      active: false,
      groups: ['tenants', 'board', 'tenants'],
      webhook_url: 'https://hooks.example.org/belfry?to=user123',
    };
    const changed = await put('user123', full);
    assert.equal(changed.status, 200);
    const same = { ...full, groups: ['board', 'tenants'] };
    for (const [name, value] of Object.entries(same)) assert.deepEqual(changed.body[name], value, name);
    const part = await put('user123', { email: null, groups: [] });
    assert.equal(part.body.email, null);
    assert.deepEqual(part.body.groups, []);
    assert.equal(part.body.phone, full.phone, 'what is left out stays');
    assert.deepEqual((await get('user123')).body, part.body);
  });

  test('ids are 1 to 128 letters, digits and . _ - : @', async () => {
    for (const id of ['a', 'A.b_c-d:e@f', '0', 'x'.repeat(128), '01890000-0000-7000-8000-000000000000', '..'])
      assert.equal((await put(id === '..' ? '%2E.' : id, {})).status, id === '..' ? 404 : 201, id);
    await writesNothing(fleet(), async () => {
      for (const id of [
        'x'.repeat(129),
        'a%20b',
        'a%2Fb',
        '%00',
        'a%0Ab',
        '%D5%A1',
        'a+b',
        'a%27',
        '%F0%9F%92%A9',
        '*',
      ])
        assertProblem(await put(id, {}), 422, { path: 'id' });
      assertProblem(await put('%E0%A4%A', {}), 422);
    });
  });

  test('wrong fields are refused, every one of them by its name', async () => {
    const wrong: Readonly<Record<string, readonly unknown[]>> = {
      email: ['', 'x', 'a@b', 'a@b.c\r\nd', 7, {}],
      phone: ['', '0911', '+1', 251911000001],
      locale: ['', 'en_US', 'x', 'not a locale', 'e'.repeat(36), 'en-', '12', null, '../am', 'en\u0000'],
      timezone: ['', 'Mars/Olympus', 'UTC+3', '+03:00', 'Africa', '../UTC', null, 'Africa/Addis Ababa'],
      roles: ['admin', [''], [7], Array(51).fill('r'), null],
      active: ['true', 1, null],
      groups: ['g', ['a b'], [null], Array(1_001).fill('g')],
      webhook_url: [
        '',
        'x',
        7,
        'hooks.example.org',
        '//hooks.example.org',
        'ftp://hooks.example.org',
        'javascript:alert(1)',
        'file:///etc/passwd',
        'https://',
        'https://me:secret@hooks.example.org/',
        'https://me@hooks.example.org/',
        'https://hooks.example.org/#part',
        'https://hooks.example.org/#',
        'https://hooks.example.org/a b',
        'https://hooks.example.org/\r\nx: y',
        ' https://hooks.example.org/',
        `https://hooks.example.org/${'x'.repeat(2_048)}`,
      ],
    };
    await writesNothing(fleet(), async () => {
      for (const [field, values] of Object.entries(wrong)) {
        for (const value of values) {
          const answer = await put('wrong', { [field]: value });
          assert.equal(answer.status, 422, `${field} ${JSON.stringify(value)}: ${answer.text}`);
          assert.ok(String(items(answer.body.errors)[0]?.path).startsWith(field));
        }
      }
      const all = await put('wrong', { email: 'x', phone: 'x', locale: '?', timezone: '?' });
      assert.deepEqual(
        items(all.body.errors).map(({ path }) => String(path)),
        ['email', 'phone', 'locale', 'timezone'],
        'all problems are told together',
      );
    });
  });

  test('people are listed in the order of their ids, page by page', async () => {
    for (const id of ['list-c', 'list-a', 'list-b']) await put(id, {});
    const seen: string[] = [];
    for (let path: string | undefined = '/users?limit=2'; path !== undefined; ) {
      const page = await fleet().call('GET', path);
      assert.equal(page.status, 200);
      seen.push(...items(page.body).map(({ id }) => String(id)));
      path = /<\/api\/v1([^>]+)>; rel="next"/.exec(page.headers.get('link') ?? '')?.[1];
    }
    assert.equal(new Set(seen).size, seen.length);
    assert.deepEqual(
      seen.filter((id) => id.startsWith('list-')),
      ['list-a', 'list-b', 'list-c'],
    );
    for (const query of ['limit=0', 'limit=201', 'limit=x', 'cursor=%00', 'cursor='])
      assertProblem(await fleet().call('GET', `/users?${query}`), 422);
  });

  test('people are found by a part of their id or address, by group, role and whether they are active', async () => {
    await put('find-one', { email: 'A.Surname@mail.example', phone: '+251922333444', groups: ['g1'] });
    await put('find-two', { email: 'two_2@mail.example', roles: ['clerk'], groups: ['g1', 'g2'] });
    await put('find-three', { active: false, roles: ['clerk', 'chief'] });
    const found: Readonly<Record<string, readonly string[]>> = {
      'search=find-': ['find-one', 'find-three', 'find-two'],
      'search=FIND-T': ['find-three', 'find-two'],
      'search=surname': ['find-one'],
      'search=2333': ['find-one'],
      'search=%2B2519223': ['find-one'],
      'search=mail.example': ['find-one', 'find-two'],
      'search=two_2%40': ['find-two'],
      // They are letters here, and not wild cards.
      'search=find%25': [],
      'search=find_one': [],
      "search=';--": [],
      'search=%5C': [],
      'search=one%20a.sur': [],
      'search=%F0%9F%94%94': [],
      'group=g1': ['find-one', 'find-two'],
      'group=g3': [],
      'role=clerk': ['find-three', 'find-two'],
      'role=chief&active=false': ['find-three'],
      'role=chief&active=true': [],
      'group=g1&search=two': ['find-two'],
      'search=find&active=true&group=g2&role=clerk': ['find-two'],
    };
    for (const [query, ids] of Object.entries(found)) {
      const page = await fleet().call('GET', `/users?${query}`);
      assert.equal(page.status, 200, `${query}: ${page.text}`);
      assert.deepEqual(
        items(page.body).map(({ id }) => String(id)),
        ids,
        query,
      );
    }
    const page = await fleet().call('GET', '/users?search=find-&limit=2');
    const cursor = Buffer.from('find-three').toString('base64url');
    assert.equal(
      page.headers.get('link'),
      `</api/v1/users?search=find-&limit=2&cursor=${cursor}>; rel="next"`,
    );
    const wrong = [
      'search=',
      'search=%00',
      'search=a%0Ab',
      `search=${'x'.repeat(255)}`,
      'active=yes',
      'active=',
    ];
    for (const query of [...wrong, 'group=a%20b', 'role=', 'search=a&search=b'])
      assertProblem(await fleet().call('GET', `/users?${query}`), 422, { path: query.split('=')[0] ?? '' });
  });

  test('every act is in the audit trail with its fields and never with a value', async () => {
    await put('traced', { email: 'traced@canary.example', groups: ['canary-group'] });
    await put('traced', { email: 'traced@canary.example', phone: '+251911777000', locale: 'en' });
    await put('traced', { groups: ['canary-group', 'canary-other'], webhook_url: 'https://canary.example/' });
    const wish = { sms: true, email: false };
    await fleet().call('PUT', '/users/traced/preferences', wish, { as: 'user', sub: 'traced' });
    await fleet().call('PUT', '/users/traced/preferences', {});
    await put('traced', { email: 'wrong' });
    await fleet().call('DELETE', '/users/traced', undefined, { sub: 'eraser' });
    const { rows } = await fleet().database.query<{ actor: string; action: string; details: object }>(
      `SELECT CASE WHEN actor = target THEN 'themself' ELSE actor END AS actor, action, details FROM audit_event WHERE target =
         (SELECT target FROM audit_event WHERE actor = 'eraser') ORDER BY id`,
    );
    assert.deepEqual(rows, [
      { actor: 'test', action: 'person.put', details: { created: true, fields: ['email', 'groups'] } },
      { actor: 'test', action: 'person.put', details: { created: false, fields: ['phone'] } },
      { actor: 'test', action: 'person.put', details: { created: false, fields: ['webhook_url', 'groups'] } },
      { actor: 'themself', action: 'preferences.put', details: { fields: ['email', 'sms'] } },
      { actor: 'eraser', action: 'person.erase', details: { notifications: 0 } },
    ]);
    const trail = await fleet().database.query<{ row: string }>('SELECT a::text AS row FROM audit_event a');
    assert.ok(!trail.rows.some(({ row }) => /canary|251911777|traced/.test(row)));
  });

  test('preferences begin with the defaults, and a change keeps the others', async () => {
    await put('prefs', {});
    const path = '/users/prefs/preferences';
    const channels = { realtime: true, email: true, sms: false, push: true, webhook: true };
    const defaults = { ...channels, events: {}, quiet_hours: null };
    assert.deepEqual((await fleet().call('GET', path)).body, defaults);
    const changed = await fleet().call('PUT', path, { sms: true, email: false });
    assert.equal(changed.status, 200, changed.text);
    assert.deepEqual(changed.body, { ...defaults, sms: true, email: false });
    await fleet().call('PUT', path, { push: false });
    assert.deepEqual((await fleet().call('GET', path)).body, {
      ...defaults,
      sms: true,
      email: false,
      push: false,
    });
    for (const body of [
      {},
      [],
      { fax: true },
      { email: 'yes' },
      { email: null },
      { sms: 1 },
      { toString: true },
    ])
      assertProblem(await fleet().call('PUT', path, body), 422);
  });

  test('preferences are for administrators and for that person', async () => {
    await put('mine', {});
    for (const [method, body] of [['GET'], ['PUT', { sms: true }]] as const) {
      const ask = (as: 'admin' | 'internal' | 'user', sub: string, id = 'mine') =>
        fleet().call(method, `/users/${id}/preferences`, body, { as, sub });
      assert.equal((await ask('admin', 'ops')).status, 200);
      assert.equal((await ask('user', 'mine')).status, 200);
      assertProblem(await ask('user', 'other'), 403);
      assertProblem(await ask('user', 'Mine'), 403);
      assertProblem(await ask('internal', 'service'), 403);
      assertProblem(await ask('admin', 'ops', 'nobody'), 404, { detail: 'User with ID nobody not found.' });
      assertProblem(await ask('user', 'nobody', 'nobody'), 404);
      assertProblem(await ask('user', 'other', 'nobody'), 403);
    }
  });

  test('creating, changing and erasing one person at the same time never ends in a 5xx', async () => {
    const answers: Answer[] = [];
    for (let round = 0; round < 12; round += 1) {
      const calls = Array.from({ length: 20 }, (_, index) =>
        index % 3 === 0
          ? fleet().call('DELETE', '/users/raced')
          : put('raced', { groups: ['a', `g${index}`], email: `raced${index}@example.org` }),
      );
      answers.push(...(await Promise.all(calls)));
    }
    const statuses = [...new Set(answers.map(({ status }) => status))].sort();
    assert.deepEqual(
      statuses.filter((status) => ![200, 201, 204, 404].includes(status)),
      [],
    );
  });
});
