import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { useFleet } from '../support/fleet.js';
import { type Answer, items } from '../support/http.js';
import { auditOf } from './audit-rows.js';
import { assertProblem } from './problem.js';

describe('groups', () => {
  const fleet = useFleet({ engine: 'postgres', workers: [] });
  const call = (method: string, path: string) => fleet().call(method, path);
  const member = (group: string, user: string) => `/groups/${group}/members/${user}`;
  before(async () => {
    for (const id of ['ada', 'ben', 'cat']) await fleet().person(id);
    await fleet().person('dan', { active: false, groups: ['Owners'] });
  });

  test('a person is put into a group once, whoever asks how often, and taken out again', async () => {
    const first = await call('PUT', member('tenants', 'ada'));
    assert.equal(first.status, 201, first.text);
    const { joined_at, ...rest } = first.body;
    assert.deepEqual(rest, { group_id: 'tenants', user_id: 'ada' });
    const again = await call('PUT', member('tenants', 'ada'));
    assert.deepEqual([again.status, again.body.joined_at], [200, joined_at]);
    assert.deepEqual((await call('GET', '/users/ada')).body.groups, ['tenants']);
    for (let time = 0; time < 2; time += 1)
      assert.equal((await call('DELETE', member('tenants', 'ada'))).status, 204);
    assert.deepEqual((await call('GET', '/users/ada')).body.groups, []);
    assertProblem(await call('GET', '/groups/tenants'), 404, {
      detail: 'Group with ID tenants not found.',
      code: 'unknown_group',
    });
  });

  test('of many calls at once one puts them in, and all say since when', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => call('PUT', member('rush', 'ben'))));
    assert.equal(answers.filter(({ status }) => status === 201).length, 1);
    assert.equal(new Set(answers.map(({ body }) => String(body.joined_at))).size, 1);
    await call('DELETE', member('rush', 'ben'));
  });

  test('every change is in the audit trail, and a repetition is none', async () => {
    const count = async () => [
      (await auditOf(fleet(), 'group.add')).length,
      (await auditOf(fleet(), 'group.remove')).length,
    ];
    const [added = 0, removed = 0] = await count();
    for (const method of ['PUT', 'PUT', 'DELETE', 'DELETE']) await call(method, member('audited', 'ben'));
    assert.deepEqual(await count(), [added + 1, removed + 1]);
    const [event] = await auditOf(fleet(), 'group.add');
    assert.match(event?.target ?? '', /^person:[0-9a-f-]{36}$/);
    assert.deepEqual(event?.details, { group: 'audited' });
    assert.doesNotMatch(JSON.stringify(event), /ben/);
  });

  test('the list has every group with its size, by its id, page by page', async () => {
    for (const [group, users] of Object.entries({
      Owners: ['ada'],
      staff: ['ada', 'ben', 'cat'],
      'staff-2': ['cat'],
    }))
      for (const user of users) assert.ok((await call('PUT', member(group, user))).status < 300);
    const shown = (answer: Answer) =>
      items(answer.body).map(({ id, member_count }) => `${id} ${member_count}`);
    const all = shown(await call('GET', '/groups'));
    assert.deepEqual(all.toSorted(), ['Owners 2', 'staff 3', 'staff-2 1']);
    const pages: string[][] = [];
    for (let path: string | undefined = '/groups?limit=1'; path !== undefined; ) {
      const page: Answer = await call('GET', path);
      pages.push(shown(page));
      path = /^<\/api\/v1([^>]+)>; rel="next"$/.exec(page.headers.get('link') ?? '')?.[1];
    }
    assert.deepEqual(
      pages,
      all.map((one) => [one]),
    );
    assert.deepEqual(shown(await call('GET', '/groups?search=STAFF')).toSorted(), ['staff 3', 'staff-2 1']);
    assert.deepEqual(shown(await call('GET', '/groups?search=-2')), ['staff-2 1']);
    assert.deepEqual(shown(await call('GET', '/groups?search=%25')), [], 'a pattern is no pattern here');
  });

  test('a group shows its members by their ids, page by page, with how many there are', async () => {
    const group = await call('GET', '/groups/Owners');
    assert.deepEqual(
      [
        group.body.id,
        group.body.member_count,
        items(group.body.members).map(({ user_id, active }) => [user_id, active]),
      ],
      [
        'Owners',
        2,
        [
          ['ada', true],
          ['dan', false],
        ],
      ],
    );
    const first = await call('GET', '/groups/Owners?limit=1');
    assert.deepEqual([first.body.member_count, items(first.body.members).length], [2, 1]);
    const next = /^<\/api\/v1([^>]+)>; rel="next"$/.exec(first.headers.get('link') ?? '')?.[1];
    const second = await call('GET', next ?? '');
    assert.deepEqual(
      items(second.body.members).map(({ user_id }) => user_id),
      ['dan'],
    );
    assert.equal(second.headers.get('link'), null);
  });

  test('who is erased is in no group any more', async () => {
    await call('PUT', member('short', 'cat'));
    assert.equal((await call('DELETE', '/users/cat')).status, 204);
    assertProblem(await call('GET', '/groups/short'), 404);
  });

  test('what is wrong is refused by its name, and nothing changes', async () => {
    for (const method of ['PUT', 'DELETE'])
      assertProblem(await call(method, member('tenants', 'nobody')), 404, {
        detail: 'User with ID nobody not found.',
        code: 'unknown_person',
      });
    const long = 'x'.repeat(129);
    const wrong: readonly (readonly [method: string, path: string, field: string])[] = [
      ['PUT', member('no%20spaces', 'ada'), 'id'],
      ['PUT', member('tenants', 'a%00'), 'user_id'],
      ['DELETE', member(long, 'ada'), 'id'],
      ['DELETE', member('tenants', long), 'user_id'],
      ['GET', `/groups/${long}`, 'id'],
      ['GET', '/groups/g?limit=0', 'limit'],
      ['GET', '/groups/g?cursor=x', 'cursor'],
      ['GET', '/groups?limit=201', 'limit'],
      ['GET', '/groups?limit=x', 'limit'],
      ['GET', '/groups?cursor=', 'cursor'],
      ['GET', `/groups?cursor=${Buffer.from('no spaces').toString('base64url')}`, 'cursor'],
      ['GET', '/groups?search=', 'search'],
      ['GET', '/groups?search=a%00b', 'search'],
      ['GET', `/groups?search=${long}`, 'search'],
    ];
    const before = (await call('GET', '/groups')).text;
    for (const [method, path, field] of wrong) assertProblem(await call(method, path), 422, { path: field });
    assert.equal((await call('GET', '/groups')).text, before);
  });
});
