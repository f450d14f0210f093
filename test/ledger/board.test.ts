import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { newId } from '@belfry/shared/domain/ids.js';
import { makeDue, replayDead, standingOf } from '@belfry/shared/ledger/board.js';
import { claimDeliveries } from '@belfry/shared/ledger/claim.js';
import { recordOutcomes } from '@belfry/shared/ledger/record.js';
import { accept, claimed, firstOf, notification, recordFor, rowOf, withLedger } from './with-ledger.js';

describe('what an operator does to deliveries', () => {
  const ledger = withLedger();

  async function dead(): Promise<string> {
    const one = notification();
    await accept(ledger.one, one);
    const owner = newId();
    const [claim] = await claimDeliveries(ledger.one, owner, 5_000, [firstOf(one)]);
    const ending = { state: 'dead', reason: '550', failure: 'rejected' } as const;
    await recordOutcomes(ledger.one, owner, [recordFor(claimed(claim), ending)]);
    return firstOf(one);
  }

  async function scheduled(): Promise<string> {
    const one = notification({ state: 'scheduled', sendAt: new Date(Date.now() + 3_600_000) });
    await accept(ledger.one, one);
    return firstOf(one);
  }

  it('a replay queues what is dead under a new generation, with a round of its own', async () => {
    const id = await dead();
    await ledger.one.rows('UPDATE delivery SET interruptions = 26, attempts = 3 WHERE id = $1', [id]);
    const [seed] = await ledger.one.transaction((transaction) => replayDead(transaction, [id]));
    assert.deepEqual([seed?.deliveryId, seed?.generation, seed?.delayMs], [id, 2, 0]);
    const row = await rowOf(ledger.one, id);
    const { state, round, attempts, interruptions, failure, dead_at } = row;
    assert.deepEqual(
      { state, round, attempts, interruptions, failure, dead_at },
      { state: 'queued', round: 2, attempts: 0, interruptions: 0, failure: null, dead_at: null },
    );
    claimed((await claimDeliveries(ledger.one, newId(), 5_000, [id]))[0]);
  });

  it('of many replays at once each delivery is in one', async () => {
    const ids = await Promise.all(Array.from({ length: 5 }, dead));
    const seeds = await Promise.all(
      Array.from({ length: 6 }, (_, n) =>
        [ledger.one, ledger.two][n % 2]?.transaction((transaction) =>
          replayDead(transaction, n % 3 === 0 ? ids : ids.toReversed()),
        ),
      ),
    );
    assert.deepEqual(
      seeds.flatMap((some) => (some ?? []).map(({ deliveryId }) => deliveryId)).sort(),
      ids.toSorted(),
    );
  });

  it('what is scheduled becomes due, keeps its state, and can be claimed', async () => {
    const id = await scheduled();
    const [seed] = await makeDue(ledger.one, [id]);
    assert.deepEqual([seed?.deliveryId, seed?.generation, seed?.delayMs], [id, 2, 0]);
    assert.deepEqual(await standingOf(ledger.one, id), { state: 'scheduled', generation: 2 });
    claimed((await claimDeliveries(ledger.one, newId(), 5_000, [id]))[0]);
  });

  it('neither verb touches a delivery in any other state, nor one that is due already', async () => {
    const [gone, later] = [await dead(), await scheduled()];
    const due = notification();
    await accept(ledger.one, due);
    const inHand = notification();
    await accept(ledger.one, inHand);
    await claimDeliveries(ledger.one, newId(), 5_000, [firstOf(inHand)]);
    const others = [firstOf(due), firstOf(inHand), newId()];
    assert.deepEqual(await replayDead(ledger.one, [...others, later]), []);
    assert.deepEqual(await makeDue(ledger.one, [...others, gone]), []);
    assert.equal(await standingOf(ledger.one, newId()), null);
  });

  it('an act whose transaction fails has not happened', async () => {
    const id = await dead();
    const failing = ledger.one.transaction(async (transaction) => {
      await replayDead(transaction, [id]);
      throw new Error('the audit event could not be written');
    });
    await assert.rejects(failing, /audit event/);
    assert.deepEqual(await standingOf(ledger.one, id), { state: 'dead', generation: 1 });
  });
});
