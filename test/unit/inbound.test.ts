import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readJson } from '@belfry/api/inbound/json-alert.js';
import { readPrometheus } from '@belfry/api/inbound/prometheus.js';
import { Refusal } from '@belfry/shared/domain/refusal.js';
import { firing, payload, problems, resolved } from '../support/inbound-payload.js';

const SOURCE = { name: 'prom', level: 'warning' } as const;

/** One alert of an Alertmanager with these labels and annotations. */
const alert = (labels: unknown, others: Record<string, unknown> = {}) => ({
  alerts: [{ status: 'firing', labels, annotations: {}, ...others }],
});
const read = (body: unknown) => readPrometheus(SOURCE, body);

describe('the webhook of an Alertmanager', () => {
  it('says what, how loud, where, and which one it is', () => {
    const [disk, other] = firing(read(payload('alertmanager-firing')));
    assert.deepEqual(disk, {
      type: 'DiskWillFill',
      level: 'critical',
      severity: 'critical',
      message: 'The disk of db-1 will be full in an hour.\n4 % are left of /dev/sda1 on db-1.',
      source: 'prom',
      affectedSystems: ['db-1:9100', 'node'],
      dedupKey: 'source:prom:1f0a41c7cca2921f',
      policy: null,
      details: {
        labels: payload('alertmanager-firing').alerts[0]?.labels,
        annotations: payload('alertmanager-firing').alerts[0]?.annotations,
        starts_at: '2026-11-25T08:29:15.828Z',
        generator_url:
          'https://prometheus.example.com/graph?g0.expr=node_filesystem_avail_bytes+%3C+1&g0.tab=1',
        external_url: 'https://alertmanager.example.com',
        receiver: 'belfry',
        group_key: '{}/{team="storage"}:{alertname="DiskWillFill"}',
      },
    });
    assert.equal(other?.level, 'warning');
    assert.deepEqual(
      resolved(read(payload('alertmanager-resolved'))),
      [disk, other].map((one) => one?.dedupKey),
    );
  });

  it('is as loud as its label says, and as its source where that is no word for it', () => {
    const levels = (severity: unknown) => firing(read(alert({ alertname: 'x', severity })))[0]?.level;
    const told = ['critical', 'PAGE', 'warning', 'Info', 'none', 'error', '', 'constructor', null].map(
      levels,
    );
    assert.deepEqual(told, [
      'critical',
      'critical',
      'warning',
      'info',
      'info',
      'warning',
      'warning',
      'warning',
      'warning',
    ]);
    assert.equal(firing(read(alert({ alertname: 'x', severity: 'error' })))[0]?.severity, 'error');
  });

  it('has a type that an on-call list can name, whatever its rule is called', () => {
    const type = (alertname: unknown) => firing(read(alert({ alertname, x: 'x' })))[0]?.type;
    assert.deepEqual(['High memory usage', 'a/b (c)', 'ዲስክ', '', undefined, 7, 'x'.repeat(200)].map(type), [
      'High_memory_usage',
      'a_b_c_',
      'alert',
      'alert',
      'alert',
      '7',
      'x'.repeat(128),
    ]);
  });

  it('is read when it is older, empty or half, and made storable', () => {
    const [old] = firing(read(alert({ alertname: 'Old', instance: 'a' }, { annotations: null })));
    assert.equal(old?.message, 'Old is firing on a.');
    const [again] = firing(read(alert({ instance: 'a', alertname: 'Old' }, { startsAt: null })));
    assert.match(old?.dedupKey ?? '', /^source:prom:[0-9a-f]{16}$/, 'its labels are its fingerprint');
    assert.equal(again?.dedupKey, old?.dedupKey);
    const odd = { summary: `a\u0000b\ud800${'x'.repeat(5_000)}`, n: 7, list: [1] };
    const [cut] = firing(read(alert({ alertname: 'Odd', instance: ' a\nb ' }, { annotations: odd })));
    assert.ok(cut?.message.isWellFormed() && cut.message.length <= 1_000 && !cut.message.includes('\u0000'));
    assert.deepEqual(cut?.affectedSystems, ['a b']);
    assert.ok(JSON.stringify(cut?.details).length < 2_000);
    assert.deepEqual([read({ alerts: [] }).count, read({ alerts: [] }).truncated], [0, 0]);
    assert.equal(read({ alerts: [], truncatedAlerts: 3 }).truncated, 3);
    const group = { status: 'resolved', alerts: [{ labels: { alertname: 'x' }, fingerprint: 'f' }] };
    assert.deepEqual(resolved(read(group)), ['source:prom:f'], 'as its group');
  });

  it('keeps as much of its details as fits, the labels first, and says how much it left out', () => {
    const many = (name: string) =>
      Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`${name}${n}`, 'ዲ'.repeat(100)]));
    const [big] = firing(
      read(alert({ alertname: 'Big', ...many('l') }, { annotations: many('a'), generatorURL: 'http://a' })),
    );
    const { labels, left_out, generator_url, annotations } = big?.details ?? {};
    const kept = Object.keys(Object(labels)).length;
    assert.ok(kept > 45 && kept < 60, `${kept} labels`);
    assert.deepEqual([generator_url, annotations, left_out], ['http://a', {}, 60 + 60 - kept]);
    assert.ok(Buffer.byteLength(JSON.stringify(big?.details)) <= 16_384);
  });

  it('names what is wrong with one of them, and reads the others', () => {
    const good = { status: 'firing', labels: { alertname: 'x' } };
    const wrong = [
      good,
      null,
      7,
      {},
      { status: 'odd', labels: { a: 'b' } },
      { status: 'firing', labels: {} },
      { status: 'constructor', labels: { a: 'b' } },
    ];
    const found = read({ alerts: wrong });
    assert.equal(firing(found).length, 1);
    assert.deepEqual(problems(found), [
      'alerts.1 must be an object',
      'alerts.2 must be an object',
      'alerts.3.status is required',
      'alerts.3.labels must have at least one label',
      'alerts.4.status must be firing or resolved',
      'alerts.5.labels must have at least one label',
      'alerts.6.status must be firing or resolved',
    ]);
    for (const body of [undefined, {}, { alerts: 'x' }, { type: 'x', message: 'y' }])
      assert.throws(() => read(body), Refusal);
  });
});

