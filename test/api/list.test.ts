import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { forEachEngine } from '../support/engines.js';
import { useFleet } from '../support/fleet.js';
import { type Answer, items, type Json } from '../support/http.js';
import { assertProblem } from './problem.js';

forEachEngine((engine) => {
  const fleet = useFleet({ engine, workers: [] });
  const list = (query = '') => fleet().call('GET', `/notifications${query}`);

  /** Follows `Link` from the first page to the last. `between` runs before each next page. */
  async function walk(query: string, between: () => Promise<unknown> = async () => {}): Promise<Json[]> {
    const seen: Json[] = [];
    for (let path: string | undefined = `/notifications?${query}`; path !== undefined; ) {
      const page: Answer = await fleet().call('GET', path);
      assert.equal(page.status, 200, page.text);
      seen.push(...items(page.body));
      path = /^<\/api\/v1([^>]+)>; rel="next"$/.exec(page.headers.get('link') ?? '')?.[1];
      await between();
    }
    return seen;
  }
  const idsOf = (found: readonly Json[]) => found.map(({ id }) => String(id));

  const made = new Map<string, string>();
  let noon: string;
  before(async () => {
    await fleet().person('ada', { email: 'ada@example.org' });
    await fleet().person('ben');
    const add = async (name: string, body: Readonly<Record<string, unknown>>) =>
      void made.set(name, await fleet().send(body));
    await add('plain', { user_id: 'ada', message: 'x' });
    await add('high', { user_id: 'ada', message: 'x', priority: 'high' });
    await add('event', {
      user_id: 'ada',
      event_type: 'listing_approved',
      context: { property_title: 'Flat' },
      priority: 'low',
    });
    const { rows } = await fleet().database.query<{ now: Date }>('SELECT clock_timestamp() AS now');
    noon = rows[0]?.now.toISOString() ?? '';
    await add('later', { user_id: 'ben', message: 'x', send_at: Date.now() / 1000 + 3600 });
    await add('cancelled', { user_id: 'ben', message: 'x', send_at: Date.now() / 1000 + 3600 });
    await fleet().call('POST', `/notifications/${made.get('cancelled')}/cancel`);
    await fleet().call('POST', '/notifications/send', { user_id: 'nobody', message: 'x' });
    await fleet().call('POST', '/notifications/email/send', { to: 'x@example.org', subject: 's', body: 'b' });
  });

  test('an entry has the promised fields, newest first', async () => {
    const answer = await list('?user_id=ada');
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('link'), null, 'there is no next page');
    const found = items(answer.body);
    assert.deepEqual(
      idsOf(found),
      ['event', 'high', 'plain'].map((name) => made.get(name)),
    );
    const [event] = found;
    assert.ok(event);
    const { id, created_at, ...rest } = event;
    assert.equal(id, made.get('event'));
    assert.match(String(created_at), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.deepEqual(rest, {
      user_id: 'ada',
      event_type: 'listing_approved',
      type: 'listing_approved',
      title: null,
      status: 'PENDING',
      sent_at: null,
      priority: 'low',
      channels: ['realtime', 'email'],
    });
  });

  test('every filter narrows the list, and filters go together', async () => {
    const all = items((await list()).body).length;
    assert.equal(all, 7);
    const counts: Readonly<Record<string, number>> = {
      'user_id=ada': 3,
      'user_id=ben': 2,
      'user_id=unheard-of': 0,
      'event_type=listing_approved': 1,
      'status=PENDING': 5,
      'status=FAILED': 1,
      'status=CANCELLED': 1,
      'status=SENT': 0,
      'channel=email': 3,
      'channel=realtime': 5,
      'channel=sms': 0,
      'priority=high': 1,
      'priority=normal': 5,
      [`from=${noon}`]: 4,
      [`to=${noon}`]: 3,
      [`from=${noon}&to=${noon}`]: 0,
      'from=0': all,
      'to=0': 0,
      'user_id=ben&status=CANCELLED': 1,
      'user_id=ada&channel=email&priority=high': 1,
      'user_id=ada&status=FAILED': 0,
    };
    for (const [query, count] of Object.entries(counts)) {
      const answer = await list(`?${query}`);
      assert.equal(answer.status, 200, query);
      assert.equal(items(answer.body).length, count, query);
    }
    for (const status of ['PENDING', 'FAILED', 'CANCELLED'])
      for (const entry of items((await list(`?status=${status}`)).body)) assert.equal(entry.status, status);
  });

  test('pages are cut at limit, keep the filters in Link, and together are the whole list once', async () => {
    const whole = idsOf(items((await list('?status=PENDING')).body));
    for (const limit of [1, 2, 3, 4, 5, 200])
      assert.deepEqual(idsOf(await walk(`status=PENDING&limit=${limit}`)), whole, `limit ${limit}`);
    const page = await list('?status=PENDING&limit=2');
    assert.equal(items(page.body).length, 2);
    assert.match(page.headers.get('link') ?? '', /status=PENDING&limit=2&cursor=/);
  });

  test('while others are added between and during the pages, nothing that was there is doubled or left out', async () => {
    const before = idsOf(await walk('limit=200'));
    let adding = true;
    const storm = (async () => {
      while (adding)
        await Promise.all(Array.from({ length: 4 }, () => fleet().send({ user_id: 'ada', message: 'x' })));
    })();
    const seen = idsOf(await walk('limit=2', () => fleet().send({ user_id: 'ben', message: 'x' })));
    adding = false;
    await storm;
    assert.equal(new Set(seen).size, seen.length, 'no double');
    const missing = before.filter((id) => !seen.includes(id));
    assert.deepEqual(missing, [], 'no gap');
    assert.deepEqual(seen, [...seen].sort().reverse(), 'newest first, all the way');
  });

  test('a filter that makes no sense is refused by its name', async () => {
    const wrong: Readonly<Record<string, string>> = {
      'user_id=': 'user_id',
      'user_id=a%20b': 'user_id',
      'user_id=a&user_id=b': 'user_id',
      'event_type=%00': 'event_type',
      'status=sent': 'status',
      'status=DONE': 'status',
      'channel=fax': 'channel',
      'priority=urgent': 'priority',
      'from=yesterday': 'from',
      'from=0000-01-01T00:00:00Z': 'from',
      'to=2026-02-30T00:00:00Z': 'to',
      'limit=0': 'limit',
      'limit=201': 'limit',
      'limit=1.5': 'limit',
      'limit=-1': 'limit',
      'limit=x': 'limit',
      'limit=1e400': 'limit',
      'cursor=x': 'cursor',
      'cursor=': 'cursor',
      'cursor=%F0%9F%92%A9': 'cursor',
      [`cursor=${'A'.repeat(100)}`]: 'cursor',
      [`cursor=${Buffer.from("' OR 1=1 --").toString('base64url')}`]: 'cursor',
    };
    for (const [query, path] of Object.entries(wrong)) {
      const answer = await list(`?${query}`);
      assert.equal(answer.status, 422, `${query}: ${answer.text}`);
      assertProblem(answer, 422, { path });
    }
    assert.equal(
      (await list('?__proto__=1&constructor=2&unknown=3')).status,
      200,
      'what nobody knows is ignored',
    );
  });
});
