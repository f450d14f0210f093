import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { statusOf } from '@belfry/shared/domain/delivery-state.js';
import { newId } from '@belfry/shared/domain/ids.js';
import { cancelNotification } from '@belfry/shared/ledger/cancel.js';
import { claimDeliveries } from '@belfry/shared/ledger/claim.js';
import { findNotification } from '@belfry/shared/ledger/notifications.js';
import { type DeliveryRecord, recordOutcomes, type Try } from '@belfry/shared/ledger/record.js';
import {
  accept,
  claimed,
  firstOf,
  letLeaseLapse,
  notification,
  OPS,
  recordFor,
  rowOf,
  withLedger,
} from './with-ledger.js';

const ANNA = newId();
const BERTA = newId();
const LEASE_MS = 60_000;

describe('recording', () => {
  const ledger = withLedger();

  const claimOne = async (id: string, owner = ANNA) =>
    claimed((await claimDeliveries(ledger.one, owner, LEASE_MS, [id]))[0]);
  const accepted = async () => {
    const mail = notification();
    await accept(ledger.one, mail);
    return { notificationId: mail.id, id: firstOf(mail) };
  };
  const record = async (one: DeliveryRecord, owner = ANNA) =>
    (await recordOutcomes(ledger.one, owner, [one]))[0];
  const tried = (n: number): Try => ({
    provider: `p${n}`,
    outcome: 'retry',
    code: 'http-503',
    error: 'It is down.',
    startedMsAgo: 20,
    finishedMsAgo: 10,
  });

  it('writes the state, the tries and the next step in one commit', async () => {
    const { id, notificationId } = await accepted();
    const claim = await claimOne(id);
    const outcome = {
      state: 'retrying',
      reason: 'http-503',
      dueInMs: 60_000,
      tries: [tried(1), tried(2)],
    } as const;
    assert.equal(await record(recordFor(claim, outcome)), 'recorded');
    const found = await findNotification(ledger.one, notificationId);
    const [delivery] = found?.deliveries ?? [];
    assert.equal(found?.notification.status, 'PENDING');
    assert.deepEqual(
      [delivery?.state, delivery?.attempts, delivery?.tries, delivery?.leaseOwner],
      ['retrying', 1, 2, null],
    );
    assert.deepEqual(
      delivery?.trials.map(({ n, provider, code }) => [n, provider, code]),
      [
        [1, 'p1', 'http-503'],
        [2, 'p2', 'http-503'],
      ],
    );
    for (const { startedAt, finishedAt } of delivery?.trials ?? []) assert.ok(startedAt < finishedAt);
    assert.equal((await claimDeliveries(ledger.one, ANNA, LEASE_MS, [id]))[0]?.kind, 'early');
  });

  it('says when a notification went out first', async () => {
    const both = notification({ channels: ['email', 'sms'] });
    await accept(ledger.one, both);
    for (const { id } of both.deliveries) await record(recordFor(await claimOne(id)));
    const found = await findNotification(ledger.one, both.id);
    assert.equal(found?.notification.status, 'SENT');
    const times = found?.deliveries.map(({ sentAt }) => sentAt?.getTime() ?? 0) ?? [];
    assert.equal(found?.notification.sentAt?.getTime(), Math.min(...times));
  });

  it('is void under an older claim, of another worker, for a delivery that is over, and a second time', async () => {
    const { id } = await accepted();
    const old = await claimOne(id);
    await letLeaseLapse(ledger.one, id);
    const now = await claimOne(id, BERTA);
    assert.equal(await record(recordFor(old)), 'superseded');
    assert.equal(await record(recordFor(now), ANNA), 'superseded');
    assert.equal(await record(recordFor({ ...now, claim: now.claim + 1 }), BERTA), 'superseded');
    const before = await rowOf(ledger.one, id);
    assert.deepEqual([before.state, before.tries], ['sending', 1]);
    assert.equal(await record(recordFor(now), BERTA), 'recorded');
    assert.equal(await record(recordFor(now, { state: 'dead' }), BERTA), 'superseded');
    const after = await rowOf(ledger.one, id);
    assert.deepEqual([after.state, after.tries], ['sent', 2]);
  });

  it('of a batch keeps the good ones where some are void', async () => {
    const all = await Promise.all(Array.from({ length: 5 }, accepted));
    const claims = await Promise.all(all.map(({ id }) => claimOne(id)));
    const records = claims.map((claim, n) => recordFor(n % 2 === 0 ? claim : { ...claim, claim: 7 }));
    assert.deepEqual(await recordOutcomes(ledger.one, ANNA, records), [
      'recorded',
      'superseded',
      'recorded',
      'superseded',
      'recorded',
    ]);
  });

  it('keeps an address from being used again, once, whoever else says so at the same time', async () => {
    const mails = [notification(), notification()];
    await accept(ledger.one, ...mails);
    const claims = await Promise.all(mails.map((mail) => claimOne(firstOf(mail))));
    const outcome = { state: 'dead', reason: '550', suppress: 'smtp-550' } as const;
    await recordOutcomes(
      ledger.one,
      ANNA,
      claims.map((claim) => recordFor(claim, outcome)),
    );
    const address = mails[0]?.deliveries[0]?.address;
    const found = await ledger.one.rows(
      'SELECT reason FROM suppression WHERE channel = $1 AND address = $2',
      ['email', address],
    );
    assert.deepEqual(found, [{ reason: 'smtp-550' }]);
    await ledger.one.rows('DELETE FROM suppression');
  });

  it('lets what a worker has in its hands go on when the rest is cancelled', async () => {
    const both = notification({ channels: ['email', 'sms'] });
    await accept(ledger.one, both);
    const claim = await claimOne(firstOf(both));
    assert.deepEqual(await cancelNotification(ledger.one, both.id, OPS), {
      kind: 'cancelled',
      deliveries: 1,
    });
    assert.equal(await record(recordFor(claim)), 'recorded');
    assert.equal((await findNotification(ledger.one, both.id))?.notification.status, 'SENT');
    assert.deepEqual(await cancelNotification(ledger.one, both.id, OPS), { kind: 'nothing_left' });
    assert.deepEqual(await cancelNotification(ledger.one, newId(), OPS), { kind: 'unknown' });
  });

  it('gives a thousand notifications the right status when both of their deliveries end at the same instant', async () => {
    const ends = ['sent', 'dead', 'suppressed', 'retrying', 'expired', 'ambiguous'] as const;
    const many = Array.from({ length: 1_000 }, () => notification({ channels: ['email', 'sms'] }));
    for (let from = 0; from < many.length; from += 250)
      await accept(ledger.one, ...many.slice(from, from + 250));
    const wanted = new Map(
      many.map((one, n) => [one.id, [ends[n % 6] ?? 'sent', ends[Math.floor(n / 6) % 6] ?? 'sent'] as const]),
    );
    /** One worker does the mails from the front, the other the text messages in another order: their batches overlap. */
    const work = async (database: typeof ledger.one, owner: string, which: 0 | 1, order: typeof many) => {
      for (let from = 0; from < order.length; from += 50) {
        const batch = order.slice(from, from + 50);
        const ids = batch.map(({ deliveries }) => deliveries[which]?.id ?? '');
        const claims = (await claimDeliveries(database, owner, LEASE_MS, ids)).map(claimed);
        const records = claims.map((claim) =>
          recordFor(claim, { state: wanted.get(claim.notificationId)?.[which] ?? 'sent', dueInMs: 60_000 }),
        );
        assert.ok((await recordOutcomes(database, owner, records)).every((result) => result === 'recorded'));
      }
    };
    await Promise.all([work(ledger.one, ANNA, 0, many), work(ledger.two, BERTA, 1, many.toReversed())]);
    const rows = await ledger.one.rows<{ id: string; status: string }>(
      'SELECT id, status FROM notification WHERE id = ANY($1::uuid[])',
      [many.map(({ id }) => id)],
    );
    assert.equal(rows.length, many.length);
    for (const { id, status } of rows)
      assert.equal(status, statusOf(wanted.get(id) ?? []), String(wanted.get(id)));
  });
});
