import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachEngine } from '../support/engines.js';
import { useFleet } from '../support/fleet.js';
import { askedBy, readExpressions } from '../support/observability.js';
import { scrape, scrapeWorker } from '../support/scrape.js';
import { waitFor } from '../support/wait.js';
import { email, sms } from './sending.js';
import { openEvents, untilNotes } from './stream-clients.js';

/** What Prometheus itself adds to a series. */
const OF_SCRAPES = ['job', 'instance'];

forEachEngine((engine) => {
  const fleet = useFleet({ engine, env: { RATE_LIMIT: '20/60s', CANARY_INTERVAL_MS: '1000' } });

  test('every metric that the dashboard and the alerts ask for is there once a fleet has sent, failed and been slowed down, with the labels they ask by', async () => {
    const { sandbox, call, api, untilStatus, database } = fleet();
    const [gone, busy] = ['gone@watched.test', '+251911000401'];
    await sandbox.fault({
      channel: 'email',
      recipient: gone,
      action: { kind: 'smtp', code: 550, at: 'rcpt', enhanced: '5.1.1' },
    });
    await sandbox.fault({
      channel: 'sms',
      recipient: busy,
      action: { kind: 'status', status: 429, retryAfter: 0 },
      times: 1,
    });
    await untilStatus(await email(fleet(), 'ada@watched.test', { priority: 'critical' }), 'SENT');
    await untilStatus(await email(fleet(), gone), 'FAILED');
    await untilStatus(await sms(fleet(), busy), 'SENT');
    await fleet().person('ada');
    await call('POST', '/notifications/realtime/broadcast', { message: 'All is well.' });
    const stream = await openEvents(fleet(), { sub: 'ada' });
    await untilNotes(stream, 1);
    stream.close();
    await waitFor(async () => (await scrape(api.url)).text.includes('belfry_realtime_streams_ended_total{'), {
      what: 'the end of the stream',
    });
    for (let status = 200; status !== 429; ) ({ status } = await call('GET', '/notifications'));
    await database.query(
      `INSERT INTO worker (id, queues, providers) VALUES (gen_random_uuid(), '{}',
         '[{"account": "smtp", "channel": "email", "state": "open", "code": "421", "since": "2026-01-01T00:00:00Z"}]')`,
    );

    // The newest view of the ledger may be from before the row above.
    const seen = [await scrapeWorker(fleet()), await scrape(api.url)];
    const shown = seen.flatMap(({ samples }) => samples);
    const declared = new Set(
      seen.flatMap(({ text }) =>
        [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(([, name = '', type]) =>
          type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
        ),
      ),
    );
    const missing: string[] = [];
    for (const { where, expr } of readExpressions()) {
      const { asked = [], grouped = [] } = askedBy(expr) ?? {};
      for (const { metric, labels } of asked) {
        if (!declared.has(metric)) missing.push(`${where}: ${metric}`);
        const series = shown.filter(({ name }) => name === metric);
        const known = new Set([...series.flatMap((one) => Object.keys(one.labels)), ...OF_SCRAPES]);
        if (series.length === 0) continue;
        for (const label of [...labels, ...grouped])
          if (!known.has(label)) missing.push(`${where}: ${metric} has no label ${label}`);
      }
    }
    assert.deepEqual(missing, []);
    const silent = [...declared].filter(
      (name) => name.startsWith('belfry_') && !shown.some((one) => one.name === name),
    );
    // Only what cannot have happened in a fleet that is well has no series yet.
    for (const name of silent)
      assert.match(
        name,
        /^belfry_(reconciled|signatures_refused|dead_man_pings|retried|broken_records|provider_accounts|alerts|alert_moves|alert_acknowledge|escalation|inbound_alerts|heartbeat_moves|mqtt_messages|(enqueue|upkeep|connection|fan_out|realtime)_failures)/,
      );
  });
});
