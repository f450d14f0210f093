import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { newId } from '@belfry/shared/domain/ids.js';
import { type KeptAnswer, writeAcceptances } from '@belfry/shared/ledger/accept.js';
import { findAnswer } from '@belfry/shared/ledger/idempotency.js';
import { migrateLedger } from '@belfry/shared/ledger/migrate.js';
import { findNotification } from '@belfry/shared/ledger/notifications.js';
import { forgetOldKeys } from '@belfry/shared/ledger/waiting.js';
import { createNotifier, type Notifier } from '@belfry/shared/notify/notifier.js';
import type { QueueEngine } from '@belfry/shared/queue/queue-engine.js';
import { DEFAULT_TEMPLATES_DIR, loadCatalogue } from '@belfry/shared/templates/catalogue.js';
import { enqueuerOn, openTestEngine, SILENT } from './with-engine.js';
import { ALL_CHANNELS, accept, notification, withLedger } from './with-ledger.js';

const answer = (key: string, caller = 'test'): KeptAnswer => ({
  caller,
  key,
  fingerprint: 'f',
  status: 202,
  body: { key },
});
const acceptance = (key: string | null) => ({
  requestId: newId(),
  notifications: [notification({ channels: ['email', 'sms'] })],
  answer: key === null ? null : answer(key),
});

describe('accepting', () => {
  const ledger = withLedger();

  const written = async (ids: readonly string[]) =>
    (await ledger.one.rows('SELECT id FROM notification WHERE id = ANY($1::uuid[])', [ids])).length;

  it('writes a notification with all its deliveries, the unused ones and their reasons too', async () => {
    const given = {
      ...notification({
        channels: ALL_CHANNELS,
        sendAt: new Date(Date.now() + 60_000),
        message: 'ሰላም "quoted" \\ 😀',
      }),
      context: { deep: { list: [1, null, 'x'] } },
    };
    const deliveries = given.deliveries.map((delivery, n) =>
      n % 2 === 0
        ? ({ ...delivery, state: 'scheduled' } as const)
        : ({ ...delivery, state: 'skipped', address: null, reason: 'preference_off' } as const),
    );
    await accept(ledger.one, { ...given, deliveries });
    const found = await findNotification(ledger.one, given.id);
    assert.equal(found?.notification.message, given.message);
    assert.deepEqual(found?.notification.context, given.context);
    assert.equal(found?.notification.openCount, 3);
    assert.equal(found?.notification.status, 'PENDING');
    assert.deepEqual(
      found?.deliveries.map(({ id, channel, state, address, reason }) => ({
        id,
        channel,
        state,
        address,
        reason,
      })),
      deliveries,
    );
    assert.ok(found?.deliveries.every(({ dueAt }) => dueAt.toISOString() === given.sendAt));
  });

  it('keeps a notification that reaches nobody as failed', async () => {
    const none = { ...notification(), deliveries: [], reason: 'unknown_person' };
    const unused = notification({ state: 'skipped' });
    await accept(ledger.one, none, unused);
    for (const { id } of [none, unused])
      assert.equal((await findNotification(ledger.one, id))?.notification.status, 'FAILED');
  });

  it('writes one of two calls with the same key in one batch, and nothing of the other', async () => {
    const [first, second, other] = [acceptance('in-batch'), acceptance('in-batch'), acceptance(null)];
    const results = await writeAcceptances(ledger.one, [first, second, other]);
    assert.deepEqual(results.toSorted(), ['taken', 'written', 'written']);
    assert.equal(results[2], 'written');
    assert.equal(
      await written([first, second].flatMap(({ notifications }) => notifications.map(({ id }) => id))),
      1,
    );
  });

  it('writes one of twenty calls with the same key that come over two pools at once', async () => {
    const calls = Array.from({ length: 20 }, () => acceptance('at-once'));
    const results = await Promise.all(
      calls.map((call, n) => writeAcceptances(n % 2 === 0 ? ledger.one : ledger.two, [call])),
    );
    assert.equal(results.flat().filter((result) => result === 'written').length, 1);
    const winner = calls[results.findIndex(([result]) => result === 'written')];
    assert.equal(await written(calls.flatMap(({ notifications }) => notifications.map(({ id }) => id))), 1);
    assert.equal(await written(winner?.notifications.map(({ id }) => id) ?? []), 1);
  });

  it('finds the first answer again, for its caller alone', async () => {
    await writeAcceptances(ledger.one, [acceptance('kept')]);
    assert.deepEqual(await findAnswer(ledger.two, 'test', 'kept'), {
      fingerprint: 'f',
      status: 202,
      body: { key: 'kept' },
    });
    assert.equal(await findAnswer(ledger.two, 'another', 'kept'), null);
    assert.equal(await findAnswer(ledger.two, 'test', 'Kept'), null);
  });

  it('forgets keys after a day, and not before', async () => {
    await writeAcceptances(ledger.one, [acceptance('old'), acceptance('young')]);
    const age = (key: string, hours: number) =>
      ledger.one.rows(
        "UPDATE idempotency_key SET created_at = now() - $2 * interval '1 hour' WHERE key = $1",
        [key, hours],
      );
    await age('old', 25);
    await age('young', 23);
    assert.equal(await forgetOldKeys(ledger.one, 10), 1);
    assert.equal(await findAnswer(ledger.one, 'test', 'old'), null);
    assert.notEqual(await findAnswer(ledger.one, 'test', 'young'), null);
  });
});

describe('many calls in one commit', () => {
  const parts: { engine?: QueueEngine; notifier?: Notifier } = {};
  const ledger = withLedger(async (url) => {
    const engine = openTestEngine(url, undefined);
    parts.engine = engine;
    await migrateLedger(url, (client) => engine.migrate(client));
  });
  before(async () => {
    assert.ok(parts.engine);
    const enqueuer = enqueuerOn(parts.engine);
    parts.notifier = createNotifier({
      database: ledger.one,
      catalogue: await loadCatalogue(DEFAULT_TEMPLATES_DIR),
      enqueuer,
      events: SILENT,
    });
  });
  after(async () => {
    await parts.notifier?.idle();
    await parts.engine?.close();
  });

  it('do not share the fate of a bad one among them', async () => {
    const { notifier } = parts;
    assert.ok(notifier);
    // PostgreSQL cannot keep a NUL, so this one is refused by the ledger itself.
    const given = Array.from({ length: 9 }, (_, n) =>
      notification({ message: n === 4 ? 'a\u0000b' : 'fine' }),
    );
    const settled = await Promise.allSettled(
      given.map((one) => notifier.commit([{ kind: 'ready', notification: one }], null)),
    );
    assert.deepEqual(
      settled.map(({ status }) => status),
      given.map((_, n) => (n === 4 ? 'rejected' : 'fulfilled')),
    );
    for (const [n, one] of given.entries())
      assert.equal((await findNotification(ledger.one, one.id)) !== null, n !== 4);
  });
});
