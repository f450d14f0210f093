import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { newId } from '@belfry/shared/domain/ids.js';
import { type Claim, claimDeliveries, isSuspect } from '@belfry/shared/ledger/claim.js';
import { recordOutcomes } from '@belfry/shared/ledger/record.js';
import {
  accept,
  claimed,
  firstOf,
  letLeaseLapse,
  notification,
  recordFor,
  withLedger,
} from './with-ledger.js';

const ANNA = newId();

describe('a delivery whose workers were lost', () => {
  const ledger = withLedger();
  beforeEach(() => ledger.one.rows('TRUNCATE notification, delivery, attempt CASCADE'));

  const claim = (ids: readonly string[], suspects = true) =>
    claimDeliveries(ledger.one, ANNA, 60_000, ids, suspects);

  /** Deliveries that were in the hands of so many workers that were lost, in the order of their ids. */
  async function interrupted(times: number, howMany: number): Promise<string[]> {
    const mails = Array.from({ length: howMany }, () => notification());
    await accept(ledger.one, ...mails);
    const ids = mails.map(firstOf).sort();
    for (let lost = 0; lost < times; lost += 1) {
      for (const id of ids) {
        claimed((await claim([id]))[0]);
        await letLeaseLapse(ledger.one, id);
      }
    }
    return ids;
  }

  const kinds = (claims: readonly Claim[]) => claims.map(({ kind }) => kind);

  it('is taken at once and along with others after the first loss, which proves nothing', async () => {
    const ids = await interrupted(1, 3);
    const claims = await claim(ids, false);
    assert.deepEqual(kinds(claims), ['claimed', 'claimed', 'claimed']);
    assert.deepEqual(
      claims.map((one) => isSuspect(claimed(one))),
      [false, false, false],
    );
  });

  it('is taken alone after the second, and the others come back within about a second', async () => {
    const ids = await interrupted(2, 3);
    const claims = await claim(ids.toReversed());
    assert.deepEqual(kinds(claims), ['busy', 'busy', 'claimed'], 'the oldest goes first');
    assert.ok(isSuspect(claimed(claims[2])));
    for (const one of claims.slice(0, 2))
      assert.ok(one.kind === 'busy' && one.waitMs >= 350 && one.waitMs <= 1_050, JSON.stringify(one));
    const rows = await ledger.one.rows('SELECT interruptions FROM delivery ORDER BY id');
    assert.deepEqual(
      rows.map(({ interruptions }) => interruptions),
      [2, 1, 1],
      'waiting for a turn costs nothing',
    );
  });

  it('waits for one that is more urgent', async () => {
    const [first = '', urgent = ''] = await interrupted(2, 2);
    await ledger.one.rows("UPDATE delivery SET priority = 'critical' WHERE id = $1", [urgent]);
    assert.deepEqual(kinds(await claim([first, urgent])), ['busy', 'claimed']);
  });

  it('waits while its worker has another suspect in hand, and all else goes on', async () => {
    const suspects = await interrupted(2, 2);
    const [fresh = ''] = await interrupted(0, 1);
    assert.deepEqual(kinds(await claim([...suspects, fresh], false)), ['busy', 'busy', 'claimed']);
  });

  it('stays a suspect when its next try is later, and its job is kept', async () => {
    const [first = '', second = ''] = await interrupted(2, 2);
    const one = claimed((await claim([first]))[0]);
    await recordOutcomes(ledger.one, ANNA, [recordFor(one, { state: 'retrying', dueInMs: 0 })]);
    assert.deepEqual(kinds(await claim([first], false)), ['busy']);
    assert.deepEqual(kinds(await claim([second, first])), ['busy', 'claimed']);
  });
});
