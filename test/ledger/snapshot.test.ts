import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withLedger } from './with-ledger.js';

const ledger = withLedger();

test('a snapshot is of one moment: what is committed between two of its reads is not seen', async () => {
  const COUNT = 'SELECT count(*) AS tasks FROM upkeep';
  await ledger.one.snapshot(async (snapshot) => {
    const before = await snapshot.rows(COUNT);
    await ledger.two.rows("INSERT INTO upkeep (task, ran_at) VALUES ('meanwhile', now())");
    assert.deepEqual(await snapshot.rows(COUNT), before);
    assert.notDeepEqual(await ledger.two.rows(COUNT), before);
  });
});

test('a snapshot changes nothing', async () => {
  await assert.rejects(
    ledger.one.snapshot((snapshot) => snapshot.rows("DELETE FROM upkeep WHERE task = 'meanwhile'")),
    /read-only transaction/,
  );
});
