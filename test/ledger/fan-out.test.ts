import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { completeBroadcasts } from '@belfry/shared/ledger/broadcast-upkeep.js';
import { findBroadcast, moveBroadcast } from '@belfry/shared/ledger/broadcasts.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import { erasePerson } from '@belfry/shared/ledger/erase.js';
import { addMember, removeMember } from '@belfry/shared/ledger/groups.js';
import { putPerson } from '@belfry/shared/ledger/people.js';
import { fanOutStep } from '@belfry/shared/notify/fan-out.js';
import { wakeFanOut, wakeResumed } from '@belfry/shared/queue/fan-out-jobs.js';
import { fanOutJob } from '@belfry/shared/queue/jobs.js';
import { FANOUT } from '@belfry/shared/queue/topology.js';
import { reconcile } from '@belfry/shared/upkeep/reconcile.js';
import { waitFor } from '../support/wait.js';
import {
  addPeople,
  BOUNDS,
  broadcastTo,
  fanOutOn,
  ids,
  range,
  standingOf,
  toldBy,
} from './broadcast-people.js';
import { SILENT, withEngine } from './with-engine.js';
import { OPS } from './with-ledger.js';

describe('a fan-out', () => {
  const at = withEngine('postgres');
  const { ledger } = at;
  beforeEach(() =>
    ledger.one.rows('TRUNCATE person, notification, delivery, broadcast, group_member CASCADE'),
  );
  const { partsOf, step, run } = fanOutOn(at);

  const statusOf = async (personId: string) => {
    const [row] = await ledger.one.rows<{ status: string; reason: string | null }>(
      'SELECT status, reason FROM notification WHERE person_id = $1',
      [personId],
    );
    return [row?.status, row?.reason];
  };

  it('goes on when it is resumed though the job that found it paused has not ended yet', async () => {
    const queue = { engine: at.engine, events: SILENT };
    await addPeople(ledger.one, 5);
    const id = await broadcastTo(ledger.one);
    await moveBroadcast(ledger.one, id, 'pause', OPS);
    let resumed = false;
    const worker = at.engine.work(
      FANOUT,
      async (job) => {
        const { broadcast_id } = fanOutJob.parse(job.data);
        const { kind } = await step(broadcast_id);
        if (!resumed && kind === 'over') {
          resumed = true;
          await moveBroadcast(ledger.two, id, 'resume', OPS);
          await wakeResumed(queue, { id, delayMs: 0 });
        }
      },
      { concurrency: 2 },
    );
    await wakeFanOut(queue, [{ id, delayMs: 0 }]);
    await waitFor(async () => (await toldBy(ledger.one, id)).length === 5, { what: 'all to be told' });
    await worker.close();
  });

  it('tells everybody once, chunk by chunk, and counts them right', async () => {
    await addPeople(ledger.one, 95);
    const id = await broadcastTo(ledger.one);
    assert.deepEqual(await standingOf(ledger.one, id), { status: 'running', total: 95, reached: 0 });
    assert.deepEqual(await step(id), { kind: 'told', people: 10 });
    assert.deepEqual(await standingOf(ledger.one, id), { status: 'running', total: 95, reached: 10 });
    assert.equal((await run(id)).length, 9);
    assert.deepEqual(await toldBy(ledger.one, id), range(0, 95));
    assert.deepEqual(await standingOf(ledger.one, id), { status: 'running', total: 95, reached: 95 });
    assert.deepEqual(await completeBroadcasts(ledger.one), [], 'nothing has been sent yet');
    await ledger.one.rows("UPDATE delivery SET state = 'sent', sent_at = now()");
    assert.deepEqual((await findBroadcast(ledger.one, id))?.counts, {
      sent: 95,
      failed: 0,
      pending: 0,
      cancelled: 0,
      noChannel: 0,
    });
    assert.equal((await standingOf(ledger.one, id)).status, 'completed', 'whoever looks first sees it');
    assert.deepEqual(await completeBroadcasts(ledger.one), [id]);
    assert.deepEqual(await completeBroadcasts(ledger.one), []);
    assert.deepEqual(await run(id), [{ kind: 'over' }], 'a job too many does nothing');
    assert.equal((await toldBy(ledger.one, id)).length, 95);
  });

  it('tells the union of groups, nobody twice and nobody who is switched off', async () => {
    await addPeople(ledger.one, 40);
    for (const [group, from, to] of [
      ['a', 0, 25],
      ['b', 10, 30],
    ] as const)
      await ledger.one.rows(
        `INSERT INTO group_member (group_id, person_id, created_at)
         SELECT $1, unnest($2::text[]), now() - interval '1 minute'`,
        [group, range(from, to)],
      );
    await ledger.one.rows("UPDATE person SET active = false WHERE id IN ('p00003', 'p00020')");
    const id = await broadcastTo(ledger.one, { groups: ['a', 'b', 'nobody'] });
    assert.equal((await standingOf(ledger.one, id)).total, 28);
    await run(id, { ...BOUNDS, chunk: 7 });
    const told = range(0, 30).filter((one) => !ids(3, 20).includes(one));
    assert.deepEqual(await toldBy(ledger.one, id), told);
    assert.deepEqual(await standingOf(ledger.one, id), { status: 'running', total: 28, reached: 28 });
  });

  it('makes small chunks of a large message', async () => {
    await addPeople(ledger.one, 5);
    const id = await broadcastTo(ledger.one, { data: { text: 'x'.repeat(1_900_000) } });
    assert.deepEqual(await step(id), { kind: 'told', people: 2 });
    await run(id);
    assert.deepEqual(await toldBy(ledger.one, id), range(0, 5));
  });

  it('that is killed after its commit and before its jobs goes on where it was, and the jobs are made', async () => {
    await addPeople(ledger.one, 30);
    const id = await broadcastTo(ledger.one);
    const killed = {
      ...partsOf(ledger.one),
      enqueuer: { ...at.enqueuer, enqueueNow: () => Promise.reject(new Error('killed')) },
    };
    await assert.rejects(fanOutStep(killed, id, BOUNDS), /killed/);
    assert.deepEqual(await toldBy(ledger.one, id), range(0, 10));
    assert.deepEqual(await step(id), { kind: 'told', people: 10 });
    await run(id);
    assert.deepEqual(await toldBy(ledger.one, id), range(0, 30));
    const made = await reconcile(
      { database: ledger.one, engine: at.engine, enqueuer: at.enqueuer, events: SILENT },
      { graceMs: 0, thorough: true },
    );
    assert.equal(made, 10, 'those whose jobs were lost with it');
  });

  it('that is killed in a transaction has told nobody of that chunk', async () => {
    await addPeople(ledger.one, 20);
    const id = await broadcastTo(ledger.one);
    // A connection that breaks before the commit: no more is left of it than of a killed process.
    const broken: Database = {
      ...ledger.one,
      transaction: (work) =>
        ledger.one.transaction(async (transaction) => {
          await work(transaction);
          throw Object.assign(new Error('Connection terminated'), { code: 'ECONNRESET' });
        }),
    };
    await assert.rejects(step(id, BOUNDS, broken), /terminated/);
    assert.deepEqual(await toldBy(ledger.one, id), []);
    assert.equal((await standingOf(ledger.one, id)).reached, 0);
    await run(id);
    assert.deepEqual(await toldBy(ledger.one, id), range(0, 20));
  });

  it('of which two run at once tells nobody twice', async () => {
    await addPeople(ledger.one, 300);
    const id = await broadcastTo(ledger.one);
    const both = await Promise.all([run(id), run(id, BOUNDS, ledger.two)]);
    assert.deepEqual(await toldBy(ledger.one, id), range(0, 300));
    const told = both.flat().filter(({ kind }) => kind === 'told');
    assert.ok(told.length >= 29, 'every chunk was written by one of them');
    assert.deepEqual(await standingOf(ledger.one, id), { status: 'running', total: 300, reached: 300 });
  });

  it('tells who is there when it comes to them and was there before it began', async () => {
    await addPeople(ledger.one, 30, 'tenants');
    const all = await broadcastTo(ledger.one);
    const group = await broadcastTo(ledger.one, { groups: ['tenants'] });
    for (const id of [all, group]) await step(id);
    // Before the cursor and after it: leaving, being switched off, being erased, coming.
    for (const one of ids(5, 15)) await removeMember(ledger.one, 'tenants', one, OPS);
    for (const one of ids(6, 16)) await putPerson(ledger.one, one, { active: false }, OPS);
    for (const one of ids(7, 17)) await erasePerson(ledger.one, one, OPS);
    for (const one of ['p00000-new', 'p00025-new'])
      await putPerson(ledger.one, one, { groups: ['tenants'] }, OPS);
    await addMember(ledger.one, 'tenants', 'p00015', OPS);
    // Erased and made again: somebody new.
    await putPerson(ledger.one, 'p00017', { groups: ['tenants'] }, OPS);
    for (const id of [all, group]) await run(id);
    const without = (...gone: readonly number[]) => range(0, 30).filter((one) => !ids(...gone).includes(one));
    const told = async (id: string) => (await toldBy(ledger.one, id)).filter((one) => one !== null);
    assert.deepEqual(await told(all), without(7, 16, 17));
    assert.deepEqual(await told(group), without(7, 15, 16, 17), 'whoever left and came back came too late');
    assert.deepEqual(await standingOf(ledger.one, all), { status: 'running', total: 28, reached: 28 });
    assert.deepEqual(await standingOf(ledger.one, group), { status: 'running', total: 27, reached: 27 });
  });

  it('whose chunk fails for one record tells all others, and says so of the one', async () => {
    await addPeople(ledger.one, 33);
    await ledger.one.rows(
      "UPDATE person SET preferences = 'null' WHERE id IN ('p00004', 'p00021', 'p00022')",
    );
    const id = await broadcastTo(ledger.one);
    await run(id, { ...BOUNDS, chunk: 16 });
    assert.deepEqual(await toldBy(ledger.one, id), range(0, 33));
    for (const one of ids(4, 21, 22)) assert.deepEqual(await statusOf(one), ['FAILED', 'broken_record']);
    for (const one of ids(3, 5, 20, 23)) assert.deepEqual(await statusOf(one), ['PENDING', null]);
    assert.equal((await findBroadcast(ledger.one, id))?.counts.failed, 3);
  });

  it('asks each person what they wish', async () => {
    await addPeople(ledger.one, 4);
    await ledger.one.rows(`UPDATE person SET preferences = '{"realtime": false}' WHERE id = 'p00001'`);
    await ledger.one.rows(
      `UPDATE person SET preferences = '{"email": false, "realtime": false}' WHERE id = 'p00002'`,
    );
    const id = await broadcastTo(ledger.one, { channels: ['realtime', 'email'] });
    await run(id);
    const rows = await ledger.one.rows(
      `SELECT n.person_id AS who, d.channel, d.state, d.reason FROM delivery d JOIN notification n ON n.id = d.notification_id
       WHERE n.broadcast_id = $1 AND d.channel IN ('realtime', 'email') AND n.person_id IN ('p00000', 'p00001')
       ORDER BY 1, 2 DESC`,
      [id],
    );
    assert.deepEqual(
      rows.map(({ who, channel, state, reason }) => [who, channel, state, reason]),
      [
        ['p00000', 'realtime', 'queued', null],
        ['p00000', 'email', 'queued', null],
        ['p00001', 'realtime', 'skipped', 'preference_off'],
        ['p00001', 'email', 'queued', null],
      ],
    );
    assert.deepEqual(await statusOf('p00002'), ['FAILED', 'no_channel']);
    const counts = (await findBroadcast(ledger.one, id))?.counts;
    assert.deepEqual([counts?.failed, counts?.noChannel, counts?.pending], [1, 1, 3]);
  });

  it('waits while too much of what it has handed out is not sent', async () => {
    await addPeople(ledger.one, 30);
    const id = await broadcastTo(ledger.one);
    const narrow = { chunk: 10, open: 15 };
    assert.equal((await step(id, narrow)).kind, 'told');
    assert.equal((await step(id, narrow)).kind, 'told');
    assert.equal((await step(id, narrow)).kind, 'later');
    assert.equal((await standingOf(ledger.one, id)).reached, 20);
    await ledger.one.rows("UPDATE delivery SET state = 'sent' WHERE address < 'p00010'");
    assert.equal((await step(id, narrow)).kind, 'told');
    // What waits for another day is no crowd.
    await ledger.one.rows("UPDATE delivery SET due_at = now() + interval '1 hour' WHERE state = 'queued'");
    assert.equal((await step(id, narrow)).kind, 'over');
  });
});
