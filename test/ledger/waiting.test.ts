import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { newId } from '@belfry/shared/domain/ids.js';
import { claimDeliveries } from '@belfry/shared/ledger/claim.js';
import { recordOutcomes } from '@belfry/shared/ledger/record.js';
import {
  beginRetries,
  countOpen,
  dueTasks,
  MAX_ROUNDS,
  pageOfOwed,
  renewGenerations,
  takeTurn,
} from '@belfry/shared/ledger/waiting.js';
import {
  accept,
  claimed,
  firstOf,
  letLeaseLapse,
  notification,
  recordFor,
  rowOf,
  withLedger,
} from './with-ledger.js';

const ANNA = newId();
const EXHAUSTED = { state: 'dead', reason: 'attempts_exhausted', retryable: true } as const;
const BEGIN = '00000000-0000-0000-0000-000000000000';

describe('what waits', () => {
  const ledger = withLedger();
  beforeEach(() => ledger.one.rows('TRUNCATE notification, delivery, attempt, upkeep CASCADE'));

  const end = async (id: string, outcome: Parameters<typeof recordFor>[1]) => {
    const claim = claimed((await claimDeliveries(ledger.one, ANNA, 60_000, [id]))[0]);
    await recordOutcomes(ledger.one, ANNA, [recordFor(claim, outcome)]);
  };
  const accepted = async (options: Parameters<typeof notification>[0] = {}) => {
    const mail = notification(options);
    await accept(ledger.one, mail);
    return firstOf(mail);
  };
  const sweep = (includeWaiting = false, limit = 100) => beginRetries(ledger.one, { includeWaiting, limit });

  it('is swept by one process of ten, once in an interval', async () => {
    const ask = () =>
      Promise.all(
        Array.from({ length: 10 }, (_, n) => takeTurn(n % 2 ? ledger.one : ledger.two, 'sweep', 60_000)),
      );
    assert.equal((await ask()).filter(Boolean).length, 1);
    assert.equal((await ask()).filter(Boolean).length, 0);
    const asked = ['sweep', 'another task'].map((task) => ({ task, everyMs: 60_000 }));
    assert.deepEqual(await dueTasks(ledger.two, asked), new Set(['another task']));
    assert.equal(await takeTurn(ledger.one, 'another task', 60_000), true);
    assert.deepEqual(await dueTasks(ledger.two, asked), new Set());
    await ledger.one.rows("UPDATE upkeep SET ran_at = now() - interval '61 seconds'");
    assert.equal((await ask()).filter(Boolean).length, 1);
  });

  it(`gets ${MAX_ROUNDS} rounds of attempts when they are used up, each with a new job, and then no more`, async () => {
    const id = await accepted();
    for (let round = 1; round < MAX_ROUNDS; round += 1) {
      await end(id, EXHAUSTED);
      const [seed] = await sweep();
      assert.deepEqual([seed?.deliveryId, seed?.generation, seed?.delayMs], [id, round + 1, 0]);
      const row = await rowOf(ledger.one, id);
      assert.deepEqual([row.state, row.round, row.attempts, row.retryable], ['queued', round + 1, 0, false]);
    }
    await end(id, EXHAUSTED);
    assert.deepEqual(await sweep(), []);
    const row = await rowOf(ledger.one, id);
    assert.deepEqual([row.state, row.tries], ['dead', MAX_ROUNDS]);
  });

  it('is not tried again when it was rejected, is over, or comes too late', async () => {
    await end(await accepted(), { state: 'dead', reason: '550' });
    await end(await accepted(), {});
    const late = await accepted();
    await end(late, EXHAUSTED);
    await ledger.one.rows("UPDATE delivery SET expires_at = now() - interval '1 second' WHERE id = $1", [
      late,
    ]);
    assert.deepEqual(await sweep(true), []);
  });

  it('between two attempts is brought forward by a call, and left alone by the sweep', async () => {
    const id = await accepted();
    await end(id, { state: 'retrying', dueInMs: 3_600_000 });
    assert.deepEqual(await sweep(false), []);
    assert.equal((await sweep(true))[0]?.deliveryId, id);
    const row = await rowOf(ledger.one, id);
    assert.deepEqual([row.state, row.round, row.attempts], ['queued', 1, 1]);
    const again = claimed((await claimDeliveries(ledger.one, ANNA, 60_000, [id]))[0]);
    assert.equal(again.recalled, true, 'and its claim says that somebody wants it now');
  });

  it('is not called recalled the first time, nor when its own time has come', async () => {
    const id = await accepted();
    const first = claimed((await claimDeliveries(ledger.one, ANNA, 60_000, [id]))[0]);
    await recordOutcomes(ledger.one, ANNA, [recordFor(first, { state: 'retrying' })]);
    const second = claimed((await claimDeliveries(ledger.one, ANNA, 60_000, [id]))[0]);
    assert.deepEqual([first.recalled, second.recalled], [false, false]);
  });

  for (const reason of ['throttled', 'paced']) {
    it(`is not brought forward by anybody while it is ${reason}`, async () => {
      await end(await accepted(), { state: 'retrying', dueInMs: 3_600_000, reason });
      assert.deepEqual(await sweep(true), []);
    });
  }

  it('is begun anew by one of two sweeps at once, and no more at a time than asked for', async () => {
    const ids = await Promise.all(Array.from({ length: 30 }, () => accepted()));
    for (const id of ids) await end(id, EXHAUSTED);
    assert.equal((await sweep(false, 10)).length, 10);
    const both = await Promise.all([
      sweep(),
      beginRetries(ledger.two, { includeWaiting: false, limit: 100 }),
    ]);
    const begun = both.flat().map(({ deliveryId }) => deliveryId);
    assert.equal(begun.length, 20);
    assert.equal(new Set(begun).size, 20);
  });

  it('owes a job when it is due, near, or was lost with its worker', async () => {
    const hours = (n: number) =>
      ({ state: 'scheduled', sendAt: new Date(Date.now() + n * 3_600_000) }) as const;
    const [due, near, far, lost, held, sent] = await Promise.all([
      accepted(),
      accepted(hours(23)),
      accepted(hours(25)),
      accepted(),
      accepted(),
      accepted(),
    ]);
    assert.ok(due && near && far && lost && held && sent);
    await claimDeliveries(ledger.one, ANNA, 60_000, [lost, held]);
    await letLeaseLapse(ledger.one, lost);
    await end(sent, {});
    const page = { channel: 'email', priority: 'normal', graceMs: 0, afterId: BEGIN, limit: 10 } as const;
    const owed = await pageOfOwed(ledger.one, page);
    assert.deepEqual(
      owed.map(({ deliveryId }) => deliveryId),
      [due, near, lost].toSorted(),
    );
    assert.deepEqual(await countOpen(ledger.one, 0), [
      { channel: 'email', priority: 'normal', open: 4, owed: 3 },
    ]);
    assert.deepEqual(await pageOfOwed(ledger.one, { ...page, graceMs: 60_000 }), []);
    const rest = await pageOfOwed(ledger.one, { ...page, afterId: owed[0]?.deliveryId ?? '', limit: 1 });
    assert.deepEqual(
      rest.map(({ deliveryId }) => deliveryId),
      owed.slice(1, 2).map(({ deliveryId }) => deliveryId),
    );
  });

  it('gets a new generation from one of two reconcilers, and none when it moved on meanwhile', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, () => accepted()));
    const page = { channel: 'email', priority: 'normal', graceMs: 0, afterId: BEGIN, limit: 100 } as const;
    const seeds = await pageOfOwed(ledger.one, page);
    await end(ids[0] ?? '', {});
    const both = await Promise.all([
      renewGenerations(ledger.one, seeds),
      renewGenerations(ledger.two, seeds.toReversed()),
    ]);
    const renewed = both.flat();
    assert.equal(renewed.length, 19);
    assert.ok(renewed.every(({ generation, deliveryId }) => generation === 2 && deliveryId !== ids[0]));
  });
});
