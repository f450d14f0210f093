import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Database } from '@belfry/shared/ledger/database.js';
import { putInInboxes } from '@belfry/shared/ledger/inbox.js';
import { countNotifications } from '@belfry/shared/ledger/notifications.js';
import { putPerson } from '@belfry/shared/ledger/people.js';
import { PRUNE_WALKS, pruneStep } from '@belfry/shared/ledger/prune.js';
import { countUnread } from '@belfry/shared/ledger/read-inbox.js';
import { createPruner } from '@belfry/shared/upkeep/prune.js';
import { accept, firstOf, notification, OPS, withLedger } from './with-ledger.js';

const DAYS = 30;
/** Ids as they were made then: UUIDv7 begins with the time. */
const OLD = 'lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, $$0$$)';

/** Writes `count` notifications that ended in `state`, `days` ago. Their events take turns. */
async function history(database: Database, state: string, days: number, count: number): Promise<void> {
  const counts = {
    sent: 'sent_count',
    dead: 'dead_count',
    cancelled: 'cancelled_count',
    queued: 'open_count',
  };
  const counter = Object.entries(counts).find(([name]) => name === state)?.[1] ?? 'open_count';
  await database.rows(
    `WITH made AS (
       SELECT (${OLD} || '7000' || '8000' || lpad(to_hex((random() * 1e14)::bigint), 12, '0'))::uuid AS id, at, n
       FROM generate_series(1, $3) n, LATERAL (SELECT now() - $2 * interval '1 day' - n * interval '1 second' AS at) t
     ), notified AS (
       INSERT INTO notification (id, event_type, type, priority, caller, created_at, ${counter})
       SELECT id, CASE n % 3 WHEN 0 THEN NULL WHEN 1 THEN 'payment_failed' ELSE 'tenant_update' END, 'info', 'normal',
         'test', at, 1 FROM made RETURNING id
     ), delivered AS (
       INSERT INTO delivery (id, notification_id, channel, priority, state, created_at, updated_at)
       SELECT gen_random_uuid(), id, 'email', 'normal', $1, at, at FROM made RETURNING id
     )
     INSERT INTO attempt (delivery_id, n, provider, outcome, code, started_at, finished_at)
     SELECT id, 1, 'smtp', 'sent', '250', now(), now() FROM delivered`,
    [state, days, count],
  );
}

/** Prunes until nothing is left to be pruned. */
async function pruneAll(database: Database): Promise<number> {
  const prune = createPruner(database, DAYS);
  let removed = 0;
  for (let more = -1; more !== 0; removed += more) more = await prune();
  return removed;
}

async function sizeOf(database: Database, table: string): Promise<number> {
  const [row] = await database.rows<{ count: number }>(`SELECT count(*)::int AS count FROM ${table}`);
  return row?.count ?? 0;
}

async function totals(database: Database): Promise<Record<string, number>> {
  const rows = await countNotifications(database);
  return Object.fromEntries(
    rows.map(({ eventType, status, count }) => [`${eventType} ${status}`, count] as const).sort(),
  );
}

