import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { newId } from '@belfry/shared/domain/ids.js';
import { makeDue, standingOf } from '@belfry/shared/ledger/board.js';
import { claimDeliveries } from '@belfry/shared/ledger/claim.js';
import { recordOutcomes } from '@belfry/shared/ledger/record.js';
import { accept, claimed, firstOf, notification, recordFor, withLedger } from './with-ledger.js';

describe('making deliveries due from the board', () => {
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

  it('what is scheduled becomes due, keeps its state, and can be claimed', async () => {
    const id = await scheduled();
    const [seed] = await makeDue(ledger.one, [id]);
    assert.deepEqual([seed?.deliveryId, seed?.generation, seed?.delayMs], [id, 2, 0]);
    assert.deepEqual(await standingOf(ledger.one, id), { state: 'scheduled', generation: 2 });
    claimed((await claimDeliveries(ledger.one, newId(), 5_000, [id]))[0]);
  });

  it('a delivery in any other state is left alone, and one that is due already', async () => {
    const due = notification();
    await accept(ledger.one, due);
    const inHand = notification();
    await accept(ledger.one, inHand);
    await claimDeliveries(ledger.one, newId(), 5_000, [firstOf(inHand)]);
    assert.deepEqual(await makeDue(ledger.one, [await dead(), firstOf(due), firstOf(inHand), newId()]), []);
    assert.equal(await standingOf(ledger.one, newId()), null);
  });

  it('an act whose transaction fails has not happened', async () => {
    const id = await scheduled();
    const failing = ledger.one.transaction(async (transaction) => {
      await makeDue(transaction, [id]);
      throw new Error('the audit event could not be written');
    });
    await assert.rejects(failing, /audit event/);
    assert.deepEqual(await standingOf(ledger.one, id), { state: 'scheduled', generation: 1 });
  });
});
