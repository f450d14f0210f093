import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { newId } from '@belfry/shared/domain/ids.js';
import { INBOX_SIZE, putInInboxes } from '@belfry/shared/ledger/inbox.js';
import {
  countUnread,
  type InboxPage,
  listInbox,
  markAllRead,
  markRead,
} from '@belfry/shared/ledger/read-inbox.js';
import { waitFor } from '../support/wait.js';
import { addPeople, heldOpen, note, notes, waitingForLocks } from './notes.js';
import { accept, firstOf, notification, withLedger } from './with-ledger.js';

describe('reading an inbox', () => {
  const ledger = withLedger();
  const list = (id: string, page: Partial<InboxPage> = {}) =>
    listInbox(ledger.one, id, { unread: false, before: null, limit: 200, ...page });
  const titles = async (id: string, page: Partial<InboxPage> = {}) =>
    (await list(id, page))?.map(({ title }) => title);
  before(() => addPeople(ledger.one, 'empty', 'sara', 'all', 'raced', 'older', 'told'));

  it('shows what came last first, in pages, and only the unread if that is asked', async () => {
    const given = notes('sara', 7);
    await putInInboxes(ledger.one, given);
    assert.deepEqual(await titles('sara'), ['7', '6', '5', '4', '3', '2', '1']);
    const [, , third] = (await list('sara', { limit: 3 })) ?? [];
    assert.deepEqual(await titles('sara', { before: third?.seq ?? 0, limit: 3 }), ['4', '3', '2']);
    await markRead(ledger.one, 'sara', given[3]?.notificationId ?? '');
    assert.deepEqual(await titles('sara', { before: third?.seq ?? 0, limit: 3, unread: true }), [
      '3',
      '2',
      '1',
    ]);
    assert.equal(await countUnread(ledger.one, 'sara'), 6);
  });

  it('shows a note as it was sent', async () => {
    const made = notification({ personId: 'told', channels: ['realtime'], priority: 'critical' });
    await accept(ledger.one, made);
    // What a broadcast brought is a note like all others.
    await ledger.one.rows('UPDATE notification SET broadcast_id = $2 WHERE id = $1', [made.id, newId()]);
    const one = note('told', 'Fire');
    await putInInboxes(ledger.one, [{ ...one, deliveryId: firstOf(made), notificationId: made.id }]);
    const [{ createdAt, ...item } = assert.fail('there is none')] = (await list('told')) ?? [];
    assert.ok(Math.abs(createdAt.getTime() - Date.now()) < 60_000);
    assert.deepEqual(item, {
      notificationId: made.id,
      seq: 1,
      type: 'info',
      title: 'Fire',
      body: 'About Fire',
      data: { title: 'Fire' },
      priority: 'critical',
      readAt: null,
    });
    assert.equal(await countUnread(ledger.one, 'told'), 1, 'and counts as one');
  });

  it('reads a note once: a second time, and twenty at once, leave the first', async () => {
    const one = note('raced');
    await putInInboxes(ledger.one, [one, note('raced')]);
    const read = () => markRead(ledger.one, 'raced', one.notificationId);
    const answers = await Promise.all(Array.from({ length: 20 }, read));
    const first = await read();
    assert.ok(typeof first === 'object' && first.readAt !== null);
    for (const answer of answers) assert.deepEqual(answer, first);
    assert.equal(await countUnread(ledger.one, 'raced'), 1);
    assert.equal(await markAllRead(ledger.one, 'raced'), 1);
    assert.deepEqual(await read(), first);
  });

  it('reads all once, and what comes later is unread', async () => {
    await putInInboxes(ledger.one, notes('all', 5));
    const both = await Promise.all([markAllRead(ledger.one, 'all'), markAllRead(ledger.two, 'all')]);
    assert.deepEqual(both.toSorted(), [0, 5]);
    assert.deepEqual(await titles('all', { unread: true }), []);
    await putInInboxes(ledger.one, [note('all', 'later')]);
    assert.deepEqual(await titles('all', { unread: true }), ['later']);
    assert.equal(await countUnread(ledger.one, 'all'), 1);
    // One that waits for a commit sees what that brought.
    const slow = heldOpen(ledger.one);
    const putting = slow.database.transaction((held) => putInInboxes(held, [note('all', 'slow')]));
    await slow.worked;
    const reading = markAllRead(ledger.two, 'all');
    await waitFor(async () => (await waitingForLocks(ledger.one)) === 1);
    slow.release();
    assert.deepEqual(await Promise.all([reading, putting]), [2, undefined]);
  });

  it('tells who is unknown from who has nothing', async () => {
    assert.deepEqual(await list('empty'), []);
    assert.equal(await list('nobody'), null);
    assert.equal(await countUnread(ledger.one, 'empty'), 0);
    assert.equal(await countUnread(ledger.one, 'nobody'), null);
    assert.equal(await markAllRead(ledger.one, 'empty'), 0);
    assert.equal(await markAllRead(ledger.one, 'nobody'), null);
    assert.equal(await markRead(ledger.one, 'empty', newId()), 'unknown_item');
    assert.equal(await markRead(ledger.one, 'nobody', newId()), 'unknown_person');
  });

  it("reads nobody else's note", async () => {
    const [theirs] = (await list('told')) ?? [];
    assert.equal(await markRead(ledger.one, 'sara', theirs?.notificationId ?? ''), 'unknown_item');
    assert.equal(await countUnread(ledger.one, 'told'), 1);
  });

  it('shows, counts and reads the last hundred where more are still there', async () => {
    const given = notes('older', INBOX_SIZE + 20);
    await putInInboxes(ledger.one, given.slice(0, INBOX_SIZE));
    await ledger.one.rows(`UPDATE inbox SET last_seq = last_seq + 20 WHERE person_id = 'older'`);
    assert.equal(await countUnread(ledger.one, 'older'), INBOX_SIZE - 20);
    assert.equal((await list('older'))?.length, INBOX_SIZE - 20);
    assert.equal(await markRead(ledger.one, 'older', given[0]?.notificationId ?? ''), 'unknown_item');
    assert.equal(await markAllRead(ledger.one, 'older'), INBOX_SIZE - 20);
    assert.equal(await countUnread(ledger.one, 'older'), 0);
  });
});
