import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jobId } from '@belfry/shared/domain/ids.js';
import { email } from '../fleet/sending.js';
import { forEachEngine } from '../support/engines.js';
import { useFleet } from '../support/fleet.js';
import { ask, items } from '../support/http.js';
import { scrape } from '../support/scrape.js';
import { waitFor } from '../support/wait.js';
import { BOARD, press } from './board-visit.js';

const QUEUE = 'email.normal';
const LATER = () => new Date(Date.now() + 3_600_000).toISOString();

forEachEngine((engine) => {
  const fleet = useFleet({ engine, env: { RETRY_SWEEP_MS: '3600000' } });
  let people = 0;

  const admin = async () => ({ authorization: `Bearer ${await fleet().token('admin', 'operator')}` });
  const act = async (path: string, method = 'PUT', body?: unknown) =>
    press(fleet().api.url, path, await admin(), method, body);
  const look = async (path: string) =>
    ask('GET', `${fleet().api.url}${BOARD}/api/queues${path}`, undefined, await admin());
  const jobs = async (status: string) => {
    const listed = await look(`?activeQueue=${QUEUE}&status=${status}&jobsPerPage=100`);
    return items(items(listed.body.queues).find(({ name }) => String(name) === QUEUE)?.jobs);
  };
  const generation = async (id: string) =>
    (await fleet().database.query('SELECT generation FROM delivery WHERE id = $1', [id])).rows[0]?.generation;
  const lastAudit = async () =>
    (
      await fleet().database.query(
        "SELECT actor, role, target, details FROM audit_event WHERE action = 'board.change' ORDER BY id DESC LIMIT 1",
      )
    ).rows[0];

  /** A mail that was given up once, and would be taken now. */
  async function deadMail() {
    people += 1;
    const to = `canary${people}@example.org`;
    await fleet().sandbox.fault({
      channel: 'email',
      recipient: to,
      action: { kind: 'smtp', code: 550, text: `no ${to} here` },
      times: 1,
    });
    const notification = await email(fleet(), to, { subject: 'canary-subject', body: 'canary-text' });
    await fleet().untilStatus(notification, 'FAILED');
    const [delivery] = await fleet().deliveries(notification);
    assert.ok(delivery !== undefined);
    await waitFor(async () => (await jobs('failed')).some(({ id }) => String(id) === delivery.id));
    return { to, notification, id: delivery.id };
  }

  async function laterMail() {
    people += 1;
    const to = `canary${people}@example.org`;
    const notification = await email(fleet(), to, { subject: 'later', body: 'x', send_at: LATER() });
    const [delivery] = await fleet().deliveries(notification);
    assert.ok(delivery !== undefined);
    await waitFor(async () => (await jobs('delayed')).some(({ id }) => String(id) === delivery.id));
    return { to, notification, id: delivery.id };
  }

  test('a retried job is a replay: sent once, under a new job, with its audit event', async () => {
    const { to, notification, id } = await deadMail();
    const pressed = await Promise.all([act(`${QUEUE}/${id}/retry`), act(`${QUEUE}/${id}/retry`)]);
    const statuses = pressed.map(({ status }) => status).sort();
    assert.equal(statuses[0], 204);
    assert.ok([404, 409].includes(statuses[1] ?? 0), `the second press is refused with ${statuses[1]}`);
    await fleet().untilStatus(notification, 'SENT');
    await fleet().sandbox.waitForMessage({ channel: 'email', to });
    const [delivery] = await fleet().deliveries(notification);
    assert.deepEqual([delivery?.state, delivery?.round, delivery?.tried.length], ['sent', 1, 2]);
    assert.deepEqual(await lastAudit(), {
      actor: 'operator',
      role: 'admin',
      target: `queue:${QUEUE}`,
      details: { act: 'retry', queue: QUEUE, deliveries: [id] },
    });
    assert.equal((await fleet().sandbox.messages({ to })).length, 1);
    assert.equal(
      (await scrape(fleet().api.url)).value('belfry_retried_deliveries_total', { by: 'replay' }),
      1,
    );
    const successor = jobId(id, 2);
    const old = await look(`/${QUEUE}/${id}`);
    assert.equal(old.status, 307, 'the failed job has gone');
    assert.equal(old.headers.get('location'), `${BOARD}/api/queues/${QUEUE}/${successor}`);
    const again = await act(`${QUEUE}/${successor}/retry`);
    assert.equal(again.status, 409);
    assert.equal(
      again.body.message,
      'Only what was given up can be retried; this delivery is sent in the ledger.',
    );
  });

  test('all failed jobs of a queue are retried at once, and what has moved on since is left alone', async () => {
    const dead = [await deadMail(), await deadMail(), await deadMail()];
    const moved = await deadMail();
    await fleet().database.query(
      "UPDATE delivery SET state = 'cancelled', failure = NULL, dead_at = NULL WHERE id = $1",
      [moved.id],
    );
    const answer = await act(`${QUEUE}/retry/failed`);
    assert.deepEqual(answer.body, { retried: 3, skipped: 1 });
    for (const { notification, to } of dead) {
      await fleet().untilStatus(notification, 'SENT');
      await fleet().sandbox.waitForMessage({ channel: 'email', to });
    }
    assert.deepEqual((await lastAudit())?.details.deliveries.sort(), dead.map(({ id }) => id).sort());
    assert.deepEqual(await jobs('failed'), []);
    assert.equal((await fleet().deliveries(moved.notification))[0]?.state, 'cancelled');
    assert.deepEqual(await fleet().sandbox.messages({ to: moved.to }), []);
  });

  test('a promoted job is due now in the ledger too, so it goes out now', async () => {
    const { to, notification, id } = await laterMail();
    assert.equal((await act(`${QUEUE}/${id}/promote`)).status, 204);
    await fleet().untilStatus(notification, 'SENT');
    await fleet().sandbox.waitForMessage({ channel: 'email', to });
    assert.deepEqual((await lastAudit())?.details, { act: 'promote', queue: QUEUE, deliveries: [id] });
    assert.equal((await act(`${QUEUE}/${jobId(id, 2)}/promote`)).status, 409);
    const both = [await laterMail(), await laterMail()];
    assert.equal((await act(`${QUEUE}/promote`)).status, 200);
    for (const one of both) await fleet().untilStatus(one.notification, 'SENT');
    assert.deepEqual(await jobs('delayed'), []);
  });

  test('a waiting job that is removed is made again by the reconciler; one that was given up stays given up', async () => {
    const [later, dead] = [await laterMail(), await deadMail()];
    for (const { id } of [later, dead]) {
      assert.equal((await act(`${QUEUE}/${id}/clean`)).status, 204);
      assert.deepEqual((await lastAudit())?.details, { act: 'remove', queue: QUEUE, deliveries: [id] });
    }
    await waitFor(async () => (await jobs('delayed')).some(({ id }) => String(id) === jobId(later.id, 2)), {
      timeoutMs: 30_000,
      what: 'the reconciler to make the job again',
    });
    assert.equal(await generation(dead.id), 1);
    assert.deepEqual(await jobs('failed'), []);
    const cleaned = await deadMail();
    assert.equal((await act(`${QUEUE}/clean/failed`)).status, 200);
    assert.deepEqual(await jobs('failed'), []);
    assert.equal((await fleet().deliveries(cleaned.notification))[0]?.state, 'dead');
    await fleet().call('POST', `/notifications/${later.notification}/cancel`);
  });

  test('a queue is stopped and started, and the trail says by whom', async () => {
    for (const [path, target] of [
      ['sms.low/pause', 'queue:sms.low'],
      ['sms.low/resume', 'queue:sms.low'],
      ['pause', null],
      ['resume', null],
    ] as const) {
      assert.equal((await act(path)).status, 200);
      const audited = await lastAudit();
      assert.deepEqual(
        [audited?.actor, audited?.target, audited?.details.act],
        ['operator', target, path.split('/').at(-1)],
      );
      assert.equal(await fleet().queues.queue('sms.low').isPaused(), path.endsWith('pause'));
    }
  });

  test('what would part a row from its job is refused, and not written down', async () => {
    const { id } = await laterMail();
    const before = await lastAudit();
    for (const [method, path] of [
      ['POST', `${QUEUE}/add`],
      ['PATCH', `${QUEUE}/${id}/update-data`],
      ['PATCH', `${QUEUE}/${id}/delay`],
      ['PATCH', `${QUEUE}/${id}/priority`],
      ['PUT', `${QUEUE}/${id}/remove-unprocessed-children`],
      ['PUT', `${QUEUE}/empty`],
      ['PUT', `${QUEUE}/obliterate`],
      ['PUT', `${QUEUE}/concurrency`],
      ['PUT', `${QUEUE}/rate-limit`],
      ['PUT', `${QUEUE}/retry/completed`],
      ['PUT', `${QUEUE}/clean/active`],
      ['DELETE', QUEUE],
    ] as const) {
      const answer = await act(path, method, {
        name: 'x',
        runAt: 1,
        priority: 1,
        concurrency: 1,
        jobData: {},
      });
      assert.equal(answer.status, 403, `${method} ${path}: ${answer.text}`);
    }
    for (const path of ['nothing/pause', `${QUEUE}/${jobId(id, 9)}/retry`, `${QUEUE}/x/retry`])
      assert.equal((await act(path)).status, 404, path);
    assert.deepEqual(await lastAudit(), before);
    assert.ok((await jobs('delayed')).some((job) => String(job.id) === id));
    assert.equal(await generation(id), 1);
  });

  test('a job shows ids and leads to its notification; nothing in it is personal', async () => {
    const { notification, id } = await deadMail();
    const [job] = (await jobs('failed')).filter((one) => String(one.id) === id);
    assert.equal(job?.externalUrl?.href, `/?notification=${notification}`);
    const logs = await look(`/${QUEUE}/${id}/logs`);
    assert.equal(logs.status, 200);
    const all = await Promise.all(['latest', 'completed', 'failed', 'delayed'].map(jobs));
    const shown = JSON.stringify([all, logs.body, await look(`/${QUEUE}/${id}`)]);
    assert.ok(shown.includes(id) && shown.includes('550'));
    assert.doesNotMatch(shown, /canary|example\.org/);
  });
});
