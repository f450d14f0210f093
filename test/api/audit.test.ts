import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { auditTargetOf, recordAudit } from '@belfry/shared/ledger/audit.js';
import { type Database, openDatabase } from '@belfry/shared/ledger/database.js';
import { useFleet } from '../support/fleet.js';
import { items } from '../support/http.js';
import { assertProblem } from './problem.js';

describe('the audit trail', () => {
  const fleet = useFleet({ engine: 'postgres', workers: [] });
  let database: Database;
  let sara: string;

  before(async () => {
    database = openDatabase({ url: fleet().databaseUrl, name: 'test', size: 1 });
    await fleet().person('sara');
    sara = (await auditTargetOf(database, 'sara')) ?? '';
    await fleet().database.query('ALTER TABLE audit_event DISABLE TRIGGER audit_is_final');
    await fleet().database.query('DELETE FROM audit_event');
    await fleet().database.query('ALTER TABLE audit_event ENABLE TRIGGER audit_is_final');
    for (let n = 1; n <= 5; n += 1)
      await recordAudit(database, {
        actor: { sub: n % 2 === 0 ? 'ann' : 'bob', role: 'admin' },
        action: 'queues.rebuild',
        target: n === 3 ? sara : null,
        details: { n },
      });
  });
  after(() => database?.close());

  const numbers = async (query: string) => {
    const answer = await fleet().call('GET', `/audit${query}`);
    assert.equal(answer.status, 200, answer.text);
    return items(answer.body).map(({ details }) => details?.n);
  };

  test('is shown newest first, with who did what to what and when', async () => {
    const [newest] = items((await fleet().call('GET', '/audit?limit=1')).body);
    const { id, at, ...rest } = newest ?? {};
    assert.deepEqual(rest, {
      actor: 'bob',
      role: 'admin',
      action: 'queues.rebuild',
      target: null,
      details: { n: 5 },
    });
    assert.match(String(id), /^[0-9a-f-]{36}$/);
    assert.ok(Math.abs(Date.now() - Date.parse(String(at))) < 60_000);
    assert.deepEqual(await numbers(''), [5, 4, 3, 2, 1]);
  });

  test('is found by who, what, whom and when', async () => {
    assert.deepEqual(await numbers('?actor=ann'), [4, 2]);
    assert.deepEqual(await numbers(`?target=${encodeURIComponent(sara)}`), [3]);
    assert.deepEqual(await numbers('?user_id=sara'), [3]);
    assert.deepEqual(await numbers('?user_id=sara&target=person:other'), []);
    assert.deepEqual(await numbers('?user_id=nobody'), []);
    assert.deepEqual(await numbers('?action=person.erase'), []);
    assert.deepEqual(await numbers(`?to=${Date.now() / 1000 + 60}`), [5, 4, 3, 2, 1]);
  });

  test('comes in pages', async () => {
    const first = await fleet().call('GET', '/audit?limit=2&actor=bob');
    const next = /^<\/api\/v1([^>]+)>; rel="next"$/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
    const second = await fleet().call('GET', next);
    assert.deepEqual(
      [...items(first.body), ...items(second.body)].map(({ details }) => details?.n),
      [5, 3, 1],
    );
    assert.equal(second.headers.get('link'), null);
  });

  test('is shown to administrators only', async () => {
    for (const as of ['internal', 'user'] as const)
      assertProblem(await fleet().call('GET', '/audit', undefined, { as }), 403);
    assertProblem(await fleet().call('GET', '/audit', undefined, { as: null }), 401);
  });

  test('refuses what it does not understand, naming it', async () => {
    for (const [query, path] of [
      ['action=nothing', 'action'],
      ['limit=0', 'limit'],
      ['limit=201', 'limit'],
      ['cursor=xyz', 'cursor'],
      ['from=yesterday', 'from'],
      ['user_id=a%20b', 'user_id'],
    ] as const) {
      const refused = await fleet().call('GET', `/audit?${query}`);
      assertProblem(refused, 422);
      assert.equal(items(refused.body.errors)[0]?.path, path);
    }
  });
});
