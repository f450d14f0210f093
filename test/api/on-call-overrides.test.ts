import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { openDatabase } from '@belfry/shared/ledger/database.js';
import { onCallFor } from '@belfry/shared/ledger/on-call.js';
import { useFleet } from '../support/fleet.js';
import { items } from '../support/http.js';
import { auditOf } from './audit-rows.js';
import { NO_ID } from './calls.js';
import { assertProblem } from './problem.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const iso = (ms: number) => new Date(Date.now() + ms).toISOString();
const NOW = { starts_at: iso(-HOUR_MS), ends_at: iso(DAY_MS) };
const LATER = { starts_at: iso(2 * DAY_MS), ends_at: iso(3 * DAY_MS) };

describe('overrides', () => {
  const fleet = useFleet({ engine: 'postgres', workers: [] });
  const call = (method: string, path: string, body?: unknown) => fleet().call(method, path, body);
  const add = (type: string, body: unknown, headers: Record<string, string> = {}) =>
    fleet().call('POST', `/on-call/${type}/overrides`, body, { headers });
  const now = async (type: string) => (await call('GET', `/on-call/${type}`)).body.user_ids;
  before(async () => {
    for (const id of ['ada', 'ben', 'cat', 'dan']) await fleet().person(id);
    for (const type of ['stand', 'many', 'wrong', 'race'])
      await call('PUT', `/on-call/${type}`, { user_ids: ['ada', 'ben'] });
  });

  test('somebody stands in for one, or for everybody, from when to when is said, and until it is taken away', async () => {
    const one = await add('stand', { user_id: 'cat', replaces: 'ben', ...NOW });
    assert.equal(one.status, 201, one.text);
    assert.deepEqual(await now('stand'), ['ada', 'cat']);
    const all = await add('stand', { user_id: 'dan', ...LATER });
    assert.equal(all.body.replaces, null);
    const later = await call('GET', `/on-call/stand?at=${LATER.starts_at}`);
    assert.deepEqual([later.body.user_ids, items(later.body.overrides).length], [['dan'], 1]);
    const listed = await call('GET', '/on-call/stand/overrides?limit=1');
    assert.deepEqual(items(listed.body), [one.body]);
    assert.match(listed.headers.get('link') ?? '', /rel="next"/);
    assert.equal((await call('DELETE', `/on-call/stand/overrides/${one.body.id}`)).status, 204);
    assert.deepEqual(await now('stand'), ['ada', 'ben']);
    assertProblem(await call('DELETE', `/on-call/stand/overrides/${one.body.id}`), 404, {
      code: 'unknown_override',
    });
    assertProblem(await call('DELETE', `/on-call/many/overrides/${all.body.id}`), 404, {
      code: 'unknown_override',
    });
  });

  test('whoever opens an alert reads the same in a transaction, now and at another moment', async () => {
    await add('stand', { user_id: 'dan', replaces: 'ada', ...NOW });
    const database = openDatabase({ url: fleet().databaseUrl, name: 'test', size: 1 });
    try {
      const found = await database.transaction(async (transaction) => [
        await onCallFor(transaction, 'stand'),
        await onCallFor(transaction, 'stand', new Date(LATER.starts_at)),
        await onCallFor(transaction, 'stand', new Date(LATER.ends_at)),
        await onCallFor(transaction, 'of which nothing was said'),
      ]);
      assert.deepEqual(found, [['dan', 'ben'], ['dan'], ['ada', 'ben'], []]);
    } finally {
      await database.close();
    }
  });

  test('one who stands in can be stood in for', async () => {
    await call('PUT', '/on-call/chain', { user_ids: ['ada'] });
    for (const [user_id, replaces] of [
      ['ben', 'ada'],
      ['cat', 'ben'],
    ] as const)
      assert.equal((await add('chain', { user_id, replaces, ...NOW })).status, 201);
    assert.deepEqual(await now('chain'), ['cat']);
  });

  test('with a key it is made once, and the answer is the first', async () => {
    const body = { user_id: 'cat', ...LATER };
    const key = { 'idempotency-key': 'once' };
    const [first, second] = [await add('race', body, key), await add('race', body, key)];
    assert.deepEqual([first.status, second.status, second.body], [201, 201, first.body]);
    assert.equal(second.headers.get('idempotency-replayed'), 'true');
    assert.equal(items((await call('GET', '/on-call/race/overrides')).body).length, 1);
  });

  test('no more than 200 are still to end, also when several come at once', async () => {
    await fleet().database.query(
      `INSERT INTO on_call_override (id, alert_type, user_id, starts_at, ends_at, created_by)
       SELECT gen_random_uuid(), 'many', 'cat', now(), now() + interval '1 hour' * (n - 1), 'test' FROM generate_series(1, 200) AS n`,
    );
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => add('many', { user_id: 'cat', ...LATER })),
    );
    const refused = answers.filter(({ status }) => status !== 201);
    assert.equal(refused.length, 3, 'one of the 200 has ended');
    for (const one of refused) assertProblem(one, 409, { code: 'too_many_overrides' });
    assert.equal((await call('DELETE', '/on-call/many')).status, 204);
    await call('PUT', '/on-call/many', { user_ids: ['ada'] });
    assert.deepEqual(
      (await call('GET', '/on-call/many')).body.overrides,
      [],
      'a schedule takes its overrides along',
    );
  });

  test('who did it, for whom and when is in the audit trail, by other names', async () => {
    const made = await add('stand', { user_id: 'cat', replaces: 'ben', ...LATER });
    await call('DELETE', `/on-call/stand/overrides/${made.body.id}`);
    const [added] = await auditOf(fleet(), 'on_call.override');
    const { people, ...details } = added?.details ?? {};
    assert.deepEqual(details, { override: made.body.id, ...LATER });
    assert.match(JSON.stringify(people), /^\["person:[0-9a-f-]{36}","person:[0-9a-f-]{36}"\]$/);
    const [removed] = await auditOf(fleet(), 'on_call.override_removed');
    assert.deepEqual([removed?.target, removed?.details], ['on_call:stand', { override: made.body.id }]);
  });

  test('what is wrong is refused by its name', async () => {
    const right = { user_id: 'cat', ...LATER };
    const wrong: readonly (readonly [body: unknown, path: string, message: RegExp])[] = [
      [{ ...right, user_id: undefined }, 'user_id', /^is required$/],
      [{ ...right, user_id: 'nobody' }, 'user_id', /nobody with the id nobody/],
      [{ ...right, replaces: 'nobody' }, 'replaces', /nobody with the id nobody/],
      [{ ...right, replaces: 'dan' }, 'replaces', /^is on no list and in no layer/],
      [{ ...right, replaces: 'cat' }, 'replaces', /^must differ from user_id$/],
      [{ ...right, ends_at: right.starts_at }, 'ends_at', /^must be after starts_at$/],
      [{ ...right, ends_at: iso(369 * DAY_MS) }, 'ends_at', /^must be at most 366 days after starts_at$/],
      [
        { ...right, starts_at: iso(-2 * HOUR_MS), ends_at: iso(-HOUR_MS) },
        'ends_at',
        /^must be still to come$/,
      ],
      [{ ...right, starts_at: 'soon' }, 'starts_at', /^must be a time: ISO 8601/],
    ];
    for (const [body, path, message] of wrong) {
      const refused = await add('wrong', body);
      assertProblem(refused, 422, { path });
      const [error] = items(refused.body.errors).filter((one) => String(one.path) === path);
      assert.match(String(error?.message), message, JSON.stringify(body));
    }
    assert.deepEqual((await call('GET', '/on-call/wrong/overrides')).body, []);
    assertProblem(await add('nothing-said', right), 404, { code: 'unknown_on_call' });
    assertProblem(await call('DELETE', '/on-call/wrong/overrides/no-id'), 422, { path: 'id' });
    assertProblem(await call('DELETE', `/on-call/wrong/overrides/${NO_ID}`), 404);
  });
});
