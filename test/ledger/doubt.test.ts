import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { newId } from '@belfry/shared/domain/ids.js';
import { type Claimed, claimDeliveries } from '@belfry/shared/ledger/claim.js';
import { recordOutcomes } from '@belfry/shared/ledger/record.js';
import {
  beginRetries,
  countOpen,
  databaseNow,
  oldestDue,
  pageOfOwed,
  unalarmed,
} from '@belfry/shared/ledger/waiting.js';
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
const EXHAUSTED = { state: 'dead', reason: 'attempts_exhausted', retryable: true } as const;
const HOUR_MS = 3_600_000;
const BEGIN = '00000000-0000-0000-0000-000000000000';

describe('a doubt whether a message went out', () => {
  const ledger = withLedger();
  beforeEach(() => ledger.one.rows('TRUNCATE notification, delivery, attempt CASCADE'));

  const claimOne = async (id: string): Promise<Claimed> =>
    claimed((await claimDeliveries(ledger.one, ANNA, 60_000, [id]))[0]);
  const accepted = async () => {
    const sms = notification({ channels: ['sms'] });
    await accept(ledger.one, sms);
    return firstOf(sms);
  };

  it('is there after a worker was lost, and after an answer that never came', async () => {
    const id = await accepted();
    assert.equal((await claimOne(id)).inDoubt, false);
    await letLeaseLapse(ledger.one, id);
    const taken = await claimOne(id);
    assert.equal(taken.inDoubt, true);
    await recordOutcomes(ledger.one, ANNA, [recordFor(taken, { state: 'retrying', inDoubt: true })]);
    assert.equal((await claimOne(id)).inDoubt, true);
  });

  it('outlives the round of attempts in which it arose', async () => {
    const id = await accepted();
    await recordOutcomes(ledger.one, ANNA, [recordFor(await claimOne(id), { ...EXHAUSTED, inDoubt: true })]);
    await beginRetries(ledger.one, { includeWaiting: false, limit: 10 });
    assert.equal((await claimOne(id)).inDoubt, true);
  });

  it('is gone when it has been settled', async () => {
    const id = await accepted();
    await recordOutcomes(ledger.one, ANNA, [
      recordFor(await claimOne(id), { state: 'ambiguous', inDoubt: true }),
    ]);
    await recordOutcomes(ledger.one, ANNA, [
      recordFor(await claimOne(id), { state: 'retrying', inDoubt: false }),
    ]);
    assert.equal((await claimOne(id)).inDoubt, false);
  });
});

describe('what is retried', () => {
  const ledger = withLedger();

  it('is not taken again by the same call when it fails again meanwhile', async () => {
    const mails = [notification(), notification(), notification()];
    await accept(ledger.one, ...mails);
    const fail = async () => {
      const claims = await claimDeliveries(ledger.one, ANNA, 60_000, mails.map(firstOf));
      await recordOutcomes(
        ledger.one,
        ANNA,
        claims.map((claim) => recordFor(claimed(claim), EXHAUSTED)),
      );
    };
    await fail();
    const before = await databaseNow(ledger.one);
    assert.equal((await beginRetries(ledger.one, { before, includeWaiting: true, limit: 10 })).length, 3);
    await fail();
    assert.deepEqual(await beginRetries(ledger.one, { before, includeWaiting: true, limit: 10 }), []);
  });

  it('leaves alone what a provider asked to be spared from', async () => {
    const mail = notification();
    await accept(ledger.one, mail);
    const [claim] = await claimDeliveries(ledger.one, ANNA, 60_000, [firstOf(mail)]);
    const throttled = { state: 'retrying', reason: 'throttled', cost: 0, dueInMs: HOUR_MS } as const;
    await recordOutcomes(ledger.one, ANNA, [recordFor(claimed(claim), throttled)]);
    const retried = await beginRetries(ledger.one, { includeWaiting: true, limit: 100 });
    assert.ok(!retried.some(({ deliveryId }) => deliveryId === firstOf(mail)));
  });
});

describe('a schedule further away than a day', () => {
  const ledger = withLedger();

  it('asks for its first job when it comes near, and not before', async () => {
    const far = notification({ state: 'scheduled', sendAt: new Date(Date.now() + 48 * HOUR_MS) });
    const near = notification({ state: 'scheduled', sendAt: new Date(Date.now() + HOUR_MS) });
    await accept(ledger.one, far, near);
    assert.deepEqual(await unalarmed(ledger.one, 10), []);
    await ledger.one.rows("UPDATE delivery SET due_at = due_at - interval '25 hours' WHERE id = $1", [
      firstOf(far),
    ]);
    assert.deepEqual(
      (await unalarmed(ledger.one, 10)).map(({ deliveryId, generation }) => [deliveryId, generation]),
      [[firstOf(far), 0]],
    );
  });
});

describe('counting what is open', () => {
  const ledger = withLedger();

  it('reads no delivery that is long over', async () => {
    await accept(ledger.one, ...Array.from({ length: 2_000 }, () => notification()));
    await ledger.one.rows("UPDATE delivery SET state = 'sent', sent_at = now()");
    await accept(ledger.one, notification());
    await ledger.one.rows('VACUUM ANALYZE delivery');
    const statements: string[] = [];
    const explain: typeof ledger.one.rows = async (statement, values) => {
      const plan = await ledger.one.rows<{ 'QUERY PLAN': string }>(`EXPLAIN ${statement}`, values);
      statements.push(plan.map((line) => line['QUERY PLAN']).join('\n'));
      return [];
    };
    const where = { channel: 'email', priority: 'normal', graceMs: 0, limit: 50 } as const;
    await countOpen({ ...ledger.one, rows: explain }, 0);
    await oldestDue({ ...ledger.one, rows: explain }, where);
    await pageOfOwed({ ...ledger.one, rows: explain }, { ...where, afterId: BEGIN });
    for (const plan of statements) assert.match(plan, /delivery_open/);
    assert.equal(statements.length, 3);
    assert.equal((await countOpen(ledger.one, 0))[0]?.open, 1);
  });
});
