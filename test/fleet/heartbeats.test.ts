import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { addSource } from '../api/inbound-places.js';
import { assertProblem } from '../api/problem.js';
import { useFleet } from '../support/fleet.js';
import { waitFor } from '../support/wait.js';

describe('a heartbeat', () => {
  const fleet = useFleet({ engine: 'postgres', workers: [{}, {}] });
  const beat = (name: string, authorization?: string) =>
    fleet().call(
      'POST',
      `/heartbeats/${name}`,
      undefined,
      authorization === undefined ? { as: 'internal' } : { as: null, headers: { authorization } },
    );
  const put = async (name: string, body: Record<string, unknown> = {}) => {
    const answer = await fleet().call('PUT', `/heartbeats/${name}`, { after_ms: 10_000, ...body });
    assert.equal(answer.status, 201, answer.text);
  };
  /** Nobody waits ten seconds here: it is due in a moment. */
  const hasten = (name: string) =>
    fleet().database.query(
      "UPDATE heartbeat SET due_at = clock_timestamp() + interval '300 ms' WHERE name = $1",
      [name],
    );
  const alertsOf = async (name: string) =>
    (
      await fleet().database.query(
        'SELECT id, status, resolved_via, level, type FROM alert WHERE dedup_key = $1',
        [`heartbeat:${name}`],
      )
    ).rows;
  const missed = (name: string) =>
    waitFor(async () => (await alertsOf(name)).find(({ status }) => status === 'open'));

  before(() => fleet().person('boss', { email: 'boss@example.org', roles: ['admin'] }));

  test('that falls silent opens an alert, though a worker was killed, and its next beat resolves it', async (t) => {
    await put('nightly');
    fleet().workers[0]?.kill('SIGKILL');
    const began = performance.now();
    await hasten('nightly');
    await missed('nightly');
    t.diagnostic(`opened ${Math.round(performance.now() - began - 300)} ms after it was due`);
    await waitFor(async () =>
      (await fleet().call('GET', '/users/boss/inbox')).text.includes('nightly has not been heard of'),
    );
    const { body } = await fleet().call('GET', '/heartbeats/nightly');
    assert.ok(Date.parse(String(body.missed_at)) > 0);

    const { status, body: answer, text } = await beat('nightly');
    assert.equal(status, 200, text);
    assert.equal(String(answer.name), 'nightly');
    assert.ok(Date.parse(String(answer.due_at)) > Date.now() + 5_000);
    assert.deepEqual(
      (await alertsOf('nightly')).map(({ id: _, ...one }) => one),
      [{ status: 'resolved', resolved_via: 'heartbeat', level: 'critical', type: 'heartbeat_missed' }],
    );
    assert.equal((await fleet().call('GET', '/heartbeats/nightly')).body.missed_at, null);
  });

  test('is heard of services, administrators and every alert source, whatever they send along', async () => {
    await put('heard');
    const token = await addSource(fleet(), 'watchdog', { kind: 'alertmanager' });
    assert.equal((await beat('heard', `Bearer ${token}`)).status, 200);
    const basic = Buffer.from(`x:${token}`).toString('base64');
    const posted = await fleet().call(
      'POST',
      '/heartbeats/heard',
      { status: 'firing', alerts: [{}] },
      { as: null, headers: { authorization: `Basic ${basic}` } },
    );
    assert.equal(posted.status, 200, posted.text);
    assertProblem(await beat('heard', `Bearer belfry_source_${'x'.repeat(43)}`), 401);
    assertProblem(await fleet().call('POST', '/heartbeats/heard', undefined, { as: 'user' }), 403);
    assertProblem(await beat('unheard', `Bearer ${token}`), 404);
    assertProblem(await beat('a b'.replace(' ', '%20')), 422, { path: 'name' });
    assert.equal((await fleet().call('DELETE', '/heartbeats/heard')).status, 204);
    assertProblem(await beat('heard'), 404);
  });

  test('that is silent after its process and all workers were away is given its time before it is missed', async () => {
    await put('away', { after_ms: 600_000 });
    for (const worker of fleet().workers) worker.kill('SIGKILL');
    // As if the API had been away, too, for a minute that has just ended.
    await hasten('away');
    await fleet().database.query("UPDATE upkeep SET ran_at = ran_at - interval '1 minute'");
    await waitFor(async () => {
      const { rows } = await fleet().database.query(
        "SELECT due_at > clock_timestamp() + interval '5 s' AS spared FROM heartbeat WHERE name = 'away'",
      );
      return rows[0]?.spared;
    });
    await fleet().addWorker();
    await put('control');
    await hasten('control');
    await missed('control');
    assert.deepEqual(await alertsOf('away'), []);
    assert.ok(
      fleet()
        .logs()
        .some((line) => line.includes('"event":"heartbeats_spared"')),
    );
  });
});
