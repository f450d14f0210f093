import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { newId } from '@belfry/shared/domain/ids.js';
import {
  endStreams,
  forgetSessions,
  openStreams,
  presenceOf,
  renewStreams,
} from '@belfry/shared/ledger/sessions.js';
import { addPeople } from './notes.js';
import { withLedger } from './with-ledger.js';

const BOUNDS = { perPerson: 3, ttlMs: 60_000 };
const NODE = newId();

describe('sessions that are gone', () => {
  const ledger = withLedger();
  const open = async (personId: string) => {
    const id = newId();
    const wanted = [{ id, personId, transport: 'sse' as const }];
    assert.deepEqual(await openStreams(ledger.one, wanted, NODE, BOUNDS), ['open']);
    return id;
  };
  const rowsOf = async (personId: string) => {
    const rows = await ledger.one.rows<{ id: string }>(
      'SELECT id FROM realtime_session WHERE person_id = $1 ORDER BY id',
      [personId],
    );
    return rows.map(({ id }) => id);
  };
  before(() => addPeople(ledger.one, 'back', 'other', 'crowd', 'asleep'));

  it('make room when their person comes back, and tell until then when that person was here', async () => {
    const [other] = [await open('other'), await endStreams(ledger.one, NODE, await rowsOf('other'))];
    const kept = await open('back');
    const ended = [await open('back'), await open('back')];
    await endStreams(ledger.one, NODE, ended);
    const { lastSeenAt } = (await presenceOf(ledger.one, 'other', BOUNDS.ttlMs)) ?? {};
    assert.ok(lastSeenAt);
    const next = await open('back');
    assert.deepEqual(await rowsOf('back'), [kept, next].sort());
    assert.deepEqual(await rowsOf('other'), [other]);
  });

  it('outlive a process that could not renew them for a while, whoever comes and sweeps meanwhile', async () => {
    const streams = [await open('asleep'), await open('asleep')];
    await ledger.one.rows(
      `UPDATE realtime_session SET seen_at = now() - interval '10 minutes' WHERE person_id = 'asleep'`,
    );
    assert.deepEqual((await presenceOf(ledger.one, 'asleep', BOUNDS.ttlMs))?.sessions, []);
    const other = await open('asleep');
    await endStreams(ledger.one, NODE, [other]);
    await forgetSessions(ledger.two, BOUNDS.ttlMs);
    assert.deepEqual((await renewStreams(ledger.one, NODE, streams)).sort(), [...streams].sort());
    assert.equal((await presenceOf(ledger.one, 'asleep', BOUNDS.ttlMs))?.sessions.length, 2);
  });

  it('are swept after thirty days, and nothing else is looked at', async () => {
    await ledger.one.rows(
      `INSERT INTO realtime_session (id, person_id, node, transport, seen_at)
       SELECT gen_random_uuid(), 'crowd', '00000000-0000-0000-0000-000000000000', 'sse',
         now() - CASE WHEN n > 3000 THEN interval '31 days' ELSE n * interval '1 minute' END
       FROM generate_series(1, 3002) AS n`,
    );
    await ledger.one.rows('ANALYZE realtime_session');
    const looked = await ledger.one.transaction(async (transaction) => {
      await forgetSessions(transaction, BOUNDS.ttlMs);
      const [row] = await transaction.rows<{ looked: number }>(
        `SELECT (seq_tup_read + idx_tup_fetch)::int AS looked FROM pg_stat_xact_user_tables
         WHERE relname = 'realtime_session'`,
      );
      return row?.looked ?? 0;
    });
    assert.equal((await rowsOf('crowd')).length, 3_000);
    assert.ok(looked < 100, `${looked} rows were looked at`);
  });
});
