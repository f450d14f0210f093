import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { newId } from '@belfry/shared/domain/ids.js';
import { cancelNotification } from '@belfry/shared/ledger/cancel.js';
import { type Claimed, claimDeliveries } from '@belfry/shared/ledger/claim.js';
import { erasePerson } from '@belfry/shared/ledger/erase.js';
import { closeWindow, gather } from '@belfry/shared/ledger/gather.js';
import { mayPass } from '@belfry/shared/ledger/hourly-pass.js';
import { putPerson } from '@belfry/shared/ledger/people.js';
import { recordOutcomes } from '@belfry/shared/ledger/record.js';
import { accept, claimed, firstOf, notification, OPS, recordFor, rowOf, withLedger } from './with-ledger.js';

const [ANNA, BEN] = [newId(), newId()];
const RULES = { windowMinutes: 30, most: 5, templateVersion: 1 };

describe('a digest', () => {
  const ledger = withLedger();
  const both = (n: number) => (n % 2 === 0 ? ledger.one : ledger.two);

  async function claimFor(personId: string, n: number, owner = ANNA, address?: string): Promise<Claimed> {
    const given = { ...notification({ personId, channels: ['push'] }), eventType: 'paid', context: { n } };
    const deliveries = given.deliveries.map((one) => ({ ...one, address: address ?? `to-${personId}` }));
    await accept(ledger.one, { ...given, deliveries });
    return claimed(
      (await claimDeliveries(ledger.one, owner, 60_000, [firstOf({ ...given, deliveries })]))[0],
    );
  }
  const put = (claim: Claimed, rules = RULES, owner = ANNA, database = ledger.one) =>
    gather(database, owner, claim, claim.notification.context, rules);
  const digestsOf = (personId: string) =>
    ledger.one.rows<{ id: string; delivery: string; items: { context: { n: number } }[]; due: boolean }>(
      `SELECT n.id, d.id AS delivery, n.context->'items' AS items, d.due_at <= now() AS due FROM notification n
       JOIN delivery d ON d.notification_id = n.id WHERE n.digest AND n.person_id = $1 ORDER BY n.id`,
      [personId],
    );
  const numbers = (items: readonly { context: Readonly<Record<string, unknown>> }[]) =>
    items.map(({ context }) => Number(context.n));

  it('begins with the first, waits for its window, and has what comes meanwhile in its order', async () => {
    await putPerson(ledger.one, 'sara', {}, OPS);
    const [first, second] = [await claimFor('sara', 1), await claimFor('sara', 2)];
    const begun = await put(first);
    assert.equal(begun?.seed?.generation, 1);
    assert.ok(Math.abs((begun?.seed?.delayMs ?? 0) - 30 * 60_000) < 5_000);
    const added = await put(second);
    assert.deepEqual([added?.digestId, added?.seed], [begun?.digestId, null]);
    const [digest, ...others] = await digestsOf('sara');
    assert.deepEqual(
      [others, digest?.id, digest?.due, numbers(digest?.items ?? [])],
      [[], begun?.digestId, false, [1, 2]],
    );
    const row = await rowOf(ledger.one, first.deliveryId);
    assert.deepEqual(
      [row.state, row.reason, row.provider, row.provider_id, row.tries, row.lease_owner],
      ['sent', `gathered_into:${begun?.digestId}`, 'digest', digest?.delivery, 1, null],
    );
    const statuses = await ledger.one.rows<{ status: string }>(
      "SELECT status FROM notification WHERE person_id = 'sara' ORDER BY digest, id",
    );
    assert.deepEqual(
      statuses.map(({ status }) => status),
      ['SENT', 'SENT', 'PENDING'],
    );
  });

  it('is full at the most, however many come at once, and nothing is in two of them or in none', async () => {
    await putPerson(ledger.one, 'many', {}, OPS);
    const claims = await Promise.all(Array.from({ length: 47 }, (_, n) => claimFor('many', n)));
    const seeds = await Promise.all(claims.map((claim, n) => put(claim, RULES, ANNA, both(n))));
    const digests = await digestsOf('many');
    assert.deepEqual(digests.map(({ items }) => items.length).sort(), [2, 5, 5, 5, 5, 5, 5, 5, 5, 5]);
    assert.deepEqual(
      digests.filter(({ due }) => due).map(({ items }) => items.length),
      Array(9).fill(5),
    );
    const told = digests.flatMap(({ items }) => numbers(items)).sort((a, b) => a - b);
    assert.deepEqual(
      told,
      Array.from({ length: 47 }, (_, n) => n),
    );
    const full = seeds.filter((one) => one?.seed?.generation === 2);
    assert.deepEqual(
      full.map((one) => one?.seed?.delayMs),
      Array(9).fill(0),
      'a job at once for each that is full',
    );
    for (const [n, claim] of claims.entries()) {
      const { reason } = await rowOf(ledger.one, claim.deliveryId);
      const mine = digests.find(({ items }) => numbers(items).includes(n));
      assert.equal(reason, `gathered_into:${mine?.id}`);
    }
  });

  it('takes nothing on once its window has ended, and tells of all that was added before', async () => {
    await putPerson(ledger.one, 'ends', {}, OPS);
    const claims = await Promise.all(Array.from({ length: 20 }, (_, n) => claimFor('ends', n)));
    const most = { ...RULES, most: 50 };
    await put(claims[0] as Claimed, most);
    const [digest] = await digestsOf('ends');
    assert.ok(digest);
    const carrier = { deliveryId: digest.delivery, notificationId: digest.id };
    const racing = claims.slice(1).map((claim, n) => put(claim, most, ANNA, both(n)));
    const items = await closeWindow(ledger.two, carrier);
    await Promise.all(racing);
    assert.deepEqual(await closeWindow(ledger.one, carrier), items, 'twice is as once');
    const [closed, next] = await digestsOf('ends');
    assert.deepEqual(numbers(closed?.items ?? []), numbers(items));
    const told = [...items, ...(next?.items ?? [])];
    assert.deepEqual(
      numbers(told).sort((a, b) => a - b),
      Array.from({ length: 20 }, (_, n) => n),
    );
  });

  it('has what a lost worker had in hand from whoever takes over, once', async () => {
    await putPerson(ledger.one, 'lost', {}, OPS);
    const before = await claimFor('lost', 1);
    await ledger.one.rows("UPDATE delivery SET lease_until = now() - interval '1 second' WHERE id = $1", [
      before.deliveryId,
    ]);
    const [taken] = await claimDeliveries(ledger.one, BEN, 60_000, [before.deliveryId]);
    assert.equal(await put(before), null, 'the first worker has come back too late');
    assert.deepEqual(await ledger.one.rows("SELECT * FROM gathering WHERE person_id = 'lost'"), []);
    assert.notEqual(await put(claimed(taken), RULES, BEN), null);
    assert.equal(await put(claimed(taken), RULES, BEN), null, 'and it is over then');
    const [digest] = await digestsOf('lost');
    assert.deepEqual(numbers(digest?.items ?? []), [1]);
    assert.equal((await rowOf(ledger.one, before.deliveryId)).tries, 2);
  });

  it('that will not be sent takes nothing on: the next one begins another', async () => {
    await putPerson(ledger.one, 'off', {}, OPS);
    const first = await put(await claimFor('off', 1));
    await cancelNotification(ledger.one, first?.digestId ?? '', OPS);
    const second = await put(await claimFor('off', 2));
    assert.notEqual(second?.digestId, first?.digestId);
    const [, open] = await digestsOf('off');
    await ledger.one.rows('UPDATE delivery SET due_at = now() WHERE id = $1', [open?.delivery]);
    const carrier = claimed((await claimDeliveries(ledger.one, ANNA, 60_000, [open?.delivery ?? '']))[0]);
    assert.equal(carrier.notification.digest, true);
    const end = { state: 'suppressed', reason: 'preference_off', cost: 0, tries: [] } as const;
    await recordOutcomes(ledger.one, ANNA, [recordFor(carrier, end)]);
    const third = await put(await claimFor('off', 3));
    assert.notEqual(third?.digestId, second?.digestId);
  });

  it('is kept for each address by itself, and goes with the person', async () => {
    await putPerson(ledger.one, 'gone', {}, OPS);
    const [phone, tablet] = [
      await claimFor('gone', 1, ANNA, 'phone'),
      await claimFor('gone', 1, ANNA, 'tablet'),
    ];
    const late = await claimFor('gone', 2, ANNA, 'phone');
    assert.notEqual((await put(phone))?.digestId, (await put(tablet))?.digestId);
    await erasePerson(ledger.one, 'gone', OPS);
    assert.equal(await put(late), null, 'nothing is gathered for who is erased');
    assert.deepEqual(await ledger.one.rows("SELECT * FROM gathering WHERE person_id = 'gone'"), []);
    const left = await ledger.one.rows(
      "SELECT context FROM notification WHERE digest AND (person_id = 'gone' OR person_id IS NULL) AND context <> '{}'",
    );
    assert.deepEqual(left, []);
  });
});

