import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { firstIdOf, isId, newId } from '@belfry/shared/domain/ids.js';
import { listNotifications, type NotificationFilter } from '@belfry/shared/ledger/notifications.js';
import { drizzle } from 'drizzle-orm/node-postgres';
import { withLedger } from './with-ledger.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOON = Date.parse('2026-03-01T12:00:00Z');
/** One notification every minute for thirty days. */
const MINUTES = 30 * 24 * 60;
const at = (ms: number) => new Date(NOON + ms);

describe('the list of a span of time', () => {
  const ledger = withLedger();

  before(async () => {
    // An id begins with the time of a clock that is up to 50 s off.
    await ledger.one.rows(
      `INSERT INTO notification (id, type, priority, caller, created_at)
       SELECT (lpad(to_hex(ms + 25000 * (minute % 5 - 2)), 12, '0') || '7000' || '8000' || lpad(to_hex(minute), 12, '0'))::uuid,
         'info', 'normal', 'test', to_timestamp(ms / 1000.0)
       FROM generate_series(0, $1::int - 1) AS minute, LATERAL (SELECT $2::bigint + minute * 60000::bigint AS ms) AS time`,
      [MINUTES, NOON],
    );
    await ledger.one.rows('ANALYZE notification');
  });

  async function countOf(filter: NotificationFilter): Promise<number> {
    return (await listNotifications(ledger.one, filter, { limit: MINUTES })).length;
  }

  it('has exactly what was created in it, whatever the clocks of those who made the ids', async () => {
    assert.equal(await countOf({ from: at(HOUR), to: at(2 * HOUR) }), 60);
    assert.equal(await countOf({ from: at(HOUR), to: at(HOUR + 1) }), 1);
    assert.equal(await countOf({ from: at(HOUR + 1), to: at(HOUR + 59_999) }), 0);
    assert.equal(await countOf({ from: at(30 * DAY - HOUR) }), 60);
    assert.equal(await countOf({ to: at(HOUR) }), 60);
    assert.equal(await countOf({ from: new Date(0), to: new Date(0) }), 0);
    assert.equal(await countOf({ from: new Date(0) }), MINUTES);
  });

  for (const [name, filter] of [
    ['from', { from: at(29 * DAY) }],
    ['to', { to: at(DAY) }],
    ['from and to', { from: at(DAY), to: at(DAY + HOUR) }],
  ] as const) {
    it(`with ${name} alone reads only that part of the primary key`, async () => {
      const [statement, values] = await statementOf(filter);
      const rows = await ledger.one.rows<{ 'QUERY PLAN': unknown }>(
        `EXPLAIN (ANALYZE, FORMAT JSON) ${statement}`,
        values,
      );
      const plan = JSON.stringify(rows);
      assert.match(plan, /"Index Name":"notification_pkey"/);
      assert.match(plan, /"Index Cond":"\(+id /);
      // What was read beside what was asked for lies within a minute of its ends.
      const removed = /"Rows Removed by Filter":(\d+)/.exec(plan)?.[1] ?? '0';
      assert.ok(Number(removed) <= 6, plan);
    });
  }

  async function statementOf(filter: NotificationFilter): Promise<[string, unknown[]]> {
    const asked: [string, unknown[]][] = [];
    const logger = {
      logQuery: (statement: string, values: unknown[]) => void asked.push([statement, values]),
    };
    const { pool } = ledger.one;
    await listNotifications({ ...ledger.one, orm: drizzle(pool, { logger }) }, filter, { limit: 50 });
    const [first] = asked;
    assert.ok(first);
    return first;
  }
});

describe('the first id of a moment', () => {
  it('is before every id that is made from then on, and after those that were made before', () => {
    const before = Date.now();
    const id = newId();
    const after = Date.now() + 1;
    assert.ok(firstIdOf(before) <= id && id < firstIdOf(after));
    assert.ok(!isId(firstIdOf(before)));
    assert.equal(firstIdOf(-1), '00000000-0000-0000-0000-000000000000');
    assert.equal(firstIdOf(2 ** 48 - 1), 'ffffffff-ffff-0000-0000-000000000000');
  });
});
