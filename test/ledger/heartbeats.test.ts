import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { Database } from '@belfry/shared/ledger/database.js';
import {
  findHeartbeat,
  type Heartbeat,
  keepListening,
  putHeartbeat,
  recordBeat,
  removeHeartbeat,
  takeOverdue,
} from '@belfry/shared/ledger/heartbeats.js';
import { missHeartbeats } from '@belfry/shared/notify/miss-heartbeats.js';
import type { Enqueuer } from '@belfry/shared/queue/enqueuer.js';
import { createEvents } from '@belfry/shared/service/events.js';
import { createLog } from '@belfry/shared/service/log.js';
import { OPS, withLedger } from './with-ledger.js';

const MINUTE = 60_000;

describe('heartbeats', () => {
  const ledger = withLedger();
  beforeEach(async () => {
    await ledger.one.rows('TRUNCATE heartbeat, alert, alert_event, upkeep');
    await keepListening(ledger.one);
  });

  const enqueuer = { enqueue: () => undefined } as unknown as Enqueuer;
  const events = createEvents(createLog('api', 'silent'));
  const miss = (database: Database = ledger.one) =>
    missHeartbeats({
      database,
      enqueuer,
      events,
      escalationStepMs: MINUTE,
      operatorMail: null,
      alertLimits: {},
    });
  const put = (name: string, afterMs = MINUTE, message: string | null = null) =>
    putHeartbeat(ledger.one, name, { afterMs, alertType: 'late', level: 'info', message }, OPS);
  const find = async (name: string): Promise<Heartbeat> => {
    const found = await findHeartbeat(ledger.one, name);
    assert.ok(found);
    return found;
  };
  /** Everything that has happened to them has happened so much earlier. */
  const age = (ms: number, ...names: string[]) =>
    ledger.one.rows(
      `UPDATE heartbeat SET beat_at = beat_at - $2 * interval '1 ms', due_at = due_at - $2 * interval '1 ms'
       WHERE name = ANY($1)`,
      [names, ms],
    );
  /** So long no API could hear anything, until now. */
  const beDeaf = (ms: number) =>
    ledger.one.rows("UPDATE upkeep SET ran_at = clock_timestamp() - $1 * interval '1 ms'", [ms]);
  const leftMs = async (name: string) => (await find(name)).dueAt.getTime() - Date.now();
  const alerts = () =>
    ledger.one.rows<{ key: string; status: string; via: string | null; message: string }>(
      'SELECT dedup_key AS key, status, resolved_via AS via, message FROM alert ORDER BY opened_at',
    );

  it('one that is overdue is missed once, by one of many who look at the same moment', async () => {
    await put('late');
    await put('punctual');
    await age(2 * MINUTE, 'late');
    await Promise.all([miss(), miss(ledger.two), miss(), miss(ledger.two)]);
    await miss();
    const since = (await find('late')).beatAt.toISOString();
    assert.deepEqual(await alerts(), [
      {
        key: 'heartbeat:late',
        status: 'open',
        via: null,
        message: `late has not been heard of since ${since}.`,
      },
    ]);
    assert.equal((await find('punctual')).missedAt, null);
  });

  it('a beat ends the silence and resolves its alert; the next silence opens another one', async () => {
    await put('backup', MINUTE, 'No backup');
    for (const silences of [1, 2]) {
      await age(2 * MINUTE, 'backup');
      await miss();
      const beat = await recordBeat(ledger.two, 'backup');
      assert.deepEqual([beat?.wasMissed, beat?.resolved?.moved], [true, true]);
      assert.ok((await leftMs('backup')) > 50_000);
      assert.deepEqual(
        (await alerts()).map(({ status, via, message }) => [status, via, message]),
        Array(silences).fill(['resolved', 'heartbeat', 'No backup']),
      );
    }
    assert.equal((await recordBeat(ledger.one, 'backup'))?.wasMissed, false);
    assert.equal(await recordBeat(ledger.one, 'unknown'), null);
  });

  it('what beats at the moment in which it is missed is not missed for good', async () => {
    for (let n = 0; n < 10; n += 1) {
      await put(`race-${n}`);
      await age(2 * MINUTE, `race-${n}`);
      await Promise.all([miss(), recordBeat(ledger.two, `race-${n}`)]);
      const { missedAt } = await find(`race-${n}`);
      assert.equal(missedAt, null, 'a beat comes after whoever missed it, or before');
    }
    assert.deepEqual(new Set((await alerts()).map(({ status }) => status)).has('open'), false);
  });

  it('one that cannot be told of keeps no other from being told of, and is not missed without an alert', async () => {
    for (const name of ['broken', 'other']) await put(name);
    await age(3 * MINUTE, 'broken');
    await age(2 * MINUTE, 'other');
    await ledger.one.rows("ALTER TABLE alert ADD CONSTRAINT broken CHECK (dedup_key <> 'heartbeat:broken')");
    try {
      await assert.rejects(miss(), /broken/);
      assert.equal((await find('broken')).missedAt, null);
    } finally {
      await ledger.one.rows('ALTER TABLE alert DROP CONSTRAINT broken');
    }
    await miss();
    assert.deepEqual(
      (await alerts()).map(({ key }) => key),
      ['heartbeat:other', 'heartbeat:broken'],
    );
  });

  it('nobody is missed while no API listens, and whoever would be missed for it has its whole time again', async () => {
    for (const name of ['during', 'soon', 'far']) await put(name, 10 * MINUTE);
    await age(14 * MINUTE, 'during');
    await age(9.5 * MINUTE, 'soon');
    await beDeaf(5 * MINUTE);
    assert.equal(await ledger.one.transaction((transaction) => takeOverdue(transaction, [])), null);
    const both = await Promise.all([keepListening(ledger.one), keepListening(ledger.two)]);
    const deaf = both.filter((one) => one !== null);
    assert.equal(deaf.length, 1, 'of two that come back one finds out');
    assert.equal(deaf[0]?.given, 2);
    assert.ok((deaf[0]?.deafMs ?? 0) >= 5 * MINUTE);
    await miss();
    assert.deepEqual(await alerts(), []);
    for (const name of ['during', 'soon', 'far'])
      assert.ok(Math.abs((await leftMs(name)) - 10 * MINUTE) < 30_000, name);
  });

  it('one restart after the other hides nobody who is silent', async () => {
    await put('silent');
    await age(MINUTE - 5_000, 'silent');
    await beDeaf(10_000);
    assert.equal((await keepListening(ledger.one))?.given, 1);
    await age(MINUTE, 'silent');
    await beDeaf(10_000);
    assert.equal((await keepListening(ledger.one))?.given, 0, 'once in a silence');
    await age(5_000, 'silent');
    await miss();
    assert.equal((await alerts()).length, 1);
  });

  it('who is missed stays so, whatever is changed; who is taken away is missed no more', async () => {
    await put('gone');
    await age(2 * MINUTE, 'gone');
    await miss();
    await put('gone', 5 * MINUTE);
    assert.ok((await find('gone')).missedAt !== null);
    const removed = await removeHeartbeat(ledger.one, 'gone', OPS);
    assert.equal(removed?.resolved?.moved, true);
    assert.deepEqual(
      (await alerts()).map(({ status, via }) => [status, via]),
      [['resolved', 'api']],
    );
    assert.equal(await removeHeartbeat(ledger.one, 'gone', OPS), null);
  });
});