describe('the hourly limit', () => {
  const ledger = withLedger();
  const ask = (personId: string, notificationId: string, perHour = 7, n = 0) =>
    mayPass(n % 2 === 0 ? ledger.one : ledger.two, { personId, eventType: 'paid', notificationId, perHour });

  it('lets just as many pass as may, however many come at once, and each of them again', async () => {
    await putPerson(ledger.one, 'sara', {}, OPS);
    const ids = Array.from({ length: 60 }, newId);
    const passed = await Promise.all(ids.map((id, n) => ask('sara', id, 7, n)));
    assert.equal(passed.filter(Boolean).length, 7);
    assert.deepEqual(await Promise.all(ids.map((id, n) => ask('sara', id, 7, n))), passed);
    await putPerson(ledger.one, 'other', {}, OPS);
    assert.equal(await ask('other', newId()), true, 'another person has a limit of their own');
  });

  it('lets another pass for each that is an hour old', async () => {
    await putPerson(ledger.one, 'slow', {}, OPS);
    const [old, young, next, last] = [newId(), newId(), newId(), newId()];
    assert.deepEqual(
      [await ask('slow', old, 2), await ask('slow', young, 2), await ask('slow', next, 2)],
      [true, true, false],
    );
    const age = (seconds: number) =>
      ledger.one.rows(
        "UPDATE hourly_pass SET passes = jsonb_set(passes, ARRAY[$1], to_jsonb(extract(epoch FROM now()) - $2::int)) WHERE person_id = 'slow'",
        [old, seconds],
      );
    await age(3_598);
    assert.equal(await ask('slow', next, 2), false);
    await age(3_601);
    assert.deepEqual([await ask('slow', next, 2), await ask('slow', last, 2)], [true, false]);
  });

  it('lets nobody pass who is gone', async () => assert.equal(await ask('nobody', newId()), false));
});
