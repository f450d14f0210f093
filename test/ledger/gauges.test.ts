import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { newId } from '@belfry/shared/domain/ids.js';
import { claimDeliveries } from '@belfry/shared/ledger/claim.js';
import { measureLoad } from '@belfry/shared/ledger/gauges.js';
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
const MINUTE_MS = 60_000;

describe('what the ledger shows of the fleet', () => {
  const ledger = withLedger();

  it('counts what is open, what is due, and how long the first of that has been waiting', async () => {
    const later = new Date(Date.now() + 60 * MINUTE_MS);
    const [waiting, young, held, lost, done, planned] = [
      ...Array.from({ length: 5 }, () => notification({ priority: 'high' })),
      notification({ priority: 'high', state: 'scheduled', sendAt: later }),
    ] as const;
    assert.ok(waiting && young && held && lost && done && planned);
    await accept(ledger.one, waiting, young, held, lost, done, planned);
    const since = async (id: string, minutes: number) =>
      ledger.one.rows("UPDATE delivery SET due_at = now() - $2 * interval '1 minute' WHERE id = $1", [
        id,
        minutes,
      ]);
    const claims = await claimDeliveries(ledger.one, ANNA, MINUTE_MS, [held, lost, done].map(firstOf));
    await recordOutcomes(ledger.one, ANNA, [recordFor(claimed(claims[2]))]);
    for (const one of [held, done]) await since(firstOf(one), 90);
    await since(firstOf(waiting), 5);

    const [before, ...others] = await measureLoad(ledger.one);
    assert.deepEqual(others, []);
    const { oldestSeconds, ...counted } = before ?? { oldestSeconds: -1 };
    // In a worker's hands: `held` and `lost`. Due: `waiting` and `young`.
    assert.deepEqual(counted, { channel: 'email', priority: 'high', open: 5, due: 2 });
    assert.ok(oldestSeconds >= 300 && oldestSeconds < 900, `${oldestSeconds} s`);

    await letLeaseLapse(ledger.one, firstOf(lost));
    assert.deepEqual(
      (await measureLoad(ledger.one)).map(({ due }) => due),
      [3],
    );
  });

  it('reads the index of the open rows', async () => {
    const asked: string[] = [];
    const rows = async (statement: string) => {
      asked.push(statement);
      return [];
    };
    await measureLoad({ ...ledger.one, rows });
    const plan = await ledger.one.transaction(async (transaction) => {
      // A table of a few rows is read faster without an index.
      await transaction.rows('SET LOCAL enable_seqscan = off');
      return transaction.rows(`EXPLAIN ${asked[0]}`);
    });
    assert.match(JSON.stringify(plan), /delivery_open/);
  });

  it('says with a claim how long ago its notification was accepted, or came due', async () => {
    const [old, scheduled] = [notification(), notification()];
    await accept(ledger.one, old, scheduled);
    await ledger.one.rows(
      "UPDATE notification SET created_at = now() - interval '1 hour' WHERE id = ANY($1)",
      [[old.id, scheduled.id]],
    );
    await ledger.one.rows("UPDATE notification SET send_at = now() - interval '1 minute' WHERE id = $1", [
      scheduled.id,
    ]);
    const ages = (await claimDeliveries(ledger.one, ANNA, MINUTE_MS, [old, scheduled].map(firstOf))).map(
      (claim) => claimed(claim).notification.ageMs / MINUTE_MS,
    );
    assert.ok(ages[0] !== undefined && ages[0] >= 60 && ages[0] < 70, `${ages}`);
    assert.ok(ages[1] !== undefined && ages[1] >= 1 && ages[1] < 11, `${ages}`);
  });
});
