import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { newId } from '@belfry/shared/domain/ids.js';
import type { WishesChange } from '@belfry/shared/domain/wishes.js';
import { findSuppressions, loadAddressees } from '@belfry/shared/ledger/addressees.js';
import { claimDeliveries } from '@belfry/shared/ledger/claim.js';
import { erasePerson } from '@belfry/shared/ledger/erase.js';
import { putInInboxes } from '@belfry/shared/ledger/inbox.js';
import { findNotification } from '@belfry/shared/ledger/notifications.js';
import { findPerson, putPerson, putPreferences } from '@belfry/shared/ledger/people.js';
import { recordOutcomes } from '@belfry/shared/ledger/record.js';
import { beginRetries } from '@belfry/shared/ledger/waiting.js';
import { objectionTo } from '@belfry/shared/routing/guard.js';
import { waitFor } from '../support/wait.js';
import { accept, claimed, firstOf, notification, OPS, recordFor, rowOf, withLedger } from './with-ledger.js';

const ANNA = newId();
const CANARY = 'bird-in-a-mine';
const GUARD = { poisonAfter: 10, mandatory: () => [] };

describe('people', () => {
  const ledger = withLedger();

  it('keep what a change leaves out, and have defaults at first', async () => {
    const first = await putPerson(
      ledger.one,
      'abebe',
      {
        email: 'a@b.example',
        groups: ['g', 'g', 'h'],
        roles: ['x'],
      },
      OPS,
    );
    assert.equal(first.created, true);
    assert.deepEqual([first.person.locale, first.person.timezone, first.person.active], ['en', 'UTC', true]);
    const second = await putPerson(ledger.one, 'abebe', { locale: 'am', email: null }, OPS);
    assert.equal(second.created, false);
    const { email, locale, groups, roles } = second.person;
    assert.deepEqual(
      { email, locale, groups, roles },
      { email: null, locale: 'am', groups: ['g', 'h'], roles: ['x'] },
    );
    assert.deepEqual((await putPerson(ledger.one, 'abebe', { groups: [] }, OPS)).person.groups, []);
  });

  it('are created once by ten calls at once', async () => {
    const all = await Promise.all(
      Array.from({ length: 10 }, (_, n) =>
        putPerson(n % 2 ? ledger.one : ledger.two, 'ten', { groups: ['g'] }, OPS),
      ),
    );
    assert.equal(all.filter(({ created }) => created).length, 1);
    assert.deepEqual((await findPerson(ledger.one, 'ten'))?.groups, ['g']);
  });

  it('keep the preferences that are not mentioned', async () => {
    await putPerson(ledger.one, 'prefers', {}, OPS);
    const wish = (change: WishesChange) => putPreferences(ledger.one, 'prefers', change, OPS);
    const [paid, late] = ['payment_success', 'payment_failed'];
    await wish({ preferences: { sms: true }, eventPreferences: { [paid]: { sms: false, email: true } } });
    const quietHours = { from: '22:00', to: '07:00' };
    assert.deepEqual(
      await wish({ preferences: { email: false }, eventPreferences: { [late]: { push: true } }, quietHours }),
      {
        preferences: { sms: true, email: false },
        eventPreferences: { [paid]: { sms: false, email: true }, [late]: { push: true } },
        quietHours,
      },
    );
    assert.deepEqual((await findPerson(ledger.one, 'prefers'))?.quietHours, quietHours);
    const [taken] = [await wish({ eventPreferences: { [paid]: { sms: null }, [late]: { push: null } } })];
    assert.deepEqual(taken?.eventPreferences, { [paid]: { email: true } }, 'null takes back what was said');
    assert.deepEqual(taken?.quietHours, quietHours);
    assert.equal((await wish({ quietHours: null }))?.quietHours, null);
    assert.equal(await putPreferences(ledger.one, 'nobody', { preferences: { sms: true } }, OPS), null);
  });

  it('are found many at once, in the order of the question, with what is suppressed', async () => {
    await putPerson(ledger.one, 'p1', { email: 'p1@b.example', phone: '+251911000001' }, OPS);
    await putPerson(ledger.one, 'p2', {}, OPS);
    await ledger.one.rows(
      "INSERT INTO suppression (channel, address, reason) VALUES ('sms', '+251911000001', 'stop')",
    );
    const found = await loadAddressees(ledger.one, ['p2', 'nobody', 'p1', 'p2']);
    assert.deepEqual(
      found.map((person) => person?.id ?? null),
      ['p2', null, 'p1', 'p2'],
    );
    assert.deepEqual(found[2]?.suppressed, { sms: 'stop' });
    assert.deepEqual(found[0]?.suppressed, {});
  });

  it('are not written to at a suppressed mailbox, however it is spelled', async () => {
    await ledger.one.rows(
      "INSERT INTO suppression (channel, address, reason) VALUES ('email', 'loud@b.example', 'bounced')",
    );
    await putPerson(ledger.one, 'p3', { email: 'Loud@B.example' }, OPS);
    const [person] = await loadAddressees(ledger.one, ['p3']);
    assert.deepEqual(person?.suppressed, { email: 'bounced' });
    const asked = ['LOUD@b.example', 'loud@b.example', 'loud@c.example'];
    assert.deepEqual(
      await findSuppressions(
        ledger.one,
        asked.map((address) => ({ channel: 'email', address })),
      ),
      ['bounced', 'bounced', null],
    );
    assert.deepEqual(await findSuppressions(ledger.one, [{ channel: 'sms', address: '+251911000001' }]), [
      'stop',
    ]);
  });
});

