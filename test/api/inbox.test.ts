import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { type CallOptions, useFleet } from '../support/fleet.js';
import { items, type Json } from '../support/http.js';
import { assertProblem } from './problem.js';
import { putNotes } from './put-notes.js';

const NO_ID = '01890000-0000-7000-8000-000000000000';
const as = (sub: string): CallOptions => ({ as: 'user', sub });

describe('the inbox of a person', () => {
  const fleet = useFleet({ engine: 'postgres' });
  const get = (id: string, query = '', options = as(id)) =>
    fleet().call('GET', `/users/${id}/inbox${query}`, undefined, options);
  const post = (id: string, path: string, options = as(id)) =>
    fleet().call('POST', `/users/${id}/inbox/${path}`, undefined, options);
  const count = async (id: string) => (await get(id, '/unread-count')).body.count;
  const titlesOf = (body: Json) => items(body).map(({ title }) => String(title));
  before(async () => {
    for (const id of ['sara', 'paged', 'full', 'ben', 'empty']) await fleet().person(id);
  });

  test('has what was sent, and it is read once', async () => {
    const id = await fleet().send({
      user_id: 'sara',
      message: 'Your keys are <b>ready</b>.',
      title: 'Keys',
      type: 'keys',
      data: { door: 'B', floors: [1, 2] },
      priority: 'high',
    });
    await fleet().untilStatus(id, 'SENT');
    assert.equal(await count('sara'), 1);
    const [item] = items((await get('sara')).body);
    const { created_at, ...rest } = item ?? {};
    assert.match(String(created_at), /^\d{4}-\d\d-\d\dT.*Z$/);
    const note = {
      id,
      notification_id: id,
      type: 'keys',
      title: 'Keys',
      message: 'Your keys are <b>ready</b>.',
      data: { door: 'B', floors: [1, 2] },
      priority: 'high',
    };
    assert.deepEqual(rest, { ...note, read: false, read_at: null });

    const read = await post('sara', `${id.toUpperCase()}/read`);
    assert.equal(read.status, 200, read.text);
    assert.equal(read.body.read, true);
    assert.match(String(read.body.read_at), /^\d{4}-\d\d-\d\dT.*Z$/);
    assert.deepEqual((await post('sara', `${id}/read`)).body, read.body, 'twice is as once');
    assert.deepEqual(items((await get('sara')).body), [read.body]);
    assert.deepEqual((await get('sara', '?unread=true')).body, []);
    assert.equal(await count('sara'), 0);
  });

  test('is read page by page, the newest first, as the Link says', async () => {
    const titles = Array.from({ length: 7 }, (_, index) => String(index + 1));
    const ids = await putNotes(fleet(), 'paged', titles);
    await post('paged', `${ids[3]}/read`);
    const seen: string[][] = [];
    for (let path: string | undefined = '/users/paged/inbox?unread=true&limit=2'; path !== undefined; ) {
      const page = await fleet().call('GET', path, undefined, as('paged'));
      assert.equal(page.status, 200, page.text);
      seen.push(titlesOf(page.body));
      path = /<\/api\/v1([^>]+)>; rel="next"/.exec(page.headers.get('link') ?? '')?.[1];
      assert.ok(path === undefined || path.startsWith('/users/paged/inbox?unread=true&limit=2&cursor='));
    }
    assert.deepEqual(seen, [
      ['7', '6'],
      ['5', '3'],
      ['2', '1'],
    ]);
    // What comes meanwhile moves no page.
    const first = await get('paged', '?limit=3');
    await putNotes(fleet(), 'paged', ['8']);
    const cursor = /cursor=([^>]+)>/.exec(first.headers.get('link') ?? '')?.[1];
    assert.deepEqual(titlesOf((await get('paged', `?limit=3&cursor=${cursor}`)).body), ['4', '3', '2']);
  });

  test('keeps a hundred, and all of them can be read at once', async () => {
    const titles = Array.from({ length: 130 }, (_, index) => String(index + 1));
    const [oldest] = await putNotes(fleet(), 'full', titles);
    const all = await get('full', '?limit=200');
    assert.deepEqual(titlesOf(all.body), titles.slice(30).toReversed());
    assert.equal(all.headers.get('link'), null);
    assert.equal(await count('full'), 100);
    assertProblem(await post('full', `${oldest}/read`), 404, { code: 'unknown_item' });
    const both = await Promise.all([post('full', 'read-all'), post('full', 'read-all')]);
    assert.deepEqual(both.map(({ body }) => body.read).toSorted(), [0, 100]);
    assert.equal(await count('full'), 0);
    await putNotes(fleet(), 'full', ['later']);
    assert.equal(await count('full'), 1);
  });

  test('is for that person and for administrators; what is not there is not found', async () => {
    const [id] = await putNotes(fleet(), 'ben', ['1']);
    const calls: readonly (readonly ['GET' | 'POST', string])[] = [
      ['GET', ''],
      ['GET', '/unread-count'],
      ['POST', '/read-all'],
      ['POST', `/${id}/read`],
    ];
    for (const [method, path] of calls) {
      const ask = (person: string, options: CallOptions) =>
        fleet().call(method, `/users/${person}/inbox${path}`, undefined, options);
      for (const stranger of [as('sara'), as('Ben'), { as: 'internal' } as const])
        assertProblem(await ask('ben', stranger), 403);
      assertProblem(await ask('nobody', as('sara')), 403);
      const known = { detail: 'User with ID nobody not found.', code: 'unknown_person' };
      assertProblem(await ask('nobody', as('nobody')), 404, known);
      assertProblem(await ask('nobody', {}), 404, known);
      assert.equal(await count('ben'), 1, 'none of them has read anything');
    }
    assertProblem(await post('sara', `${id}/read`), 404, { code: 'unknown_item' });
    assertProblem(await post('ben', `${NO_ID}/read`), 404, { code: 'unknown_item' });
    for (const [method, path] of calls)
      assert.equal((await fleet().call(method, `/users/ben/inbox${path}`)).status, 200);
    assert.equal(await count('ben'), 0);
    assert.deepEqual((await get('empty')).body, []);
    assert.equal(await count('empty'), 0);
    assert.equal((await post('empty', 'read-all')).body.read, 0);
  });

  test('is asked for with words that are known, and each wrong one is named', async () => {
    const wrong = ['unread=yes', 'unread=', 'limit=0', 'limit=201', 'limit=x', 'limit=1.5', 'cursor='];
    const cursors = ['0', '-1', '1e3', '1 OR 1=1', '9'.repeat(16), 'x'].map(
      (text) => `cursor=${Buffer.from(text).toString('base64url')}`,
    );
    for (const query of [...wrong, ...cursors, 'cursor=%00'])
      assertProblem(await get('sara', `?${query}`), 422, { path: query.split('=')[0] ?? '' });
    for (const id of ['x', '1', `${NO_ID}0`, '%00', "'"])
      assertProblem(await post('sara', `${id}/read`), 422, { path: 'item' });
    const strange = { as: 'admin' } as const;
    for (const id of ['a%20b', '%00', 'x'.repeat(129)])
      assertProblem(await get(id, '', strange), 422, { path: 'id' });
  });
});
