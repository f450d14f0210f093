import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { erasePerson } from '@belfry/shared/ledger/erase.js';
import { INBOX_SIZE, putInInboxes } from '@belfry/shared/ledger/inbox.js';
import { countUnread, listInbox, markAllRead } from '@belfry/shared/ledger/read-inbox.js';
import { waitFor } from '../support/wait.js';
import { addPeople, heldOpen, note, notes, numbersOf, range, waitingForLocks } from './notes.js';
import { OPS, withLedger } from './with-ledger.js';

const ALL = { unread: false, before: null, limit: 200 };

describe('an inbox', () => {
  const ledger = withLedger();
  const titles = async (id: string) =>
    ((await listInbox(ledger.two, id, ALL)) ?? []).map(({ title }) => title);

  it('keeps the last hundred, however they come', async () => {
    await addPeople(ledger.one, 'few', 'many', 'beside');
    await putInInboxes(ledger.one, notes('beside', 3));
    for (const one of notes('few', INBOX_SIZE + 7)) await putInInboxes(ledger.one, [one]);
    assert.deepEqual(await numbersOf(ledger.one, 'few', true), range(8, INBOX_SIZE + 7));
    // More in one batch than are kept, upon some that are there.
    await putInInboxes(ledger.one, notes('many', 30));
    await putInInboxes(ledger.one, notes('many', INBOX_SIZE + 50));
    assert.deepEqual(await numbersOf(ledger.one, 'many', true), range(81, 180));
    assert.deepEqual(await titles('many'), range(51, 150).map(String).toReversed());
    assert.deepEqual(await numbersOf(ledger.one, 'beside'), [1, 2, 3], "nobody else's go");
  });

  it('takes a delivery once, in one batch, again, and from two at the same time', async () => {
    await addPeople(ledger.one, 'once');
    const given = notes('once', 5);
    await putInInboxes(ledger.one, [...given, ...given.toReversed()]);
    await putInInboxes(ledger.two, given);
    const more = notes('once', 20);
    const twice = more.flatMap((one) => [
      putInInboxes(ledger.one, [one, ...given]),
      putInInboxes(ledger.two, [one]),
    ]);
    await Promise.all(twice);
    const numbers = await numbersOf(ledger.one, 'once');
    assert.equal(new Set(numbers).size, 25, `each has a number of its own: ${numbers}`);
    assert.deepEqual((await titles('once')).slice(-5), ['5', '4', '3', '2', '1']);
  });

  it('leaves a note that is there as it is: read stays read', async () => {
    await addPeople(ledger.one, 'again');
    const one = note('again', 'first');
    await putInInboxes(ledger.one, [one]);
    await markAllRead(ledger.one, 'again');
    const before = await listInbox(ledger.one, 'again', ALL);
    await putInInboxes(ledger.one, [{ ...one, content: { ...one.content, title: 'second' } }]);
    assert.deepEqual(await listInbox(ledger.one, 'again', ALL), before);
    assert.equal(await countUnread(ledger.one, 'again'), 0);
  });

  it('numbers notes without doubles or gaps while many write to many people, and never in a circle', async () => {
    const people = ['w1', 'w2', 'w3', 'w4', 'w5'];
    await addPeople(ledger.one, ...people);
    const deadlocks = await deadlocksIn();
    const writers = Array.from({ length: 10 }, async (_, writer) => {
      const database = writer % 2 === 0 ? ledger.one : ledger.two;
      // Each goes through the people in an order of its own.
      const order = people.toSorted((a, b) => ((a.charCodeAt(1) * (writer + 3)) % 7) - (b.charCodeAt(1) % 5));
      for (let batch = 0; batch < 12; batch += 1) {
        await putInInboxes(
          database,
          order.map((id) => note(id)),
        );
        if (batch % 4 === 0) await markAllRead(database, order[0] ?? '');
      }
    });
    await Promise.all(writers);
    for (const id of people) assert.deepEqual(await numbersOf(ledger.one, id), range(21, 120), id);
    assert.equal(await deadlocksIn(), deadlocks);
    // What one could not see of the other goes with the next.
    await putInInboxes(
      ledger.one,
      people.map((id) => note(id)),
    );
    for (const id of people) assert.deepEqual(await numbersOf(ledger.one, id, true), range(22, 121), id);
  });

  it('shows notes in the order of their numbers, also behind a commit that takes long', async () => {
    await addPeople(ledger.one, 'ordered', 'unheld');
    const slow = heldOpen(ledger.one);
    const first = slow.database.transaction((held) => putInInboxes(held, [note('ordered', 'first')]));
    await slow.worked;
    let second = 'waits';
    const putting = putInInboxes(ledger.two, [note('ordered', 'second')]).then(() => {
      second = 'done';
    });
    await waitFor(async () => (await waitingForLocks(ledger.one)) === 1);
    assert.deepEqual(await titles('ordered'), [], 'the second is not seen before the first');
    assert.equal(second, 'waits');
    await putInInboxes(ledger.two, [note('unheld')]);
    slow.release();
    await Promise.all([first, putting]);
    assert.deepEqual(await titles('ordered'), ['second', 'first']);
    assert.deepEqual(await numbersOf(ledger.one, 'ordered'), [1, 2]);
  });

  it('takes nothing for who is unknown or erased, and the others of a batch get theirs', async () => {
    await addPeople(ledger.one, 'gone', 'here');
    await putInInboxes(ledger.one, [note('gone'), note('here')]);
    await erasePerson(ledger.one, 'gone', OPS);
    await putInInboxes(ledger.one, [note('gone'), note('here'), note('nobody')]);
    await putInInboxes(ledger.one, [note('gone')]);
    await putInInboxes(ledger.one, []);
    assert.deepEqual(await numbersOf(ledger.one, 'gone'), []);
    assert.deepEqual(await numbersOf(ledger.one, 'nobody'), []);
    assert.deepEqual(await numbersOf(ledger.one, 'here'), [1, 2]);
    assert.equal(await listInbox(ledger.one, 'gone', ALL), null);
    // Who comes back begins anew.
    await addPeople(ledger.one, 'gone');
    await putInInboxes(ledger.one, [note('gone')]);
    assert.deepEqual(await numbersOf(ledger.one, 'gone'), [1]);
  });

  it('is empty after an erasure that came while something was put in, and one that was first', async () => {
    await addPeople(ledger.one, 'raced');
    const slow = heldOpen(ledger.one);
    const putting = slow.database.transaction((held) => putInInboxes(held, [note('raced')]));
    await slow.worked;
    const erasing = erasePerson(ledger.two, 'raced', OPS);
    await waitFor(async () => (await waitingForLocks(ledger.one)) === 1);
    slow.release();
    assert.deepEqual([await erasing, await putting], [true, undefined]);
    assert.deepEqual(await numbersOf(ledger.one, 'raced'), []);

    await addPeople(ledger.one, 'raced');
    const eraser = heldOpen(ledger.one);
    const first = erasePerson(eraser.database, 'raced', OPS);
    await eraser.worked;
    const late = putInInboxes(ledger.two, [note('raced')]);
    await waitFor(async () => (await waitingForLocks(ledger.one)) === 1);
    eraser.release();
    await Promise.all([first, late]);
    assert.deepEqual(await numbersOf(ledger.one, 'raced'), []);
    const left = await ledger.one.rows("SELECT 1 FROM inbox WHERE person_id = 'raced'");
    assert.deepEqual(left, []);
  });

  async function deadlocksIn(): Promise<number> {
    const [row] = await ledger.one.rows<{ deadlocks: number }>(
      'SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()',
    );
    return row?.deadlocks ?? 0;
  }
});