describe('erasing a person', () => {
  const ledger = withLedger();

  const claimOne = async (id: string) => claimed((await claimDeliveries(ledger.one, ANNA, 60_000, [id]))[0]);
  const toSara = (state: 'queued' | 'scheduled' | 'skipped' = 'queued') => ({
    ...notification({ personId: 'sara', state, message: CANARY }),
    title: CANARY,
    context: { who: CANARY },
    data: { who: CANARY },
  });

  const waitingForLocks = async () =>
    (
      await ledger.one.rows(
        "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()",
      )
    ).length;

  it('cancels what waits, ends nothing twice, and leaves the bare facts alone', async () => {
    await putPerson(ledger.one, 'sara', { email: `${CANARY}@b.example`, groups: ['g'] }, OPS);
    const given = {
      queued: toSara(),
      scheduled: toSara('scheduled'),
      skipped: toSara('skipped'),
      sent: toSara(),
      dead: toSara(),
      retrying: toSara(),
      sending: toSara(),
    };
    await accept(ledger.one, ...Object.values(given));
    const failed = { state: 'dead', reason: 'attempts_exhausted', retryable: true } as const;
    await recordOutcomes(ledger.one, ANNA, [
      recordFor(await claimOne(firstOf(given.sent))),
      recordFor(await claimOne(firstOf(given.dead)), failed),
      recordFor(await claimOne(firstOf(given.retrying)), { state: 'retrying' }),
    ]);
    const inHand = await claimOne(firstOf(given.sending));
    const note = { title: CANARY, body: CANARY, type: 'info', data: {} };
    const delivery = {
      deliveryId: firstOf(given.sent),
      notificationId: given.sent.id,
      firstAttemptAt: new Date(),
    };
    await putInInboxes(ledger.one, [
      { ...delivery, channel: 'realtime', priority: 'low', personId: 'sara', to: 'sara', content: note },
    ]);

    assert.equal(await erasePerson(ledger.one, 'sara', OPS), true);
    assert.equal(await erasePerson(ledger.one, 'sara', OPS), false);

    const states = Object.entries(given).map(async ([name, one]) => [
      name,
      (await rowOf(ledger.one, firstOf(one))).state,
    ]);
    assert.deepEqual(Object.fromEntries(await Promise.all(states)), {
      queued: 'cancelled',
      scheduled: 'cancelled',
      skipped: 'skipped',
      sent: 'sent',
      dead: 'dead',
      retrying: 'cancelled',
      sending: 'sending',
    });
    assert.equal((await findNotification(ledger.one, given.queued.id))?.notification.status, 'CANCELLED');
    for (const table of ['person', 'group_member', 'notification', 'delivery', 'attempt', 'inbox_item']) {
      const rows = await ledger.one.rows(`SELECT * FROM ${table}`);
      const left = rows.filter((row) => JSON.stringify(row).includes(CANARY));
      assert.deepEqual(left, [], table);
    }
    // What failed is not tried again, and what was in hand may still say how it ended.
    assert.deepEqual(await beginRetries(ledger.one, { includeWaiting: true, limit: 10 }), []);
    assert.deepEqual(await recordOutcomes(ledger.one, ANNA, [recordFor(inHand, { state: 'retrying' })]), [
      'recorded',
    ]);
    assert.deepEqual(objectionTo(await claimOne(firstOf(given.sending)), GUARD), {
      state: 'suppressed',
      reason: 'person_erased',
    });
  });

  it('never turns what is accepted at that moment into a message to a bare address', async () => {
    await putPerson(ledger.one, 'sara', {}, OPS);
    const before = toSara();
    await accept(ledger.one, before);
    // Somebody holds one of the person's deliveries, so that the erasure stops half-way.
    const holder = await ledger.two.pool.connect();
    await holder.query('BEGIN');
    await holder.query('SELECT 1 FROM delivery WHERE id = $1 FOR UPDATE', [firstOf(before)]);
    const erasing = erasePerson(ledger.one, 'sara', OPS);
    await waitFor(async () => (await waitingForLocks()) === 1);
    const meanwhile = toSara();
    let accepted = false;
    const accepting = accept(ledger.one, meanwhile).then(() => {
      accepted = true;
    });
    await waitFor(async () => accepted || (await waitingForLocks()) === 2);
    await holder.query('COMMIT');
    holder.release();
    assert.equal(await erasing, true);
    await accepting;
    const [claim] = await claimDeliveries(ledger.one, ANNA, 60_000, [firstOf(meanwhile)]);
    assert.ok(claim?.kind === 'over' || objectionTo(claimed(claim), GUARD) !== null);
  });
});