describe('pruning', () => {
  const ledger = withLedger();

  it('removes what ended long ago with all that belongs to it, and leaves every total as it was', async () => {
    for (const state of ['sent', 'dead', 'cancelled']) await history(ledger.one, state, DAYS + 1, 450);
    await history(ledger.one, 'sent', DAYS - 1, 30);
    const before = await totals(ledger.one);
    assert.equal(await pruneAll(ledger.one), 3 * 450);
    assert.deepEqual(await totals(ledger.one), before);
    for (const table of ['notification', 'delivery', 'attempt'])
      assert.equal(await sizeOf(ledger.one, table), 30, table);
    assert.equal(await pruneAll(ledger.one), 0);
    assert.deepEqual(await totals(ledger.one), before);
  });

  it('leaves what still has something to do, however old', async () => {
    await history(ledger.one, 'queued', DAYS * 20, 5);
    const before = await sizeOf(ledger.one, 'notification');
    assert.equal(await pruneAll(ledger.one), 0);
    assert.equal(await sizeOf(ledger.one, 'notification'), before);
  });

  it('counts from the last thing that happened, not from the call', async () => {
    await history(ledger.one, 'sent', DAYS * 2, 2);
    const [late] = await ledger.one.rows<{ id: string }>(
      `UPDATE delivery SET updated_at = now() - interval '1 day' WHERE id = (
         SELECT d.id FROM delivery d JOIN notification n ON n.id = d.notification_id
         WHERE n.created_at < now() - interval '${DAYS} days' AND n.status = 'SENT' LIMIT 1)
       RETURNING notification_id AS id`,
    );
    assert.equal(await pruneAll(ledger.one), 1);
    const left = await ledger.one.rows('SELECT 1 FROM notification WHERE id = $1', [late?.id]);
    assert.equal(left.length, 1);
  });

  it('gets past what is old and must stay, however much it is', async () => {
    await ledger.one.rows('TRUNCATE notification CASCADE');
    await history(ledger.one, 'sent', DAYS + 2, 2_100);
    await ledger.one.rows("UPDATE delivery SET updated_at = now() WHERE state = 'sent'");
    await history(ledger.one, 'sent', DAYS + 1, 1);
    await history(ledger.one, 'dead', DAYS + 1, 1);
    const prune = createPruner(ledger.one, DAYS);
    assert.equal((await prune()) + (await prune()), 2);
    await ledger.one.rows(
      "UPDATE delivery SET updated_at = created_at WHERE created_at < now() - interval '32 days'",
    );
    assert.equal((await prune()) + (await prune()) + (await prune()), 2_100, 'it begins again at the end');
  });

  it('takes the notes of the inbox along', async () => {
    await putPerson(ledger.one, 'sara', {}, OPS);
    const made = notification({ personId: 'sara', channels: ['realtime'] });
    const given = { ...made, id: `01000000${made.id.slice(8)}` };
    await accept(ledger.one, given);
    const deliveryId = firstOf(given);
    const content = { title: 'Hello', body: 'Hello', type: 'info', data: {} };
    const message = {
      deliveryId,
      notificationId: given.id,
      channel: 'realtime',
      priority: 'normal',
      personId: 'sara',
      to: 'sara',
    };
    await putInInboxes(ledger.one, [
      { ...message, channel: 'realtime', priority: 'normal', content, firstAttemptAt: new Date() },
    ]);
    assert.equal(await sizeOf(ledger.one, 'inbox_item'), 1);
    assert.equal(await countUnread(ledger.one, 'sara'), 1);
    await ledger.one.rows(
      "UPDATE delivery SET state = 'sent', updated_at = now() - interval '1 year' WHERE id = $1",
      [deliveryId],
    );
    await ledger.one.rows("UPDATE notification SET created_at = now() - interval '1 year' WHERE id = $1", [
      given.id,
    ]);
    assert.equal(await pruneAll(ledger.one), 1);
    assert.equal(await sizeOf(ledger.one, 'inbox_item'), 0);
    assert.equal(await countUnread(ledger.one, 'sara'), 0);
  });
});

describe('pruning beside others', () => {
  const ledger = withLedger();

  it('waits for nobody who holds a row, and takes it when it is free', async () => {
    await history(ledger.one, 'dead', DAYS + 1, 10);
    await ledger.two.transaction(async (transaction) => {
      await transaction.rows('SELECT id FROM notification ORDER BY id LIMIT 1 FOR UPDATE');
      const walk = PRUNE_WALKS.find(({ status }) => status === 'FAILED');
      assert.ok(walk);
      // the pool gives up a lock after five seconds: it did not wait for one
      assert.deepEqual(await pruneStep(ledger.one, walk, DAYS, 100), { removed: 9, afterId: null });
    });
    assert.equal(await pruneAll(ledger.one), 1);
  });

  it('shows the same totals at every moment, with two at it and a third that reads', async () => {
    await history(ledger.one, 'sent', DAYS + 2, 1_500);
    const before = await totals(ledger.one);
    let running = true;
    const seen: Record<string, number>[] = [];
    const reader = (async () => {
      while (running) seen.push(await totals(ledger.two));
    })();
    const removed = await Promise.all([pruneAll(ledger.one), pruneAll(ledger.two)]);
    running = false;
    await reader;
    assert.ok(seen.length > 0);
    for (const one of seen) assert.deepEqual(one, before);
    assert.equal((removed[0] ?? 0) + (removed[1] ?? 0), 1_500);
    assert.deepEqual(await totals(ledger.one), before);
  });
});
