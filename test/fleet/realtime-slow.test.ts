import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Database } from '@belfry/shared/ledger/database.js';
import { useFleet } from '../support/fleet.js';
import { scrape } from '../support/scrape.js';
import { inboxOf, ledgerOf, memoryOf, OPEN, putNotes, untilNotes } from './stream-clients.js';

describe('streams', () => {
  const fleet = useFleet({ engine: 'postgres', workers: [], env: { REALTIME_LOOK_MS: '100' } });
  let ledger: Database;
  before(() => {
    ledger = ledgerOf(fleet());
  });
  after(() => ledger.close());

  for (const [name, open] of Object.entries(OPEN)) {
    test(`that read too slowly are cut, take no memory, and go on where they were (${name})`, async () => {
      const person = `slow-${name}`;
      await fleet().person(person);
      const slow = await open(fleet(), { sub: person });
      const well = await open(fleet(), { sub: person });
      await putNotes(ledger, person, 1);
      await untilNotes(slow, 1);
      slow.pause(true);
      const before = await memoryOf(fleet());
      const lows: number[] = [];
      // 100 MB, of which the kernel takes a few.
      for (let told = 1; told < 1_000; told += 50) {
        await putNotes(ledger, person, 50, 'x'.repeat(100_000));
        await untilNotes(well, told + 50, 30_000);
        lows.unshift(await memoryOf(fleet()));
      }
      // Garbage comes and goes; what is held for somebody would stay.
      const low = Math.min(...lows.slice(0, 10));
      assert.ok(low - before < 70e6, `${Math.round((low - before) / 1e6)} MB more`);
      const cut = await scrape(fleet().api.url);
      const labels = { transport: name === 'SSE' ? 'sse' : 'websocket', reason: 'slow' };
      assert.equal(cut.value('belfry_realtime_streams_ended_total', labels), 1);
      slow.pause(false);
      await slow.ended;
      const [last] = slow.ids().slice(-1);
      const again = await open(fleet(), { sub: person, since: last });
      assert.deepEqual(await untilNotes(again, 100), await inboxOf(fleet(), person));
      for (const client of [well, again]) client.close();
    });
  }
});
