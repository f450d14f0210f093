import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { INBOX_SIZE } from '@belfry/shared/ledger/inbox.js';
import { countUnread } from '@belfry/shared/ledger/read-inbox.js';
import fc from 'fast-check';
import { type Act, act, has, type Model, orderOf, step } from './inbox-model.js';
import { addPeople, type Note, note } from './notes.js';
import { withLedger } from './with-ledger.js';

const PEOPLE = ['ada', 'ben', 'eve'] as const;

/** An act before it is known what is there: `pick` chooses among the notes that were ever made. */
type Wish =
  | { readonly kind: 'put'; readonly counts: readonly number[] }
  | { readonly kind: 'put again'; readonly person: string; readonly picks: readonly number[] }
  | { readonly kind: 'read'; readonly pick: number }
  | { readonly kind: 'read all' | 'count' | 'list'; readonly person: string };

const person = fc.constantFrom(...PEOPLE);
const pick = fc.nat(10_000);
const putting = fc.record({
  kind: fc.constant('put' as const),
  // Mostly few, sometimes so many that others go.
  counts: fc.array(fc.oneof({ weight: 4, arbitrary: fc.nat(3) }, fc.integer({ min: 30, max: 130 })), {
    minLength: 3,
    maxLength: 3,
  }),
});
const again = fc.record({
  kind: fc.constant('put again' as const),
  person,
  picks: fc.array(pick, { minLength: 1, maxLength: 4 }),
});
const wish: fc.Arbitrary<Wish> = fc.oneof(
  { weight: 4, arbitrary: putting },
  { weight: 2, arbitrary: again },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('read' as const), pick }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('read all' as const), person }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('count' as const), person }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('list' as const), person }) },
);

describe('inboxes that many put into and read at once', () => {
  const ledger = withLedger();
  const seen = { rounds: 0, pushedOut: 0, reordered: 0 };

  it('are as if it had been done one after the other, in what they keep, what is unread, and what each was told', async () => {
    await addPeople(ledger.one, ...PEOPLE);
    const rounds = fc.array(fc.array(wish, { minLength: 2, maxLength: 5 }), { minLength: 6, maxLength: 10 });
    const property = fc.asyncProperty(rounds, async (given) => {
      await ledger.one.rows('TRUNCATE inbox, inbox_item');
      const made: Note[] = [];
      let before: Model = Object.fromEntries(PEOPLE.map((id) => [id, []]));
      for (const wishes of given) {
        /*
         * Put in again is what was there before, and by itself. One that is new to two at once leaves a number unused; and one
         * statement decides what is there when it begins, and numbers what is not when it has the lock.
         */
        const there = made.filter(({ to, deliveryId }) => has(before, to, deliveryId));
        const acts = wishes.map((one) => actOf(one, made, there));
        const doing = acts.map((one, index) => act(index % 2 === 0 ? ledger.one : ledger.two, one));
        const told = await Promise.all(doing);
        const after = await look();
        const order = orderOf(before, acts, told, after);
        assert.ok(
          order,
          `no order of ${wishes.map(({ kind }) => kind).join(', ')} explains what came of them`,
        );
        seen.rounds += 1;
        if (order.some((index, place) => index !== place)) seen.reordered += 1;
        if (PEOPLE.some((id) => made.filter(({ to }) => to === id).length > INBOX_SIZE)) seen.pushedOut += 1;
        before = after;
      }
    });
    await fc.assert(property, { numRuns: 30, endOnFailure: true });
    for (const [what, count] of Object.entries(seen)) assert.ok(count > 5, `${what}: ${count}`);
  });

  it('would be told from inboxes that are a little wrong', () => {
    const one = note('ada');
    const none: Model = { ada: [] };
    const [, there] = step(none, { kind: 'put', notes: [one] });
    const read: Act = { kind: 'read', person: 'ada', notificationId: one.notificationId };
    const [, done] = step(there, read);
    assert.deepEqual(orderOf(none, [read, { kind: 'put', notes: [one] }], ['read', 'put'], done), [1, 0]);
    assert.equal(orderOf(there, [read, read], ['read', 'read'], there), undefined);
    assert.equal(orderOf(there, [{ kind: 'count', person: 'ada' }], ['2'], there), undefined);
    assert.equal(orderOf(none, [{ kind: 'put', notes: [one] }], ['put'], none), undefined);
  });

  /** Says what is to be done, and makes the notes that it needs. */
  function actOf(one: Wish, made: Note[], there: readonly Note[]): Act {
    if (one.kind === 'read') {
      const { to, notificationId } = made[one.pick % made.length] ?? note('ada');
      return { kind: 'read', person: to, notificationId };
    }
    if (one.kind === 'put again') {
      const theirs = there.filter(({ to }) => to === one.person);
      return { kind: 'put', notes: one.picks.flatMap((index) => theirs[index % theirs.length] ?? []) };
    }
    if (one.kind !== 'put') return one;
    const fresh = PEOPLE.flatMap((id, index) =>
      Array.from({ length: one.counts[index] ?? 0 }, () => note(id)),
    );
    made.push(...fresh);
    return { kind: 'put', notes: fresh };
  }

  /** What is there, past the functions that are tested; their count has to agree. */
  async function look(): Promise<Model> {
    const rows = await ledger.one.rows<{
      personId: string;
      deliveryId: string;
      notificationId: string;
      read: boolean;
    }>(
      `SELECT person_id AS "personId", delivery_id AS "deliveryId", notification_id AS "notificationId",
         read_at IS NOT NULL AS read FROM inbox_item JOIN inbox USING (person_id)
       WHERE seq > last_seq - ${INBOX_SIZE} ORDER BY seq`,
    );
    const model = Object.fromEntries(
      PEOPLE.map((id) => [id, rows.filter(({ personId }) => personId === id)]),
    );
    for (const id of PEOPLE) {
      const unread = model[id]?.filter(({ read }) => !read).length;
      assert.equal(await countUnread(ledger.one, id), unread, id);
    }
    return model;
  }
});
