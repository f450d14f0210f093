import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { useFleet } from '../support/fleet.js';
import { items } from '../support/http.js';
import { payload } from '../support/inbound-payload.js';
import { waitFor } from '../support/wait.js';
import { auditOf } from './audit-rows.js';
import { inboundCalls } from './inbound-calls.js';
import { addSource } from './inbound-places.js';
import { assertProblem } from './problem.js';

const COUNTS = { received: 0, opened: 0, repeated: 0, resolved: 0, ignored: 0, refused: 0, truncated: 0 };
/** More calls of one source than any other test makes. */
const LIMIT = 60;

describe('inbound alerts', () => {
  const fleet = useFleet({
    engine: 'postgres',
    api: 2,
    env: { RATE_LIMIT_INBOUND: `${LIMIT}/60s` },
  });
  const { tokens, post, bearer, taken, alertsOf, told } = inboundCalls(fleet);

  before(async () => {
    await fleet().person('boss', { email: 'boss@example.org', phone: '+251911000001', roles: ['admin'] });
    for (const kind of ['alertmanager', 'grafana', 'json'])
      tokens.set(
        kind,
        await addSource(fleet(), kind, { kind, ...(kind === 'json' ? { level: 'info' } : {}) }),
      );
  });

  test('an Alertmanager opens and resolves: each alert by itself', async (t) => {
    const took = await told('alertmanager', payload('alertmanager-firing'), 'The disk of db-1 will be full');
    t.diagnostic(`in the inbox ${took} ms after the call`);

    assert.deepEqual(await taken('alertmanager', payload('alertmanager-firing'), 1), {
      received: 2,
      repeated: 2,
    });
    const open = await alertsOf('alertmanager');
    assert.deepEqual(
      open.map(({ type, level, status, count }) => [type, level, status, count]),
      [
        ['DiskWillFill', 'critical', 'open', 2],
        ['DiskWillFill', 'warning', 'open', 2],
      ],
    );
    const read = await fleet().call('GET', `/alerts/${open[0]?.id}`);
    assert.equal(read.body.details?.labels?.device, '/dev/sda1');
    assert.equal(String(read.body.dedup_key), 'source:alertmanager:1f0a41c7cca2921f');

    assert.deepEqual(await taken('alertmanager', payload('alertmanager-resolved')), {
      received: 2,
      resolved: 2,
    });
    assert.deepEqual(await taken('alertmanager', payload('alertmanager-resolved'), 1), {
      received: 2,
      ignored: 2,
    });
    for (const one of await alertsOf('alertmanager'))
      assert.deepEqual(
        [one.status, one.resolved_by, one.resolved_via],
        ['resolved', 'source:alertmanager', 'source'],
      );

    assert.deepEqual(await taken('alertmanager', payload('alertmanager-firing')), { received: 2, opened: 2 });
    assert.equal((await alertsOf('alertmanager')).length, 4, 'what fires again is another alert');
    await taken('alertmanager', payload('alertmanager-resolved'));
  });

  test('Grafana does the same, and its test wakes nobody', async (t) => {
    const took = await told('grafana', payload('grafana-firing'), 'app-1 runs out of memory');
    t.diagnostic(`in the inbox ${took} ms after the call`);
    assert.deepEqual(await taken('grafana', payload('grafana-resolved')), { received: 2, resolved: 2 });
    assert.deepEqual(await taken('grafana', payload('grafana-test')), { received: 1, opened: 1 });
    assert.deepEqual(
      (await alertsOf('grafana')).map(({ type, level }) => `${type} ${level}`),
      ['High_memory_usage warning', 'DatasourceNoData warning', 'TestAlert info'],
    );
  });

  test('a script does it with one line of JSON', async (t) => {
    const about = { type: 'backup_failed', message: 'No space', affected_systems: ['db-1'] };
    t.diagnostic(`in the inbox ${await told('json', about, 'No space')} ms after the call`);
    assert.deepEqual(await taken('json', about), { received: 1, repeated: 1 });
    assert.deepEqual(await taken('json', { ...about, status: 'resolved' }), { received: 1, resolved: 1 });
    assert.deepEqual(
      (await alertsOf('json')).map(({ level, count, status }) => [level, count, status]),
      [['info', 2, 'resolved']],
    );
    const worse = { ...about, type: 'disk', level: 'critical' };
    assert.deepEqual(await taken('json', { alerts: [{ ...about, type: 'disk' }, worse] }), {
      received: 2,
      opened: 2,
    });
    await taken('json', { type: 'disk', status: 'resolved', affected_systems: ['db-1'] });
    assert.deepEqual(
      (await alertsOf('json')).filter(({ status }) => status !== 'resolved'),
      [],
    );
  });

  test('one that is bad harms no other, and the answer says where it is', async () => {
    const alerts = [
      { type: 'good_1', message: 'x' },
      { type: 'bad', message: 'x', level: 'loud' },
      { type: 'bad two', message: 'x' },
      { type: 'good_2', message: 'x' },
    ];
    const { status, body } = await post('json', { alerts });
    assert.equal(status, 200);
    const { errors, ...counts } = body;
    assert.deepEqual(counts, { ...COUNTS, received: 4, opened: 2, refused: 2 });
    const told = JSON.parse(JSON.stringify(errors)) as { index: number; errors: { path: string }[] }[];
    assert.deepEqual(
      told.map((one) => [one.index, one.errors[0]?.path]),
      [
        [1, 'alerts.1.level'],
        [2, 'alerts.2.type'],
      ],
    );
  });

  test('one that asks for a policy that somebody has removed is raised all the same', async () => {
    await taken('json', { type: 'orphan', level: 'critical', message: 'x', escalation_policy: 'removed' });
    const orphan = (await alertsOf('json')).find(({ type }) => type === 'orphan');
    const { body } = await fleet().call('GET', `/alerts/${orphan?.id}`);
    assert.equal(String(body.escalation?.policy), 'default');
    const [opened] = items(body.timeline);
    assert.equal(JSON.stringify(opened?.details), '{"policy":"default","missing_policy":"removed"}');
  });

  test('what two processes get at the same moment opens one alert', async () => {
    const alert = { type: 'rush', message: 'x', dedup_key: 'rush' };
    const all = await Promise.all(Array.from({ length: 12 }, (_, n) => taken('json', alert, n % 2)));
    assert.equal(all.filter(({ opened }) => opened === 1).length, 1);
    const rush = (await alertsOf('json')).filter(({ type }) => type === 'rush');
    assert.deepEqual(
      rush.map(({ count }) => count),
      [12],
    );
    const { rows } = await fleet().database.query(
      'SELECT count(*)::int AS n FROM notification WHERE alert_id = $1',
      [rush[0]?.id],
    );
    assert.equal(rows[0].n, 1, 'told once');
  });

  test('the token of the source opens it, and nothing else', async () => {
    const alert = { type: 'tokens', message: 'x', dedup_key: 'tokens' };
    const token = tokens.get('json') ?? '';
    const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
    for (const good of [bearer('json'), `bearer ${token}`, basic(`anybody:${token}`), basic(`:${token}`)])
      assert.equal((await post('json', alert, { authorization: good })).status, 200, good);
    const guessed = `belfry_source_${'x'.repeat(43)}`;
    const admin = await fleet().token('admin');
    for (const bad of [
      '',
      token,
      'Bearer',
      `Bearer ${guessed}`,
      `Bearer ${admin}`,
      basic(token),
      `Bearer ${token}x`,
    ])
      assertProblem(await post('json', alert, { authorization: bad }), 401, { code: 'unauthenticated' });
    assertProblem(await post('json', alert, { authorization: bearer('grafana') }), 403);
    assertProblem(await post('nobodys', alert, { authorization: bearer('json') }), 404);
    assertProblem(
      await fleet().call('GET', '/alerts', undefined, {
        as: null,
        headers: { authorization: bearer('json') },
      }),
      401,
    );
    assert.equal((await alertsOf('json')).find(({ type }) => type === 'tokens')?.count, 4);
  });

  test('a token is shown once, kept as a hash, and replaced or taken away at once', async () => {
    const old = await addSource(fleet(), 'brief', { kind: 'json' });
    assert.match(old, /^belfry_source_[\w-]{43}$/);
    const alert = { type: 'brief', message: 'x' };
    const by = (token: string) => post('brief', alert, { authorization: `Bearer ${token}` });
    assert.equal((await by(old)).status, 200);
    const changed = await fleet().call('PUT', '/alert-sources/brief', { kind: 'json', level: 'critical' });
    assert.deepEqual([changed.status, changed.body.token, changed.body.level], [200, undefined, 'critical']);
    const shown = await fleet().call('GET', '/alert-sources/brief');
    assert.ok(Date.parse(String(shown.body.seen_at)) > 0);
    const all = [shown, await fleet().call('GET', '/alert-sources')].map(({ text }) => text).join();
    const { rows } = await fleet().database.query('SELECT * FROM alert_source');
    assert.ok(!`${all}${JSON.stringify(rows)}${fleet().logs().join('\n')}`.includes(old));

    const rotated = await fleet().call('POST', '/alert-sources/brief/token');
    assertProblem(await by(old), 401);
    assert.equal((await by(String(rotated.body.token))).status, 200);
    assert.equal((await fleet().call('DELETE', '/alert-sources/brief')).status, 204);
    assertProblem(await by(String(rotated.body.token)), 401);
    for (const [method, path] of [
      ['GET', ''],
      ['DELETE', ''],
      ['POST', '/token'],
    ] as const)
      assertProblem(await fleet().call(method, `/alert-sources/brief${path}`), 404);
    const acts = ['put', 'token', 'remove'].map((verb) => auditOf(fleet(), `alert_source.${verb}`));
    const brief = (await Promise.all(acts)).map((rows) =>
      rows.filter(({ target }) => target === 'alert_source:brief'),
    );
    assert.deepEqual(
      brief.map(({ length }) => length),
      [2, 1, 1],
    );
  });

  test('what is no payload is refused whole, and nothing is opened', async () => {
    const before = (await alertsOf('alertmanager')).length;
    const { alerts } = payload('alertmanager-firing');
    const wrong: readonly [unknown, string | undefined][] = [
      [undefined, 'invalid'],
      ['{', 'invalid_json'],
      ['[]', 'invalid'],
      [{}, 'invalid'],
      [{ type: 'x', message: 'y' }, 'invalid'],
      [{ alerts: [null, { labels: {} }] }, 'invalid'],
      [Buffer.from('{"alerts":["\xc0\x80"]}', 'latin1'), 'invalid_encoding'],
    ];
    for (const [body, code] of wrong)
      assertProblem(await post('alertmanager', body), 422, { ...(code ? { code } : {}) });
    const big = { alerts: [...alerts, { labels: { pad: 'x'.repeat(4 * 1024 * 1024) } }] };
    assertProblem(await post('alertmanager', big), 413);
    assert.equal((await alertsOf('alertmanager')).length, before);
    const late = payload('alertmanager-firing');
    assert.deepEqual(await taken('alertmanager', { ...late, truncatedAlerts: 5 }), {
      received: 2,
      opened: 2,
      truncated: 5,
    });
  });

  test('more than a thousand alerts are refused unread', async () => {
    for (const alerts of [Array(2_000_000).fill(0), Array(1_001).fill({ type: 'many', message: 'x' })])
      assertProblem(await post('json', { alerts }), 413, { code: 'too_many_alerts' });
    assert.deepEqual(
      (await alertsOf('json')).filter(({ type }) => type === 'many'),
      [],
    );
  });

  test('what is left is not done when the sender has gone', async () => {
    const alerts = Array.from({ length: 1_000 }, (_, n) => ({
      type: 'left',
      message: 'x',
      dedup_key: `left-${n}`,
    }));
    const gone = new AbortController();
    const opened = async () => (await alertsOf('json')).filter(({ type }) => type === 'left').length;
    const call = fetch(`${fleet().api.url}/api/v1/inbound/json`, {
      method: 'POST',
      headers: { authorization: bearer('json'), 'content-type': 'application/json' },
      body: JSON.stringify({ alerts }),
      signal: gone.signal,
    });
    await waitFor(async () => (await opened()) > 0, { timeoutMs: 20_000 });
    gone.abort();
    await assert.rejects(call);
    const done = await waitFor(
      async () => {
        const all = `"opened":${await opened()},`;
        return fleet()
          .logs()
          .find((line) => line.includes('"inbound_taken"') && line.includes(all));
      },
      { timeoutMs: 30_000 },
    );
    assert.ok((await opened()) < alerts.length, done);
  });

  test('each source has a limit of its own', async () => {
    for (const name of ['busy', 'quiet'])
      tokens.set(name, await addSource(fleet(), name, { kind: 'alertmanager' }));
    const answers = await Promise.all(
      Array.from({ length: LIMIT + 2 }, (_, n) => post('busy', { alerts: [] }, { api: n % 2 })),
    );
    const refused = answers.filter(({ status }) => status !== 200);
    assert.equal(refused.length, 2);
    for (const one of refused) assertProblem(one, 429);
    assert.equal((await post('quiet', { alerts: [] })).status, 200);
  });

  test("tokens that are nobody's are looked up thirty times a minute, and a good one works all the while", async () => {
    const alert = { type: 'guessed', message: 'x', dedup_key: 'guessed' };
    const statuses = new Set<number>();
    for (let n = 0; n < 40; n += 1) {
      const authorization = `Bearer belfry_source_${String(n).padStart(43, 'x')}`;
      statuses.add((await post('json', alert, { authorization })).status);
    }
    assert.deepEqual([...statuses], [401, 429]);
    assert.equal((await post('json', alert)).status, 200);
  });
});
