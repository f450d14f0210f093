import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { newId } from '@belfry/shared/domain/ids.js';
import {
  cancelDeliveries,
  completeBroadcasts,
  forgetBroadcasts,
} from '@belfry/shared/ledger/broadcast-upkeep.js';
import { findBroadcast, moveBroadcast } from '@belfry/shared/ledger/broadcasts.js';
import { claimDeliveries } from '@belfry/shared/ledger/claim.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import { erasePerson } from '@belfry/shared/ledger/erase.js';
import { countNotifications } from '@belfry/shared/ledger/notifications.js';
import { putPerson } from '@belfry/shared/ledger/people.js';
import { recordOutcomes } from '@belfry/shared/ledger/record.js';
import { beginRetries } from '@belfry/shared/ledger/waiting.js';
import { objectionTo } from '@belfry/shared/routing/guard.js';
import { createPruner } from '@belfry/shared/upkeep/prune.js';
import { waitFor } from '../support/wait.js';
import { addPeople, BOUNDS, broadcastTo, fanOutOn, range, standingOf, toldBy } from './broadcast-people.js';
import { waitingForLocks } from './notes.js';
import { withEngine } from './with-engine.js';
import { claimed, OPS, recordFor } from './with-ledger.js';

describe('a broadcast', () => {
  const at = withEngine('postgres');
  const { ledger } = at;
  const { step, run } = fanOutOn(at);
  beforeEach(() =>
    ledger.one.rows('TRUNCATE person, notification, delivery, broadcast, group_member CASCADE'),
  );

  it('stops within a chunk when it is paused, and goes on where it was', async () => {
    await addPeople(ledger.one, 30);
    const id = await broadcastTo(ledger.one);
    await step(id);
    assert.equal((await moveBroadcast(ledger.two, id, 'pause', OPS)).kind, 'moved');
    assert.deepEqual(await run(id), [{ kind: 'over' }]);
    assert.deepEqual(await standingOf(ledger.one, id), { status: 'paused', total: 30, reached: 10 });
    for (const [move, kind] of [
      ['pause', 'impossible'],
      ['resume', 'moved'],
      ['resume', 'impossible'],
    ] as const)
      assert.equal((await moveBroadcast(ledger.one, id, move, OPS)).kind, kind);
    await run(id);
    assert.deepEqual(await toldBy(ledger.one, id), range(0, 30));
    assert.equal((await moveBroadcast(ledger.one, id, 'pause', OPS)).kind, 'impossible', 'nobody is left');
  });

  it('that is called off tells nobody else, and what was handed out is taken back', async () => {
    await addPeople(ledger.one, 30);
    const id = await broadcastTo(ledger.one);
    await step(id);
    await ledger.one.rows("UPDATE delivery SET state = 'sent' WHERE address = 'p00000'");
    await ledger.one.rows("UPDATE delivery SET state = 'dead', retryable = true WHERE address = 'p00001'");
    assert.equal((await moveBroadcast(ledger.one, id, 'cancel', OPS)).kind, 'moved');
    assert.equal(await cancelDeliveries(ledger.one, id, 5), 5);
    assert.equal(await cancelDeliveries(ledger.one, id, 100), 4);
    assert.equal(await cancelDeliveries(ledger.one, id, 100), 0);
    assert.deepEqual(await run(id), [{ kind: 'over' }]);
    assert.deepEqual((await findBroadcast(ledger.one, id))?.counts, {
      sent: 1,
      failed: 1,
      pending: 0,
      cancelled: 8,
      noChannel: 0,
    });
    const retryable = await ledger.one.rows('SELECT 1 FROM delivery WHERE retryable');
    assert.deepEqual(retryable, [], 'what was given up is not begun again');
    for (const move of ['pause', 'resume', 'cancel'] as const)
      assert.equal((await moveBroadcast(ledger.one, id, move, OPS)).kind, 'impossible');
  });

  it('can be called off while its only chunk is being written', async () => {
    await addPeople(ledger.one, 3);
    const id = await broadcastTo(ledger.one);
    let move: ReturnType<typeof moveBroadcast> | undefined;
    await step(
      id,
      BOUNDS,
      committingLate(ledger.one, async () => {
        move = moveBroadcast(ledger.two, id, 'cancel', OPS);
        await waitFor(async () => (await waitingForLocks(ledger.one)) > 0, {
          what: 'the move to wait for the chunk',
        });
      }),
    );
    assert.deepEqual(await move, { kind: 'moved', status: 'cancelled', delayMs: 0 });
    assert.equal(await cancelDeliveries(ledger.one, id, 100), 3);
  });

  it('that is called off stops what nobody has taken back yet, and what is begun anew', async () => {
    await addPeople(ledger.one, 2);
    const id = await broadcastTo(ledger.one);
    await step(id);
    const worker = newId();
    const deliveries = await ledger.one.rows<{ id: string }>(
      "SELECT id FROM delivery WHERE state = 'queued' ORDER BY id",
    );
    const ids = deliveries.map((row) => row.id);
    const inHand = claimed((await claimDeliveries(ledger.one, worker, 30_000, ids.slice(0, 1)))[0]);
    assert.equal((await moveBroadcast(ledger.one, id, 'cancel', OPS)).kind, 'moved');
    const given = {
      state: 'dead',
      reason: 'attempts_exhausted',
      failure: 'exhausted',
      retryable: true,
    } as const;
    await recordOutcomes(ledger.one, worker, [recordFor(inHand, given)]);
    assert.equal((await beginRetries(ledger.one, { includeWaiting: false, limit: 10 })).length, 1);
    for (const claim of await claimDeliveries(ledger.one, worker, 30_000, ids)) {
      const objection = objectionTo(claimed(claim), { poisonAfter: 10, mandatory: () => [] });
      assert.deepEqual(objection, { state: 'cancelled', reason: 'broadcast_cancelled' });
    }
  });

  it('begins when its time has come, for those who are there by then, and never after its end', async () => {
    await addPeople(ledger.one, 20);
    const soon = new Date(Date.now() + 60_000);
    const id = await broadcastTo(ledger.one, { sendAt: soon, expiresAt: new Date(Date.now() + 3_600_000) });
    assert.deepEqual(await standingOf(ledger.one, id), { status: 'scheduled', total: 20, reached: 0 });
    const early = await step(id);
    assert.ok(early.kind === 'later' && early.waitMs > 50_000 && early.waitMs <= 60_000);
    await putPerson(ledger.one, 'p-new', {}, OPS);
    await ledger.one.rows("UPDATE broadcast SET send_at = now() - interval '1 second'");
    assert.deepEqual(await step(id), { kind: 'told', people: 10 });
    assert.deepEqual(await standingOf(ledger.one, id), { status: 'running', total: 21, reached: 10 });
    await ledger.one.rows("UPDATE broadcast SET expires_at = now() - interval '1 second'");
    assert.deepEqual(await run(id), [{ kind: 'over' }]);
    assert.equal((await toldBy(ledger.one, id)).length, 10);
    await ledger.one.rows("UPDATE delivery SET state = 'expired'");
    await completeBroadcasts(ledger.one);
    assert.deepEqual(await standingOf(ledger.one, id), { status: 'completed', total: 21, reached: 10 });
  });

  it('is pruned with all that belongs to it, and no total changes', async () => {
    await addPeople(ledger.one, 20);
    const id = await broadcastTo(ledger.one);
    await run(id);
    await erasePerson(ledger.one, 'p00003', OPS);
    const left = async () =>
      (await ledger.one.rows('SELECT 1 FROM notification WHERE broadcast_id = $1', [id])).length;
    assert.equal(await left(), 20, 'an erased person leaves the fact behind');
    await ledger.one.rows("UPDATE delivery SET state = 'sent' WHERE state = 'queued'");
    await completeBroadcasts(ledger.one);
    const before = await countNotifications(ledger.one);
    await age(40);
    const prune = createPruner(ledger.one, 50);
    assert.equal(await prune(), 0);
    assert.equal((await findBroadcast(ledger.one, id))?.counts.sent, 19);
    await ledger.one.rows("UPDATE broadcast SET ended_at = now() - interval '20 days'");
    assert.equal(await createPruner(ledger.one, 30)(), 0, 'its notifications stay for as long as it does');
    await age(40);
    let removed = 0;
    const pruneAll = createPruner(ledger.one, 30);
    for (let more = -1; more !== 0; removed += more) more = await pruneAll();
    assert.equal(removed, 20);
    assert.equal(await findBroadcast(ledger.one, id), null);
    assert.equal(await forgetBroadcasts(ledger.one, 30, 100), 0);
    assert.deepEqual(sorted(await countNotifications(ledger.one)), sorted(before));

    async function age(days: number): Promise<void> {
      await ledger.one.rows(
        `UPDATE broadcast SET created_at = now() - $1 * interval '1 day', ended_at = now() - $1 * interval '1 day'`,
        [days],
      );
      await ledger.one.rows(`UPDATE delivery SET updated_at = now() - $1 * interval '1 day'`, [days]);
      // Ids as they were made then: UUIDv7 begins with the time.
      await ledger.one.rows(
        `WITH renamed AS (
           SELECT id AS old, (lpad(to_hex((extract(epoch FROM now() - $1 * interval '1 day') * 1000)::bigint), 12, '0')
             || right(replace(id::text, '-', ''), 20))::uuid AS new FROM notification
         ), copied AS (
           INSERT INTO notification (id, person_id, type, priority, caller, broadcast_id, created_at, sent_count, cancelled_count)
           SELECT new, NULL, type, priority, caller, broadcast_id, now() - $1 * interval '1 day', sent_count, cancelled_count
           FROM notification JOIN renamed ON old = id RETURNING id
         ), moved AS (
           UPDATE delivery SET notification_id = new FROM renamed WHERE notification_id = old RETURNING 1
         )
         SELECT (SELECT count(*) FROM copied), (SELECT count(*) FROM moved)`,
        [days],
      );
      await ledger.one.rows(
        'DELETE FROM notification n WHERE NOT EXISTS (SELECT 1 FROM delivery d WHERE d.notification_id = n.id)',
      );
    }
  });
});

/** A database whose transactions do something right before their commit. */
function committingLate(database: Database, act: () => Promise<void>): Database {
  return {
    ...database,
    transaction: (work) =>
      database.transaction(async (transaction) => {
        const result = await work(transaction);
        await act();
        return result;
      }),
  };
}

function sorted(counts: readonly { status: string; count: number }[]): string[] {
  return counts.map(({ status, count }) => `${status} ${count}`).sort();
}
