import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { forEachEngine } from '../support/engines.js';
import { useFleet } from '../support/fleet.js';
import { ask } from '../support/http.js';
import { scrape, scrapeWorker } from '../support/scrape.js';
import { waitFor } from '../support/wait.js';
import { email, sms } from './sending.js';

forEachEngine((engine) => {
  // Text messages of high priority have no worker: they wait.
  const fleet = useFleet({
    engine,
    workers: [{ queues: 'email.*,realtime.*,sms.normal,upkeep' }],
    env: { RATE_LIMIT_SEND: '2/60s', RETRY_SWEEP_MS: '3600000' },
  });
  afterEach(() => fleet().sandbox.clearFaults());

  test('what was accepted, sent, given up and throttled is counted by the process that did it', async () => {
    const { sandbox, api } = fleet();
    const [worker, calls] = [await scrapeWorker(fleet()), await scrape(api.url)];
    await sandbox.fault({
      channel: 'email',
      recipient: 'gone@metrics.test',
      action: { kind: 'smtp', code: 550, at: 'rcpt', enhanced: '5.1.1' },
    });
    await sandbox.fault({
      channel: 'sms',
      recipient: '+251911000301',
      action: { kind: 'status', status: 429, retryAfter: 0 },
      times: 2,
    });
    const sent = await email(fleet(), 'ada@metrics.test', { priority: 'critical' });
    const refused = await email(fleet(), 'gone@metrics.test');
    const slowed = await sms(fleet(), '+251911000301');
    await fleet().untilStatus(sent, 'SENT');
    await fleet().untilStatus(refused, 'FAILED');
    await fleet().untilStatus(slowed, 'SENT');

    const after = await scrapeWorker(fleet());
    const more = (name: string, labels: Record<string, string>) =>
      (after.value(name, labels) ?? 0) - (worker.value(name, labels) ?? 0);
    const smtp = { channel: 'email', provider: 'smtp' };
    const twilio = { channel: 'sms', provider: 'twilio' };
    assert.equal(more('belfry_attempts_total', { ...smtp, outcome: 'sent' }), 1);
    assert.equal(more('belfry_attempts_total', { ...smtp, outcome: 'rejected' }), 1);
    assert.equal(more('belfry_attempts_total', { ...twilio, outcome: 'throttled' }), 2);
    assert.equal(more('belfry_attempts_total', { ...twilio, outcome: 'sent' }), 1);
    assert.equal(more('belfry_attempt_duration_seconds_count', twilio), 3);
    assert.equal(more('belfry_delivery_moves_total', { channel: 'email', state: 'sent' }), 1);
    assert.equal(more('belfry_delivery_moves_total', { channel: 'sms', state: 'retrying' }), 2);
    assert.equal(more('belfry_deliveries_dead_total', { channel: 'email', class: 'rejected' }), 1);
    const critical = { channel: 'email', priority: 'critical' };
    assert.equal(more('belfry_accept_to_provider_seconds_count', critical), 1);
    const took = more('belfry_accept_to_provider_seconds_sum', critical);
    assert.ok(took > 0 && took < 60, `it took ${took} s`);

    const api2 = await scrape(api.url);
    const accepted = (labels: Record<string, string>) =>
      (api2.value('belfry_notifications_accepted_total', labels) ?? 0) -
      (calls.value('belfry_notifications_accepted_total', labels) ?? 0);
    assert.equal(accepted({ priority: 'critical', kind: 'email' }), 1);
    assert.equal(accepted({ priority: 'normal', kind: 'email' }), 1);
    assert.equal(accepted({ priority: 'normal', kind: 'sms' }), 1);
  });

  test('calls are counted by the pattern of their route, never by a path, and those that were too many by their limit', async () => {
    const { call, api, person } = fleet();
    await person('mia');
    for (const _ of [1, 2, 3]) await call('POST', '/notifications/send', { user_id: 'mia', message: 'x' });
    for (const path of ['/nowhere/7', '/no/8', '/users/', '/%20']) await call('GET', path);
    await call('GET', '/users/mia', undefined, { as: null });
    await ask('PURGE', `${api.url}/health`).catch(() => undefined);
    const seen = await scrape(api.url);
    const name = 'belfry_http_request_duration_seconds_count';
    const send = { method: 'POST', route: '/api/v1/notifications/send' };
    assert.equal(seen.value(name, { ...send, status: '2xx' }), 2);
    assert.equal(seen.value(name, { ...send, status: '4xx' }), 1);
    assert.equal(seen.value('belfry_rate_limited_total', { limit: 'notifications' }), 1);
    assert.equal(seen.value(name, { method: 'PUT', route: '/api/v1/users/:id', status: '2xx' }), 1);
    assert.ok((seen.value(name, { route: 'none', status: '4xx' }) ?? 0) >= 4);
    const routes = new Set(seen.samples.flatMap(({ labels }) => labels.route ?? []));
    for (const route of routes) assert.match(route, /^(none|\/[\w/:.*{}-]*)$/);
    const own = await scrapeWorker(fleet());
    for (const { labels } of [...seen.samples, ...own.samples])
      for (const value of Object.values(labels)) assert.doesNotMatch(value, /nowhere|mia|metrics\.test|2519/);
  });

  test('what waits in which queue, and for how long, is seen for the whole fleet', async () => {
    const { api, queues } = fleet();
    const queue = 'sms.high';
    const id = await sms(fleet(), '+251911000302', { priority: 'high' });
    const [delivery] = await fleet().deliveries(id);
    await waitFor(() => queues.queue(queue).getJob(delivery?.id ?? ''));
    // Ledger and queues are each looked at every five seconds.
    const first = await waitFor(
      async () => {
        const seen = await scrape(api.url);
        assert.equal(seen.value('belfry_queue_jobs', { queue, state: 'waiting' }), 1);
        assert.equal(seen.value('belfry_deliveries_open', { queue }), 1);
        return seen;
      },
      { timeoutMs: 20_000 },
    );
    assert.equal(first.value('belfry_up'), 2);
    assert.equal(first.value('belfry_deliveries_due', { queue }), 1);
    const waited = first.value('belfry_oldest_waiting_seconds', { queue }) ?? 0;
    assert.ok(waited > 0, `it has waited ${waited} s`);
    await waitFor(
      async () =>
        ((await scrape(api.url)).value('belfry_oldest_waiting_seconds', { queue }) ?? 0) >= waited + 4,
      { timeoutMs: 20_000, what: 'the oldest to have waited longer' },
    );
    assert.equal(first.value('belfry_queue_jobs', { queue: 'push.low', state: 'waiting' }), 0);
    assert.equal(first.value('belfry_oldest_waiting_seconds', { queue: 'push.low' }), 0);
    assert.equal(first.value('belfry_queue_paused', { queue }), 0);
    await queues.queue(queue).pause();
    await waitFor(async () => (await scrape(api.url)).value('belfry_queue_paused', { queue }) === 1, {
      timeoutMs: 20_000,
    });
    await queues.queue(queue).resume();
  });

  test('workers are alive as long as the ledger hears of them, and say how their providers are', async () => {
    const { api, database } = fleet();
    const alive = async () => (await scrape(api.url)).value('belfry_workers_alive') ?? -1;
    const before = await alive();
    assert.ok(before >= 0);
    const account = { account: 'made-up', channel: 'push', code: '401', since: new Date().toISOString() };
    const add = (state: string, seenAgo: string) =>
      database.query(
        `INSERT INTO worker (id, queues, providers, seen_at)
         VALUES (gen_random_uuid(), '{push.low}', $1, now() - $2::interval)`,
        [JSON.stringify([{ ...account, state }]), seenAgo],
      );
    await add('misconfigured', '-10 minutes');
    await add('closed', '-10 minutes');
    await add('open', '1 hour');
    await waitFor(async () => (await alive()) === before + 2, { timeoutMs: 20_000 });
    const seen = await scrape(api.url);
    const standing = (state: string) => seen.value('belfry_provider_accounts', { account: 'made-up', state });
    assert.deepEqual(['closed', 'open', 'misconfigured'].map(standing), [1, 0, 1]);
  });

  test('a process shows its event loop, its pools and its health', async () => {
    const worker = await scrapeWorker(fleet());
    const own = [worker, await scrape(fleet().api.url)];
    for (const seen of own) {
      assert.ok((seen.value('nodejs_eventloop_lag_p99_seconds') ?? -1) >= 0);
      assert.ok((seen.value('process_resident_memory_bytes') ?? 0) > 1_000_000);
      assert.ok((seen.value('belfry_pool_connections', { pool: 'ledger' }) ?? 0) > 0);
      assert.equal(
        seen.value('belfry_pool_connections', { pool: 'engine' }) !== undefined,
        engine === 'postgres',
      );
    }
    const at = (path: string) => ask('GET', new URL(path, String(fleet().workers[0]?.ready.metrics)).href);
    assert.deepEqual((await at('/health')).body, { status: 'ok' });
    assert.deepEqual((await at('/ready')).body, { status: 'ready', failing: [], engine });
    assert.equal((await at('/')).status, 404);
    const { port } = new URL(String(fleet().workers[0]?.ready.metrics));
    await assert.rejects(
      fleet().addWorker({ env: { WORKER_PORT: port } }),
      new RegExp(`Port ${port} is taken. Set WORKER_PORT to another one.`),
    );
  });
});
