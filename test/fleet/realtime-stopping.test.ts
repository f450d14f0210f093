import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { forEachEngine } from '../support/engines.js';
import { useFleet } from '../support/fleet.js';
import { waitFor } from '../support/wait.js';
import { inboxOf, OPEN, openEvents, openSocket, untilNotes } from './stream-clients.js';

forEachEngine((engine) => {
  describe('streams', () => {
    const fleet = useFleet({ engine, env: { REALTIME_LOOK_MS: '60000' } });
    const tell = (person: string) =>
      fleet().send({ user_id: person, message: 'Hello', channels: ['realtime'] });

    for (const signal of ['SIGTERM', 'SIGKILL'] as const)
      test(`go on at another process after ${signal}, with nothing lost between`, async () => {
        const person = `p-${signal}`;
        await fleet().person(person);
        const api = await fleet().addApi();
        const last = fleet().apis.length - 1;
        const clients = await Promise.all(
          Object.values(OPEN).map((open) => open(fleet(), { sub: person, api: last })),
        );
        const first = await tell(person);
        for (const client of clients) assert.deepEqual(await untilNotes(client, 1), [first]);
        api.kill(signal);
        const [socket] = await Promise.all(clients.map(({ ended }) => ended));
        assert.equal(socket?.code, signal === 'SIGTERM' ? 1001 : 1006);
        await api.exited;
        const between = await tell(person);
        await waitFor(async () => (await inboxOf(fleet(), person)).length === 2);
        const again = await Promise.all(
          Object.values(OPEN).map((open) => open(fleet(), { sub: person, since: first })),
        );
        const after = await tell(person);
        for (const client of again) {
          assert.deepEqual(await untilNotes(client, 2), [between, after]);
          client.close();
        }
      });

    test('are told of what happens again once the engine is back, or has forgotten everything', async () => {
      await fleet().person('p');
      await fleet().addApi();
      const clients = await Promise.all([
        openSocket(fleet(), { sub: 'p', api: 0 }),
        openEvents(fleet(), { sub: 'p', api: fleet().apis.length - 1 }),
      ]);
      await fleet().redis?.restart();
      await fleet().redis?.flushAll();
      // Until everybody has joined again, a signal is lost; nothing else is.
      const ids: string[] = [];
      await waitFor(
        async () => {
          ids.push(await tell('p'));
          await waitFor(() => clients.every((client) => client.ids().length === ids.length), {
            timeoutMs: 2_000,
          });
          return true;
        },
        { timeoutMs: 60_000 },
      );
      for (const client of clients) {
        assert.deepEqual(client.ids(), await inboxOf(fleet(), 'p'));
        client.close();
      }
    });
  });
});
