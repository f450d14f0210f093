import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { useFleet } from '../support/fleet.js';
import { scrape } from '../support/scrape.js';
import { openSocket, untilHeard } from './stream-clients.js';

describe('clients', () => {
  const fleet = useFleet({ engine: 'postgres', workers: [] });

  // Of the longer ones, less than a hundred come at once.
  const asking = [
    { what: 'messages', reason: 'slow', data: 'x'.padEnd(700), options: {} },
    { what: 'pings', reason: 'left', data: Buffer.alloc(125), options: { ping: true } },
  ] as const;
  for (const { what, reason, data, options } of asking)
    test(`that send ${what} and never read what they are answered are cut`, async () => {
      const client = await openSocket(fleet(), { sub: what });
      client.say({ type: 'ping' });
      await untilHeard(client, 'pong');
      client.pause(true);
      const open = async () =>
        ((await scrape(fleet().api.url)).value('belfry_realtime_streams', { transport: 'websocket' }) ?? 0) >
        0;
      for (let rounds = 0; rounds < 100 && (await open()); rounds += 1) {
        for (let n = 0; n < 4_999; n += 1) void client.frame(data, options);
        await client.frame(data, options);
      }
      assert.equal(await open(), false);
      const cut = await scrape(fleet().api.url);
      assert.equal(cut.value('belfry_realtime_streams_ended_total', { transport: 'websocket', reason }), 1);
      client.drop();
    });
});
