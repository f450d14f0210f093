import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { newId } from '@belfry/shared/domain/ids.js';
import { cancelNotification } from '@belfry/shared/ledger/cancel.js';
import { claimDeliveries } from '@belfry/shared/ledger/claim.js';
import { renewLeases } from '@belfry/shared/ledger/leases.js';
import { recordOutcomes } from '@belfry/shared/ledger/record.js';
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
const inAnHour = () => new Date(Date.now() + 3_600_000);

describe('claiming', () => {
  const ledger = withLedger();

  const claimOne = async (id: string, owner = ANNA) =>
    (await claimDeliveries(ledger.one, owner, LEASE_MS, [id]))[0];

  it('is planned without a look at the ends of the indexes, where the dead rows are', async () => {
    const [setting] = await ledger.one.rows<{ enable_mergejoin: string }>('SHOW enable_mergejoin');
    assert.equal(setting?.enable_mergejoin, 'off');
  });

  it('gives each of 200 rows to one of two workers who want all of them, in any order', async () => {
    const many = Array.from({ length: 200 }, () => notification());
    await accept(ledger.one, ...many);
    const ids = many.map(firstOf);
    const batches = (database: typeof ledger.one, owner: string, order: readonly string[]) =>
      Promise.all(
        [0, 50, 100, 150].map((from) =>
          claimDeliveries(database, owner, LEASE_MS, order.slice(from, from + 50)),
        ),
      );
    const [anna, berta] = await Promise.all([
      batches(ledger.one, ANNA, ids),
      batches(ledger.two, BERTA, ids.toReversed()),
    ]);
    const won = [...anna.flat(), ...berta.flat()].flatMap((claim) =>
      claim.kind === 'claimed' ? [claim.deliveryId] : [],
    );
    assert.equal(won.length, 200);
    assert.deepEqual(new Set(won), new Set(ids));
    const rows = await ledger.one.rows<{ claim: number; tries: number }>(
      'SELECT claim, tries FROM delivery WHERE id = ANY($1::uuid[])',
      [ids],
    );
    assert.ok(rows.every(({ claim, tries }) => claim === 1 && tries === 0));
  });

  it('gives a delivery that is asked for twice in one batch to the first of the two', async () => {
    const mail = notification();
    await accept(ledger.one, mail);
    const id = firstOf(mail);
    const [first, second] = await claimDeliveries(ledger.one, ANNA, LEASE_MS, [id, id]);
    assert.equal(first?.kind, 'claimed');
    assert.deepEqual(second, { kind: 'busy', waitMs: LEASE_MS });
  });

  it('answers both who ask in one batch for what cannot be had alike', async () => {
    const mail = notification();
    await accept(ledger.one, mail);
    await cancelNotification(ledger.one, mail.id, OPS);
    const id = firstOf(mail);
    const claims = await claimDeliveries(ledger.one, ANNA, LEASE_MS, [id, id]);
    assert.deepEqual(claims, [{ kind: 'over' }, { kind: 'over' }]);
  });

  it('loads everything that is needed to send', async () => {
    await ledger.one.rows(
      "INSERT INTO person (id, locale, timezone, email) VALUES ('sara', 'am', 'Africa/Addis_Ababa', 'now@example.org')",
    );
    const given = {
      ...notification({ personId: 'sara', priority: 'high' }),
      context: { a: 1 },
      data: { b: [2] },
    };
    await accept(ledger.one, given);
    const claim = claimed(await claimOne(firstOf(given)));
    assert.deepEqual(claim.person, {
      locale: 'am',
      timezone: 'Africa/Addis_Ababa',
      active: true,
      preferences: {},
      eventPreferences: {},
      quietHours: null,
    });
    assert.equal(claim.address, 'now@example.org', 'the address that the person has now');
    assert.deepEqual(
      [claim.was, claim.claim, claim.attempts, claim.round, claim.expired],
      ['queued', 1, 0, 1, false],
    );
    assert.equal(claim.suppressed, null);
    const { context, data, title, personId } = claim.notification;
    assert.deepEqual(
      { context, data, title, personId },
      { context: { a: 1 }, data: { b: [2] }, title: 'Hello', personId: 'sara' },
    );
  });

  it('says of an address that it was suppressed since', async () => {
    const mail = notification();
    await accept(ledger.one, mail);
    await ledger.one.rows(
      "INSERT INTO suppression (channel, address, reason) VALUES ('email', $1, 'bounced')",
      [mail.deliveries[0]?.address],
    );
    assert.equal(claimed(await claimOne(firstOf(mail))).suppressed, 'bounced');
    await ledger.one.rows('DELETE FROM suppression');
  });

  it('puts off what comes too early, by the clock of the database', async () => {
    const later = notification({ state: 'scheduled', sendAt: inAnHour() });
    await accept(ledger.one, later);
    const claim = await claimOne(firstOf(later));
    assert.ok(claim?.kind === 'early' && claim.waitMs > 3_590_000 && claim.waitMs <= 3_600_000);
    assert.equal((await rowOf(ledger.one, firstOf(later))).claim, 0);
  });

  it('puts off what is scheduled for two years from now', async () => {
    const far = notification({ state: 'scheduled', sendAt: new Date(Date.now() + 730 * 24 * 3_600_000) });
    await accept(ledger.one, far);
    assert.equal((await claimOne(firstOf(far)))?.kind, 'early');
  });

  it('takes what was scheduled as soon as it is due', async () => {
    const due = notification({ state: 'scheduled', sendAt: new Date(Date.now() - 1_000) });
    await accept(ledger.one, due);
    assert.equal(claimed(await claimOne(firstOf(due))).was, 'scheduled');
  });

  it('leaves alone what is in the hands of another worker, and says for how long', async () => {
    const mail = notification();
    await accept(ledger.one, mail);
    claimed(await claimOne(firstOf(mail)));
    const claim = await claimOne(firstOf(mail), BERTA);
    assert.ok(claim?.kind === 'busy' && claim.waitMs > 0 && claim.waitMs <= LEASE_MS);
  });

  it('finds nothing to do for what is over, was never used, or nobody knows', async () => {
    const sent = notification();
    const cancelled = notification();
    const unused = notification({ state: 'skipped' });
    await accept(ledger.one, sent, cancelled, unused);
    await recordOutcomes(ledger.one, ANNA, [recordFor(claimed(await claimOne(firstOf(sent))))]);
    await cancelNotification(ledger.one, cancelled.id, OPS);
    const ids = [...[sent, cancelled, unused].map(firstOf), newId()];
    const claims = await claimDeliveries(ledger.one, ANNA, LEASE_MS, ids);
    assert.deepEqual(claims, Array(4).fill({ kind: 'over' }));
  });

  it('says that a delivery comes too late', async () => {
    const mail = notification({ expiresAt: new Date(Date.now() - 1_000) });
    await accept(ledger.one, mail);
    assert.equal(claimed(await claimOne(firstOf(mail))).expired, true);
  });

  it('takes over from a lost worker, and writes its try down as one that nobody knows the end of', async () => {
    const mail = notification();
    await accept(ledger.one, mail);
    const id = firstOf(mail);
    claimed(await claimOne(id));
    await letLeaseLapse(ledger.one, id);
    const taken = claimed(await claimOne(id, BERTA));
    assert.deepEqual([taken.was, taken.claim, taken.interruptions], ['sending', 2, 1]);
    const tries = await ledger.one.rows('SELECT n, outcome, code FROM attempt WHERE delivery_id = $1', [id]);
    assert.deepEqual(tries, [{ n: 1, outcome: 'ambiguous', code: 'worker-lost' }]);
  });

  it('lets one of two workers take over', async () => {
    const mail = notification();
    await accept(ledger.one, mail);
    const id = firstOf(mail);
    claimed(await claimOne(id, newId()));
    await letLeaseLapse(ledger.one, id);
    const kinds = (
      await Promise.all([
        claimDeliveries(ledger.one, ANNA, LEASE_MS, [id]),
        claimDeliveries(ledger.two, BERTA, LEASE_MS, [id]),
      ])
    ).map(([claim]) => claim?.kind);
    assert.deepEqual(kinds.toSorted(), ['busy', 'claimed']);
  });

  it('renews the leases that a worker still holds, and no others', async () => {
    const [held, lost, done] = [notification(), notification(), notification()];
    await accept(ledger.one, held, lost, done);
    const ids = [held, lost, done].map(firstOf);
    const claims = await claimDeliveries(ledger.one, ANNA, LEASE_MS, ids);
    await letLeaseLapse(ledger.one, firstOf(lost));
    claimed(await claimOne(firstOf(lost), BERTA));
    await recordOutcomes(ledger.one, ANNA, [recordFor(claimed(claims[2]))]);
    assert.deepEqual(await renewLeases(ledger.one, ANNA, LEASE_MS, ids), new Set([firstOf(held)]));
  });

  it("and cancelling overlapping batches in opposite orders never stand in each other's way", async () => {
    const many = Array.from({ length: 60 }, () => notification({ channels: ['email', 'sms', 'realtime'] }));
    await accept(ledger.one, ...many);
    const ids = many.flatMap(({ deliveries }) => deliveries.map(({ id }) => id));
    const claiming = (owner: string, order: readonly string[]) =>
      Promise.all(
        [0, 60, 120].map((from) =>
          claimDeliveries(ledger.one, owner, LEASE_MS, order.slice(from, from + 90)),
        ),
      );
    const [anna, berta, cancelled] = await Promise.all([
      claiming(ANNA, ids),
      claiming(BERTA, ids.toReversed()),
      Promise.all(many.toReversed().map(({ id }) => cancelNotification(ledger.two, id, OPS))),
    ]);
    const won = [...anna.flat(), ...berta.flat()].filter(({ kind }) => kind === 'claimed').length;
    const stopped = cancelled.reduce((sum, one) => sum + (one.kind === 'cancelled' ? one.deliveries : 0), 0);
    assert.equal(won + stopped, ids.length);
  });
});
