import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { forEachEngine } from '../support/engines.js';
import { type Fleet, useFleet } from '../support/fleet.js';
import type { Json } from '../support/http.js';
import { scrape, scrapeWorker } from '../support/scrape.js';
import { waitFor } from '../support/wait.js';
import { wipe } from './wipe.js';

/*
 * With other numbers by hand, as: BROADCAST_PEOPLE=50000 BROADCAST_CHUNK=500 npm test -- fleet/broadcast
 */
const PEOPLE = Number(process.env.BROADCAST_PEOPLE ?? 800);
const CHUNK = Number(process.env.BROADCAST_CHUNK ?? 100);
/** For everything together; a chunk of deliveries takes well under a second. */
const LIMIT_MS = 120_000 + PEOPLE * 10;

forEachEngine((engine) => {
  const fleet = useFleet({ engine, env: { BROADCAST_CHUNK: String(CHUNK) } });
  const shown = async (id: string): Promise<Json> =>
    (await fleet().call('GET', `/broadcasts/${id}`, undefined, { as: 'internal' })).body;
  async function reached(id: string): Promise<number> {
    const { rows } = await fleet().database.query<{ reached: number }>(
      'SELECT reached FROM broadcast WHERE id = $1',
      [id],
    );
    return rows[0]?.reached ?? 0;
  }

  async function broadcast(body: object): Promise<{ id: string; total: number; answerMs: number }> {
    const answer = await fleet().call('POST', '/notifications/realtime/broadcast', body);
    assert.equal(answer.status, 202, answer.text);
    const answerMs = Math.round(answer.tookMs);
    return { id: String(answer.body.broadcast_id), total: Number(answer.body.total), answerMs };
  }

  async function untilEnded(id: string, status: string): Promise<Json> {
    return waitFor(
      async () => {
        const body = await shown(id);
        return String(body.status) === status ? body : undefined;
      },
      { timeoutMs: LIMIT_MS, everyMs: 200, what: `broadcast ${id} to be ${status}` },
    );
  }

  test(`${PEOPLE} people are told once each, though every worker is killed three times and the queues are emptied`, async (t) => {
    await addPeople(fleet(), PEOPLE);
    const startedAt = performance.now();
    const { id, total, answerMs } = await broadcast({ message: 'Once' });
    assert.equal(total, PEOPLE);
    for (const share of [0.1, 0.35, 0.6]) {
      await waitFor(async () => (await reached(id)) >= share * PEOPLE, { timeoutMs: LIMIT_MS });
      for (const worker of fleet().workers) worker.kill();
      assert.ok((await reached(id)) < PEOPLE, 'it was killed in the middle');
      await fleet().addWorker();
    }
    await waitFor(async () => (await reached(id)) >= 0.75 * PEOPLE, { timeoutMs: LIMIT_MS });
    await wipe(fleet());
    const ended = await untilEnded(id, 'completed');
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
    t.diagnostic(`answered in ${answerMs} ms, all told after ${seconds} s with three kills and a wipe`);
    assert.deepEqual(
      [ended.total, ended.reached, ended.sent_count, ended.failed_count, ended.pending_count],
      [PEOPLE, PEOPLE, PEOPLE, 0, 0],
    );
    await assertOnce(fleet(), 'Once');
  });

  test('what is critical passes while a broadcast is running', async (t) => {
    const { sandbox, person, send, untilStatus } = fleet();
    await person('urgent', { email: 'urgent@example.org' });
    const startedAt = performance.now();
    const { id, total } = await broadcast({ message: 'Meanwhile' });
    const times: number[] = [];
    do {
      const sentAt = performance.now();
      const critical = await send({
        user_id: 'urgent',
        message: 'Now',
        priority: 'critical',
        channels: ['email'],
      });
      await untilStatus(critical, 'SENT');
      times.push(Math.round(performance.now() - sentAt));
    } while ((await reached(id)) < total);
    await untilEnded(id, 'completed');
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
    times.sort((one, other) => one - other);
    const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
    t.diagnostic(
      `${times.length} critical ones: ${at(0.5)} ms in the middle, ${at(0.99)} ms at p99; the broadcast took ${seconds} s; the worker had ${memoryOf(fleet())} MB at most`,
    );
    assert.ok(at(1) < 5_000, `the slowest took ${at(1)} ms`);
    assert.equal((await sandbox.messages({ to: 'urgent@example.org' })).length, times.length);
    await assertOnce(fleet(), 'Meanwhile', 1);
  });

  test('one that is paused tells nobody until it is resumed; one that is called off tells nobody else', async () => {
    const move = async (id: string, verb: string) => {
      const answer = await fleet().call('POST', `/broadcasts/${id}/${verb}`);
      assert.equal(answer.status, 200, answer.text);
      return answer.body;
    };
    const { id, total } = await broadcast({ message: 'Held' });
    await waitFor(async () => (await reached(id)) > 0);
    const paused = await move(id, 'pause');
    assert.ok(Number(paused.reached) < total, 'it was paused in the middle');
    await fleet().untilSettled({ timeoutMs: LIMIT_MS });
    assert.deepEqual((await shown(id)).reached, paused.reached);
    // What is scraped may be some seconds old.
    await waitFor(async () => {
      const seen = await scrape(fleet().api.url);
      assert.equal(seen.value('belfry_broadcasts_open', { status: 'paused' }), 1);
      const left = seen.value('belfry_broadcast_people_left', { status: 'paused' });
      assert.equal(left, total - Number(paused.reached));
      assert.equal(seen.value('belfry_queue_jobs', { queue: 'fanout' }), 0, 'its job has ended');
      return true;
    });
    const worker = await scrapeWorker(fleet(), fleet().workers.length - 1);
    assert.ok((worker.value('belfry_notifications_accepted_total', { kind: 'broadcast' }) ?? 0) > 0);
    await move(id, 'resume');
    await untilEnded(id, 'completed');
    await assertOnce(fleet(), 'Held', 1);

    const off = await broadcast({ message: 'Called off' });
    await waitFor(async () => (await reached(off.id)) > 0);
    const cancelled = await move(off.id, 'cancel');
    assert.ok(Number(cancelled.reached) < off.total);
    await fleet().untilSettled();
    const after = await shown(off.id);
    assert.deepEqual([after.status, after.reached], ['cancelled', cancelled.reached]);
    assert.equal(Number(after.sent_count) + Number(after.cancelled_count), Number(after.reached));
  });
});

/** People who were there before, written past the API. */
async function addPeople({ database }: Fleet, count: number): Promise<void> {
  await database.query(
    `INSERT INTO person (id, created_at) SELECT 'p' || lpad(n::text, 7, '0'), now() - interval '1 hour'
     FROM generate_series(1, $1) AS n`,
    [count],
  );
  await database.query('ANALYZE person');
}

/** Fails unless every person, and `more` others, has exactly one note with this text. */
async function assertOnce({ database }: Fleet, text: string, more = 0): Promise<void> {
  const { rows } = await database.query<{ notes: number; people: number }>(
    'SELECT count(*)::int AS notes, count(DISTINCT person_id)::int AS people FROM inbox_item WHERE body = $1',
    [text],
  );
  assert.deepEqual(rows, [{ notes: PEOPLE + more, people: PEOPLE + more }]);
}

/** The most memory that the newest worker ever had, in MB. */
function memoryOf({ workers }: Fleet): number {
  const status = readFileSync(`/proc/${workers.at(-1)?.pid}/status`, 'utf8');
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024);
}
