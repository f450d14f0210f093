import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { after, before, test } from 'node:test';
import { alertOf, raiseAlert } from '../support/alerting.js';
import { forEachEngine } from '../support/engines.js';
import { useFleet } from '../support/fleet.js';
import { items } from '../support/http.js';
import { freePort } from '../support/ports.js';
import { readiness } from '../support/ready.js';
import { scrape } from '../support/scrape.js';
import { waitFor } from '../support/wait.js';

const INTERVAL_MS = 1_000;
/** A canary is missed after three intervals; the rest is for a busy machine. */
const MISSED = { timeoutMs: 20_000 };
const SECRET = 'a-secret-check-id';

const ports = { postgres: await freePort(), redis: await freePort() };

forEachEngine((engine) => {
  const port = ports[engine];
  const fleet = useFleet({
    engine,
    api: 2,
    // Nobody here escalates.
    workers: [{ queues: '*.critical,*.high,*.normal,*.low,fanout' }],
    env: {
      CANARY_INTERVAL_MS: String(INTERVAL_MS),
      AUDIT_LATE_MS: '500',
      ESCALATION_STEP_MS: '300',
      DEADMAN_URL: `http://127.0.0.1:${port}/${SECRET}`,
    },
  });
  const pings: number[] = [];
  let status = 200;
  let dog: Server;
  before(async () => {
    dog = createServer((req, res) => {
      if (req.url === `/${SECRET}`) pings.push(Date.now());
      res.statusCode = status;
      res.end('OK');
    });
    await new Promise<void>((resolve) => dog.listen(port, '127.0.0.1', resolve));
  });
  after(() => dog.close());

  const failing = async () => (await readiness(fleet())).failing;
  const more = (count: number) => {
    const wanted = pings.length + count;
    return waitFor(() => pings.length >= wanted, { timeoutMs: 20_000, what: `${count} more pings` });
  };
  const silence = async () => (await scrape(fleet().api.url)).value('belfry_dead_man_seconds');

  test('what the fleet sends to itself arrives, the outside hears of it, and nobody else does', async () => {
    await more(4);
    const elapsed = Date.now() - (pings[0] ?? 0);
    assert.ok(pings.length <= elapsed / (INTERVAL_MS / 2) + 2, `two processes, one ping: ${pings.length}`);
    await waitFor(async () => Number(await silence()) < 5, MISSED);
    const own = ['canary', 'escalation'];
    await waitFor(async () => !(await failing()).some((part) => own.includes(part)), MISSED);
    const { call, database } = fleet();
    assert.equal(String((await call('GET', '/notifications/stats')).body.total_notifications), '0');
    assert.deepEqual(items((await call('GET', '/notifications')).body), []);
    assert.deepEqual(items((await call('GET', '/users')).body), []);
    const { rows } = await database.query(
      `SELECT (SELECT count(*)::int FROM notification) AS left, (SELECT count(*)::int FROM inbox_item) AS notes,
         (SELECT coalesce(sum(count), 0)::int FROM pruned_count) AS pruned`,
    );
    assert.ok(rows[0].left <= 4, `${rows[0].left} are left`);
    assert.deepEqual([rows[0].notes, rows[0].pruned], [0, 0]);
    assert.equal((await scrape(fleet().api.url)).value('belfry_notifications_accepted_total') ?? 0, 0);
  });

  test('an alert that nobody escalates is seen by those who do not escalate, and the outside hears nothing', async () => {
    await fleet().person('boss', { roles: ['admin'] });
    const { id } = await raiseAlert(fleet(), 'critical/overdue');
    // Any worker takes a step that is a second late, unless somebody else seems about to.
    const holder = await fleet().database.connect();
    await holder.query('BEGIN');
    await holder.query('SELECT 1 FROM alert WHERE id = $1 FOR UPDATE', [id]);
    try {
      await waitFor(async () => (await failing()).includes('escalation'), { timeoutMs: 20_000 });
      await waitFor(async () => (await scrape(fleet().api.url)).value('belfry_alerts_overdue') === 1, MISSED);
      await waitFor(() =>
        fleet()
          .logs()
          .some((line) => line.includes('"event":"alerts_overdue"')),
      );
      assert.ok(
        fleet()
          .logs()
          .filter((line) => line.includes('alerts_overdue'))
          .every((line) => line.includes('"level":"error"')),
      );
      const before = pings.length;
      const arrived = Date.now();
      // Canaries go on arriving meanwhile.
      await waitFor(async () => Date.now() - arrived > 3 * INTERVAL_MS && Number(await silence()) < 3, {
        timeoutMs: 20_000,
      });
      assert.ok(pings.length - before <= 1, `${pings.length - before} pings`);
      assert.equal(String((await alertOf(fleet(), id)).status), 'open');
    } finally {
      await holder.query('ROLLBACK');
      holder.release();
    }
    await fleet().call('POST', `/alerts/${id}/acknowledge`);
    await more(2);
    assert.ok(!(await failing()).includes('escalation'));
  });

  test('workers that stand still are noticed, the outside hears nothing, and all is well when they go on', async () => {
    const [worker] = fleet().workers;
    worker?.kill('SIGSTOP');
    try {
      await waitFor(async () => (await failing()).includes('canary'), {
        ...MISSED,
        what: '/ready to miss it',
      });
      const before = pings.length;
      assert.ok(Number(await silence()) >= 2);
      await waitFor(() =>
        fleet()
          .logs()
          .some((line) => line.includes('"event":"canary_missing"')),
      );
      const since = Date.now();
      await waitFor(() => Date.now() - since > 2 * INTERVAL_MS);
      assert.equal(pings.length, before);
    } finally {
      worker?.kill('SIGCONT');
    }
    await more(2);
    await waitFor(async () => !(await failing()).includes('canary'), MISSED);
  });

  test('an outside that does not answer well is said, without its address', async () => {
    status = 500;
    await waitFor(
      () =>
        fleet()
          .logs()
          .some((line) => line.includes('"why":"status-500"')),
      MISSED,
    );
    status = 200;
    await waitFor(async () => {
      const scrapes = await Promise.all(fleet().apis.map(({ url }) => scrape(url)));
      const failed = scrapes.map(
        (one) => one.value('belfry_dead_man_pings_total', { outcome: 'failed' }) ?? 0,
      );
      return failed.reduce((sum, one) => sum + one, 0) >= 1;
    });
    assert.ok(!fleet().logs().join('\n').includes(SECRET));
  });
});
