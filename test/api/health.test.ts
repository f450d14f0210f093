import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import type { EmbeddedPostgres } from '@belfry/local/embedded-postgres.js';
import { forEachEngine } from '../support/engines.js';
import { type Fleet, startFleet, useFleet } from '../support/fleet.js';
import { ask } from '../support/http.js';
import { freePort } from '../support/ports.js';
import { startPostgres, temporaryDir } from '../support/postgres.js';
import { readiness } from '../support/ready.js';
import { waitFor } from '../support/wait.js';
import { CALLS } from './calls.js';
import { assertProblem } from './problem.js';

forEachEngine((engine) => {
  const fleet = useFleet({ engine, workers: [] });
  const ready = () => readiness(fleet());

  test('a process is alive, and says so to anybody', async () => {
    const health = await fleet().page('/health', { as: null });
    assert.equal(health.status, 200);
    assert.deepEqual(health.body, { status: 'ok' });
  });

  test('without any worker calls are taken and nothing is delivered: that is degraded', async () => {
    const { unserved, ...rest } = await ready();
    assert.deepEqual(rest, {
      status: 'degraded',
      failing: ['workers'],
      engine,
      workers: 0,
      lost: 0,
      providers: [],
      untold: 0,
      exhausted: 0,
    });
    assert.equal(unserved.length, 22);
  });

  test('what cannot be asked is not well, however well everything else answers', async () => {
    const holder = await fleet().database.connect();
    try {
      await holder.query('BEGIN; LOCK TABLE worker IN ACCESS EXCLUSIVE MODE');
      const body = await waitFor(async () => {
        const answer = await ready();
        return answer.failing.includes('fleet') ? answer : undefined;
      });
      assert.deepEqual([body.status, body.failing, body.workers], ['degraded', ['fleet'], null]);
    } finally {
      await holder.query('ROLLBACK');
      holder.release();
    }
    await waitFor(async () => String((await ready()).failing) === 'workers', { timeoutMs: 20_000 });
  });

  test('a queue that no worker serves is named, until one does', async () => {
    const lane = await fleet().addWorker({ queues: '*.critical,*.high,*.normal,fanout,escalation' });
    const body = await waitFor(async () => {
      const answer = await ready();
      return answer.workers === 1 ? answer : undefined;
    });
    assert.deepEqual([body.status, body.failing], ['degraded', ['workers']]);
    assert.deepEqual(body.unserved, ['realtime.low', 'email.low', 'sms.low', 'push.low', 'webhook.low']);

    await fleet().addWorker({ queues: '*.low' });
    const both = await waitFor(async () => {
      const answer = await ready();
      return answer.workers === 2 ? answer : undefined;
    });
    assert.deepEqual(both, {
      status: 'ready',
      failing: [],
      engine,
      workers: 2,
      lost: 0,
      unserved: [],
      providers: [],
      untold: 0,
      exhausted: 0,
    });

    await lane.stop();
    const after = await waitFor(async () => {
      const answer = await ready();
      return answer.workers === 1 ? answer : undefined;
    });
    assert.deepEqual([after.status, after.lost], ['degraded', 0], 'it said goodbye');
  });

  test('a worker that freezes is missed within a minute, and is counted again when it goes on', async () => {
    const frozen = await fleet().addWorker();
    await waitFor(async () => (await ready()).status === 'ready');
    const [low] = fleet().workers.slice(1);
    await low?.stop();
    frozen.kill('SIGSTOP');
    try {
      const body = await waitFor(
        async () => {
          const answer = await ready();
          return answer.status === 'ready' ? undefined : answer;
        },
        { timeoutMs: 60_000, what: '/ready to miss the worker' },
      );
      assert.deepEqual([body.failing, body.workers, body.lost], [['workers'], 0, 1]);
    } finally {
      frozen.kill('SIGCONT');
    }
    await waitFor(async () => (await ready()).status === 'ready');
  });
});

describe('without a database', () => {
  const dataDir = temporaryDir();
  let postgres: EmbeddedPostgres;
  let fleet: Fleet;
  let port: number;
  let starting: Promise<unknown>;

  before(async () => {
    port = await freePort();
    postgres = await startPostgres({ port, dataDir });
    await postgres.stop();
    const database = { url: postgres.url, drop: async () => {} };
    fleet = await startFleet({ engine: 'postgres', workers: [], api: 0, database });
  });
  after(async () => {
    await fleet.stop().finally(() => postgres.stop());
    rmSync(dataDir, { recursive: true, force: true });
  });

  test('a process that starts without one serves at once, and says what is missing', async () => {
    const apiPort = await freePort();
    starting = fleet.addApi({ PORT: String(apiPort) });
    const url = `http://127.0.0.1:${apiPort}`;
    await waitFor(async () => (await ask('GET', `${url}/health`)).status === 200, { timeoutMs: 30_000 });
    const ready = await ask('GET', `${url}/ready`);
    assert.equal(ready.status, 503);
    assert.deepEqual(ready.body.failing, ['database', 'schema', 'queue']);
    const headers = { authorization: `Bearer ${await fleet.token('admin')}` };
    assertProblem(await ask('GET', `${url}/api/v1/users`, undefined, headers), 503);
  });

  test('it works as soon as the database comes', async () => {
    postgres = await startPostgres({ port, dataDir });
    await starting;
    await waitFor(async () => (await fleet.page('/ready')).status === 200, { timeoutMs: 20_000 });
    await fleet.person('ada');
    await fleet.send({ user_id: 'ada', message: 'x' });
  });

  test('when it goes away, every call gets 503, the database is named, and the process is still alive', async () => {
    await postgres.stop();
    const ready = await waitFor(async () => {
      const answer = await fleet.page('/ready');
      return answer.status === 503 ? answer : null;
    }).catch((error: Error) => {
      throw new Error(`${error.message}; the API said:\n${fleet.logs().slice(-20).join('\n')}`);
    });
    assert.equal(ready.body.status, 'unavailable');
    assert.deepEqual(ready.body.failing, ['database', 'queue']);
    assert.match(ready.headers.get('retry-after') ?? '', /^[1-9]/);
    assert.equal((await fleet.page('/health')).status, 200);
    const away = { 'idempotency-key': 'away' };
    // Without a body it imports nobody, and needs no database for that.
    for (const { method, path, body } of CALLS.filter((one) => one.path !== '/users/import')) {
      const answer = await fleet.call(method, path, body, { headers: away });
      assert.equal(answer.status, 503, `${method} ${path}: ${answer.text}`);
      assertProblem(answer, 503);
      const nothing = method === 'GET' ? '' : ' Nothing was accepted.';
      assert.equal(answer.body.detail, `The database cannot be reached.${nothing}`);
    }
    const lines = { 'content-type': 'application/x-ndjson' };
    const imported = await fleet.call('POST', '/users/import', '{"id":"ada"}', { headers: lines });
    assertProblem(imported, 503);
    assert.deepEqual([imported.body.lines, imported.body.imported], [1, 0], 'it says how far it came');
    assertProblem(await fleet.call('GET', '/users', undefined, { as: null }), 401);
    assertProblem(await fleet.call('POST', '/notifications/send', {}), 422);
  });

  test('when it is back, calls are accepted again by the same process', async () => {
    postgres = await startPostgres({ port, dataDir });
    await waitFor(async () => (await fleet.page('/ready')).status === 200, { timeoutMs: 20_000 });
    const id = await fleet.send({ user_id: 'ada', message: 'x' });
    assert.equal((await fleet.call('GET', `/notifications/${id}`)).body.status, 'PENDING');
  });
});
