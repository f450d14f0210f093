import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DELIVERY_STATES, statusOf } from '@belfry/shared/domain/delivery-state.js';
import { openDatabase } from '@belfry/shared/ledger/database.js';
import { isMigrated, MigrationBusy, migrateLedger } from '@belfry/shared/ledger/migrate.js';
import { forEachEngine } from '../support/engines.js';
import { freshDatabase } from '../support/postgres.js';
import { startRedis } from '../support/redis.js';
import { openTestEngine } from './with-engine.js';
import { withLedger } from './with-ledger.js';

/** The whole schema as text: tables, columns, indexes, functions and triggers. */
const SCHEMA = `
  SELECT string_agg(line, E'\\n' ORDER BY line) AS schema FROM (
    SELECT table_schema || '.' || table_name || '.' || column_name || ' ' || data_type || ' ' || coalesce(column_default, '') AS line
      FROM information_schema.columns WHERE table_schema NOT IN ('pg_catalog', 'information_schema')
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT tgname FROM pg_trigger
    UNION ALL SELECT 'applied ' || hash FROM drizzle.__drizzle_migrations) AS lines(line)`;

describe('the migrations', () => {
  forEachEngine((engineName) => {
    it('may be run by five processes at once, and again, and end in one schema', async () => {
      const database = await freshDatabase();
      const redis = engineName === 'redis' ? await startRedis() : undefined;
      const engine = openTestEngine(database.url, redis?.url);
      const ledger = openDatabase({ url: database.url, name: 'test', size: 2 });
      try {
        assert.equal(await isMigrated(ledger.pool), false);
        const migrate = () => migrateLedger(database.url, (client) => engine.migrate(client));
        await Promise.all(Array.from({ length: 5 }, migrate));
        assert.equal(await isMigrated(ledger.pool), true);
        const before = await ledger.rows(SCHEMA);
        assert.match(JSON.stringify(before), /public\.delivery\.generation integer/);
        await migrate();
        assert.deepEqual(await ledger.rows(SCHEMA), before);
      } finally {
        await Promise.all([engine.close(), ledger.close()]);
        await redis?.stop();
        await database.drop();
      }
    });
  });

  it('wait for another process that is at them, but not for ever, and say what they waited for', async () => {
    const database = await freshDatabase();
    const ledger = openDatabase({ url: database.url, name: 'test', size: 1 });
    try {
      let second: Promise<void> | undefined;
      await migrateLedger(database.url, async () => {
        await assert.rejects(
          migrateLedger(database.url, undefined, 300),
          (error) =>
            error instanceof MigrationBusy && /^Another process has been migrating/.test(error.message),
        );
        second = migrateLedger(database.url);
      });
      await second;
      assert.equal(await isMigrated(ledger.pool), true);
    } finally {
      await ledger.close();
      await database.drop();
    }
  });

  it('wait for the locks of others only briefly, and may take their time otherwise', async () => {
    const database = await freshDatabase();
    try {
      await migrateLedger(database.url, async (client) => {
        const { rows } = await client.query(
          "SELECT current_setting('lock_timeout') AS lock, current_setting('statement_timeout') AS statement",
        );
        assert.deepEqual(rows, [{ lock: '5s', statement: '0' }]);
      });
    } finally {
      await database.drop();
    }
  });

  it('are unfinished business for a process that knows a newer one', async () => {
    const database = await freshDatabase();
    const ledger = openDatabase({ url: database.url, name: 'test', size: 1 });
    try {
      await migrateLedger(database.url);
      await ledger.rows(
        'DELETE FROM drizzle.__drizzle_migrations WHERE id = (SELECT max(id) FROM drizzle.__drizzle_migrations)',
      );
      assert.equal(await isMigrated(ledger.pool), false);
    } finally {
      await ledger.close();
      await database.drop();
    }
  });
});

describe('the schema', () => {
  const ledger = withLedger();

  it('derives the status of a notification as the domain does, for every mixture of states', async () => {
    const classes = await ledger.one.rows<{ state: string; class: string }>(
      'SELECT state, delivery_class(state) AS class FROM unnest($1::text[]) AS state',
      [DELIVERY_STATES],
    );
    const counters = {
      open: 'open_count',
      sent: 'sent_count',
      dead: 'dead_count',
      cancelled: 'cancelled_count',
    };
    const mixtures = DELIVERY_STATES.flatMap((a) =>
      DELIVERY_STATES.flatMap((b) => DELIVERY_STATES.map((c) => [a, b, c])),
    );
    const rows = mixtures.map((states, n) => {
      const count = (wanted: string) =>
        states.filter((state) => classes.some((one) => one.state === state && one.class === wanted)).length;
      return {
        n,
        ...Object.fromEntries(Object.entries(counters).map(([name, column]) => [column, count(name)])),
      };
    });
    const found = await ledger.one.rows<{ n: number; status: string }>(
      `WITH made AS (
         INSERT INTO notification (id, type, priority, caller, title, open_count, sent_count, dead_count, cancelled_count)
         SELECT gen_random_uuid(), 'info', 'low', 'test', n::text, open_count, sent_count, dead_count, cancelled_count
         FROM json_to_recordset($1::json) AS r(n int, open_count int, sent_count int, dead_count int, cancelled_count int)
         RETURNING title::int AS n, status)
       SELECT * FROM made ORDER BY n`,
      [JSON.stringify(rows)],
    );
    assert.equal(found.length, DELIVERY_STATES.length ** 3);
    for (const { n, status } of found) {
      const mixture = mixtures[n] ?? [];
      assert.equal(status, statusOf(mixture), mixture.join(', '));
    }
  });
});