describe('the webhook of Grafana', () => {
  it('has links to the panel, the picture and the silence, and values', () => {
    const [memory, noData] = firing(read(payload('grafana-firing')));
    assert.deepEqual([memory?.type, memory?.level, memory?.source], ['High_memory_usage', 'warning', 'prom']);
    assert.deepEqual(Object.keys(memory?.details ?? {}).toSorted(), [
      'annotations',
      'dashboard_url',
      'external_url',
      'generator_url',
      'group_key',
      'image_url',
      'labels',
      'panel_url',
      'receiver',
      'silence_url',
      'starts_at',
      'values',
    ]);
    assert.equal(noData?.message, 'DatasourceNoData is firing.');
    assert.equal('panel_url' in (noData?.details ?? {}), false, 'what is empty is left out');
    assert.deepEqual(
      resolved(read(payload('grafana-resolved'))),
      [memory, noData].map((one) => one?.dedupKey),
    );
  });

  it('has values of its queries, and nothing else that is called so', () => {
    const deep = JSON.parse(`${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`);
    const values = (given: unknown) => firing(read(alert({ a: 'b' }, { values: given })))[0]?.details.values;
    assert.equal(values({ A: 1.5, B: 'x' }), '{"A":1.5,"B":"x"}');
    assert.deepEqual([deep, { A: deep }, 7, [], null].map(values), Array(5).fill(undefined));
  });

  it('tests a contact point without waking anybody', () => {
    const critical = { name: 'grafana', level: 'critical' } as const;
    const [test] = firing(readPrometheus(critical, payload('grafana-test')));
    assert.deepEqual([test?.type, test?.level, test?.message], ['TestAlert', 'info', 'Notification test']);
  });
});

describe('the plain JSON of a script', () => {
  const json = (body: unknown) => readJson(SOURCE, body);

  it('is one alert, or a list of them', () => {
    const [one] = firing(json({ type: 'backup_failed', message: 'No space', details: { host: 'a' } }));
    const { dedupKey, ...rest } = one ?? { dedupKey: '' };
    assert.match(dedupKey, /^source:prom:[0-9a-f]{16}$/);
    assert.deepEqual(rest, {
      type: 'backup_failed',
      level: 'warning',
      severity: 'warning',
      message: 'No space',
      source: 'prom',
      affectedSystems: [],
      details: { host: 'a' },
      policy: null,
    });
    const list = json({
      alerts: [
        { type: 'a', message: 'b', dedup_key: 'k', level: 'critical' },
        { status: 'resolved', type: 'a', dedup_key: 'k' },
      ],
    });
    assert.deepEqual(firing(list)[0]?.dedupKey, resolved(list)[0]);
  });

  it('is the same alert while it says the same of the same, in any order', () => {
    const key = (body: Record<string, unknown>) =>
      firing(json({ type: 'disk_full', message: String(Math.random()), ...body }))[0]?.dedupKey;
    assert.equal(
      key({ affected_systems: ['a', 'b'] }),
      key({ affected_systems: ['b', 'a'], severity: 'bad' }),
    );
    assert.equal(key({}), key({ level: 'warning' }), 'the level of the source');
    const others = [
      {},
      { affected_systems: ['a'] },
      { source: 'x' },
      { type: 'other' },
      { dedup_key: 'k' },
      { level: 'critical' },
      { level: 'info' },
    ];
    assert.equal(new Set(others.map(key)).size, others.length);
    const levels = ['critical', 'warning', 'info'].map((level) => key({ level }));
    assert.deepEqual(resolved(json({ status: 'resolved', type: 'disk_full' })), levels, 'at every level');
    const keyed = { status: 'resolved', type: 'disk_full', dedup_key: 'k' };
    assert.deepEqual(resolved(json(keyed)), [key({ dedup_key: 'k' })]);
  });

  it("has a key that is no other source's, whatever their names are", () => {
    const key = (name: string, dedup_key: string) =>
      firing(readJson({ name, level: 'info' }, { type: 'x', message: 'x', dedup_key }))[0]?.dedupKey;
    assert.equal(key('a', 'heartbeat:b'), 'source:a:heartbeat:b');
    assert.notEqual(key('a', 'b:disk'), key('a:b', 'disk'));
  });

  it('is told what is wrong with it by its place', () => {
    assert.deepEqual(problems(json({ type: 'a' })), ['message is required while it is firing']);
    const wrong = [
      { type: 'a b', message: 'x' },
      null,
      { type: 'a', message: 'a\u0000b' },
      { type: 'a', level: 7 },
      { type: 'a', message: 'x', details: { log: 'x'.repeat(16_384) } },
    ];
    assert.deepEqual(
      problems(json({ alerts: wrong }))
        .map((one) => one.split(' ')[0])
        .toSorted(),
      ['alerts.0.type', 'alerts.1', 'alerts.2.message', 'alerts.3.level', 'alerts.4.details'],
    );
  });
});
