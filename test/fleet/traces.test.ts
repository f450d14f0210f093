import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type CollectedSpan, type Collector, startCollector } from '../support/collector.js';
import { forEachEngine } from '../support/engines.js';
import { type Fleet, startFleet, withFleet } from '../support/fleet.js';
import { temporaryDir } from '../support/postgres.js';
import { ROOT } from '../support/process.js';
import { waitFor } from '../support/wait.js';
import { email } from './sending.js';

const CALLER = { trace: '4bf92f3577b34da6a3ce929d0e0e4736', span: '00f067aa0ba902b7' };

forEachEngine((engine) => {
  let collector: Collector;
  let fleet: Fleet;
  before(async () => {
    collector = await startCollector();
    fleet = await startFleet({ engine, workers: [], env: traced(collector) });
  });
  after(() => fleet.stop().finally(() => collector.stop()));

  /** The spans of a trace, once the one with this name has come. */
  const traceWith = async (traceId: string, name: string) => {
    await waitFor(() => collector.spans.some((one) => one.traceId === traceId && one.name === name), {
      timeoutMs: 30_000,
      what: `the span ${name}`,
    });
    return collector.spans.filter((one) => one.traceId === traceId);
  };
  const traceOf = async (notificationId: string) => {
    const { rows } = await fleet.database.query('SELECT traceparent FROM notification WHERE id = $1', [
      notificationId,
    ]);
    const traceparent = String(rows[0]?.traceparent);
    assert.match(traceparent, /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    return traceparent.slice(3, 35);
  };

  test('a call is one trace from its request to the provider, over both processes', async () => {
    const worker = await fleet.addWorker();
    const header = { traceparent: `00-${CALLER.trace}-${CALLER.span}-01` };
    const answer = await fleet.call(
      'POST',
      '/notifications/email/send',
      { to: 'ada@traces.test', subject: 'Secret subject', body: 'Secret body' },
      { headers: header },
    );
    const id = String(answer.body.email_id);
    await fleet.untilStatus(id, 'SENT');
    assert.equal(await traceOf(id), CALLER.trace, "the caller's own trace goes on");
    const spans = await traceWith(CALLER.trace, 'deliver email');
    await traceWith(CALLER.trace, 'process email.normal');
    const route = '/api/v1/notifications/email/send';
    const root = spanOf(spans, `POST ${route}`);
    assert.equal(root.parentSpanId, CALLER.span);
    assert.equal(root.facts['http.route'], route);
    assert.equal(Number(root.facts['http.response.status_code']), 202);
    const accept = spanOf(spans, 'accept');
    const enqueue = spanOf(spans, 'enqueue email.normal');
    const job = spanOf(await traceWith(CALLER.trace, 'process email.normal'), 'process email.normal');
    const deliver = spanOf(spans, 'deliver email');
    assert.equal(accept.parentSpanId, root.spanId);
    assert.equal(enqueue.parentSpanId, root.spanId);
    assert.equal(job.parentSpanId, enqueue.spanId, "BullMQ's span of the job follows its being queued");
    assert.equal(deliver.parentSpanId, job.spanId);
    for (const name of ['claim', 'render', 'send smtp', 'record'])
      assert.equal(spanOf(spans, name).parentSpanId, deliver.spanId, name);
    assert.deepEqual(
      [root, accept, enqueue, deliver].map(({ service }) => service),
      ['belfry-api', 'belfry-api', 'belfry-api', 'belfry-worker'],
    );
    const send = spanOf(spans, 'send smtp');
    assert.equal(send.facts['belfry.outcome'], 'sent');
    assert.equal(send.facts['belfry.code'], '250');
    assert.ok(send.endedAt >= send.startedAt && deliver.endedAt >= send.endedAt);
    assert.equal(deliver.facts['belfry.notification_id'], id);
    await worker.stop();
  });

  test('a failed try is seen as one, and every try has its span', async () => {
    const worker = await fleet.addWorker();
    const to = 'busy@traces.test';
    await fleet.sandbox.fault({
      channel: 'email',
      recipient: to,
      action: { kind: 'smtp', code: 451 },
      times: 1,
    });
    const id = await email(fleet, to);
    await fleet.untilStatus(id, 'SENT');
    const spans = await waitFor(async () => {
      const all = await traceWith(await traceOf(id), 'send smtp');
      return all.filter(({ name }) => name === 'send smtp').length === 2 ? all : undefined;
    });
    const sends = spans.filter(({ name }) => name === 'send smtp');
    assert.deepEqual(
      sends.map(({ facts, failed }) => [facts['belfry.outcome'], failed]).sort(),
      [
        ['retry', true],
        ['sent', false],
      ].sort(),
    );
    await worker.stop();
  });

  test('calls at the same moment, written in one commit, have a trace each', async () => {
    const worker = await fleet.addWorker();
    const ids = await Promise.all(
      Array.from({ length: 20 }, (_, index) => email(fleet, `many-${index}@traces.test`)),
    );
    await fleet.untilSettled();
    const traces = await Promise.all(ids.map(traceOf));
    assert.equal(new Set(traces).size, ids.length);
    for (const [index, trace] of traces.entries()) {
      const spans = await traceWith(trace, 'deliver email');
      const named = spans.map(({ facts }) => facts['belfry.notification_id']).filter(Boolean);
      assert.deepEqual(named, [ids[index]]);
    }
    await worker.stop();
  });

  test('a trace goes on after the queues were wiped and rebuilt', async () => {
    const id = await email(fleet, 'wiped@traces.test');
    const trace = await traceOf(id);
    const [delivery] = await fleet.deliveries(id);
    const queue = fleet.queues.queue('email.normal');
    await waitFor(() => queue.getJob(delivery?.id ?? ''));
    if (fleet.redis) await fleet.redis.flushAll();
    else await fleet.database.query('DELETE FROM bullmq.job');
    const rebuilt = await fleet.command('rebuild-queues');
    assert.equal(rebuilt.code, 0);
    const worker = await fleet.addWorker();
    await fleet.untilStatus(id, 'SENT');
    const spans = await traceWith(trace, 'deliver email');
    assert.equal(spanOf(spans, 'deliver email').parentSpanId, spanOf(spans, 'accept').spanId);
    await worker.stop();
  });

  test('no span holds an address, a text or a token, and probes have none', async () => {
    for (const path of ['/health', '/ready', '/metrics', '/nowhere']) await fleet.page(path);
    await waitFor(() => collector.spans.some(({ name }) => name === 'GET none'));
    assert.ok(!collector.spans.some(({ name }) => /health|ready|metrics/.test(name)));
    assert.ok(collector.spans.length > 50);
    for (const body of collector.bodies) assert.doesNotMatch(body, /traces\.test|Secret|Bearer|eyJ/);
    const roots = collector.spans.filter(({ parentSpanId }) => parentSpanId === '');
    assert.deepEqual(
      roots.filter(({ name }) => !/^(GET|POST|PUT) /.test(name)).map(({ name }) => name),
      [],
      'a trace begins with a call, not with what BullMQ does by itself',
    );
  });
});

describe('a collector that is not there', () => {
  for (const [what, mute] of [
    ['does not answer', true],
    ['is away', false],
  ] as const) {
    test(`harms nothing when it ${what}: everything is sent, and every process leaves in time`, async () => {
      const collector = await startCollector({ mute });
      if (!mute) await collector.stop();
      try {
        await withFleet({ engine: 'redis', env: traced(collector) }, async (fleet) => {
          const ids = await Promise.all([1, 2, 3].map((n) => email(fleet, `quiet-${n}@traces.test`)));
          for (const id of ids) await fleet.untilStatus(id, 'SENT');
          const exits = await Promise.all([...fleet.apis, ...fleet.workers].map((one) => one.stop(11_000)));
          assert.deepEqual(
            exits.map(({ code }) => code),
            [0, 0],
          );
        });
      } finally {
        if (mute) await collector.stop();
      }
    });
  }
});

test('without a collector neither the SDK nor the exporter is loaded, and no trace is kept', async () => {
  const dir = temporaryDir();
  const recorder = path.join(ROOT, 'test/dist/architecture/record-modules.js').replaceAll(' ', '%20');
  const list = path.join(dir, 'modules');
  const env = { NODE_OPTIONS: `--import=${recorder}`, MODULE_LIST: list };
  try {
    await withFleet({ engine: 'redis', env }, async (fleet) => {
      const header = { traceparent: `00-${CALLER.trace}-${CALLER.span}-01` };
      const id = await fleet.send({ user_id: await known(fleet), message: 'x' }, { headers: header });
      await fleet.untilStatus(id, 'SENT');
      const { rows } = await fleet.database.query('SELECT traceparent FROM notification WHERE id = $1', [id]);
      assert.equal(rows[0]?.traceparent, null);
      await Promise.all([...fleet.apis, ...fleet.workers].map((one) => one.stop()));
    });
    const loaded = readFileSync(list, 'utf8').split('\n').flatMap(partsOf);
    for (const app of ['apps/api/dist/app.js', 'apps/workers/dist/app.js'])
      assert.ok(
        loaded.some((file) => file.endsWith(app)),
        app,
      );
    // The bare API does nothing by itself; prom-client asks it whether a span is active.
    assert.deepEqual(
      loaded.filter((file) => /@opentelemetry\/(?!api\/)|bullmq-otel|open-telemetry/.test(file)),
      [],
    );
  } finally {
    rmSync(dir, { recursive: true });
  }
});

/** What was loaded by loading this: of a bundle, the files that it says it was made of. */
function partsOf(loaded: string): string[] {
  if (!loaded.startsWith('file:') || !loaded.includes('/bundle/')) return [loaded];
  return [...readFileSync(new URL(loaded), 'utf8').matchAll(/^\s*\/\/ ((?:\.\.\/)*\S+\.[cm]?js)$/gm)].map(
    ([, part = '']) => part,
  );
}

async function known(fleet: Fleet): Promise<string> {
  await fleet.person('ada', { email: 'ada@traces.test' });
  return 'ada';
}

function traced({ url }: Collector) {
  return { OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_BSP_SCHEDULE_DELAY: '100' };
}

function spanOf(spans: readonly CollectedSpan[], name: string): CollectedSpan {
  const found = spans.find((one) => one.name === name);
  assert.ok(found, `no span ${name} among ${spans.map((one) => one.name).join(', ')}`);
  return found;
}
