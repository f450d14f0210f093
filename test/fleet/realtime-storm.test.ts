import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Database } from '@belfry/shared/ledger/database.js';
import { putInInboxes } from '@belfry/shared/ledger/inbox.js';
import { speak } from '../api/raw-http.js';
import { useFleet } from '../support/fleet.js';
import { items } from '../support/http.js';
import { waitFor } from '../support/wait.js';
import {
  inboxOf,
  isOpen,
  ledgerOf,
  noteFor,
  OPEN,
  type StreamClient,
  untilNotes,
  waitingForLocks,
} from './stream-clients.js';

/** More of them by hand: STORM_CLIENTS=4000. */
const CLIENTS = Number(process.env.STORM_CLIENTS ?? 120);
const EACH = 4;

describe('a storm', () => {
  const fleet = useFleet({
    engine: 'postgres',
    api: 2,
    workers: [],
    env: { LOG_LEVEL: 'warn', REALTIME_LOOK_MS: '1000' },
  });
  let ledger: Database;
  before(() => {
    ledger = ledgerOf(fleet());
  });
  after(() => ledger.close());

  test(`of ${CLIENTS} clients whose process was killed and who come back at once loses nobody, and other calls are answered`, async (t) => {
    const people = Array.from({ length: CLIENTS / EACH }, (_, index) => `storm-${index}`);
    await fleet().database.query('INSERT INTO person (id) SELECT unnest($1::text[])', [people]);
    const call = () => fleet().call('GET', '/users/storm-0');
    assert.equal((await call()).status, 200); // the first one takes its time to read the document
    const put = () =>
      putInInboxes(
        ledger,
        people.map((person) => noteFor(person, 'Hello')),
      );
    let refusals = 0;
    /** Opens the stream of one client; whoever is told to come back does so. */
    const open = (index: number, api: number, since?: string): Promise<StreamClient> =>
      waitFor(
        async () => {
          const how = index % 2 === 0 ? OPEN.WebSocket : OPEN.SSE;
          const client = await how(fleet(), { sub: people[index % people.length] ?? '', api, since });
          if (await isOpen(client)) return client;
          assert.equal((await client.ended).code, 503);
          refusals += 1;
          return undefined;
        },
        { timeoutMs: 60_000, everyMs: 1_000 },
      );
    const first: StreamClient[] = [];
    while (first.length < CLIENTS)
      first.push(...(await Promise.all(people.map((_, index) => open(first.length + index, 1)))));
    await put();
    for (const client of first) await untilNotes(client, 1, 60_000);

    fleet().apis[1]?.kill('SIGKILL');
    await Promise.all(first.map(({ ended }) => ended));
    await put();
    const begun = performance.now();
    let over = false;
    const times: number[] = [];
    const calls = (async () => {
      while (!over) {
        const at = performance.now();
        assert.equal((await call()).status, 200);
        times.push(performance.now() - at);
      }
    })();
    const again = await Promise.all(first.map((client, index) => open(index, 0, client.ids().at(-1))));
    const opened = performance.now();
    await put();
    for (const client of again) await untilNotes(client, 2, 60_000);
    const all = performance.now();
    over = true;
    await calls;
    t.diagnostic(
      `${refusals} refused, opened in ${Math.round(opened - begun)} ms, all had everything after ${Math.round(all - begun)} ms; ${times.length} calls, the slowest took ${Math.round(Math.max(...times))} ms`,
    );
    for (const [index, client] of again.entries()) {
      const got = [...(first[index]?.ids() ?? []), ...client.ids()];
      assert.deepEqual(got, await inboxOf(fleet(), people[index % people.length] ?? ''));
    }
    for (const client of again) client.close();
  });

  test('leaves the streams of the process that died in the list for 45 seconds', async () => {
    const alive = `person_id = 'storm-1' AND node <> '00000000-0000-0000-0000-000000000000'`;
    const { database } = fleet();
    await waitFor(
      async () => (await database.query(`SELECT FROM realtime_session WHERE ${alive}`)).rowCount === EACH,
    );
    for (const [seconds, online] of [
      [30, true],
      [46, false],
    ] as const) {
      await database.query(
        `UPDATE realtime_session SET seen_at = now() - $1 * interval '1 second' WHERE ${alive}`,
        [seconds],
      );
      const { body } = await fleet().call('GET', '/presence/storm-1');
      assert.equal(body.online, online);
      assert.equal(items(body.sessions).length, online ? EACH : 0);
      assert.ok(body.last_seen_at);
    }
  });

  test('takes no more than a part of the connections to the ledger, however long each client has to wait', async () => {
    const person = 'storm-2';
    const clients = await ledger.transaction(async (transaction) => {
      await transaction.rows('SELECT FROM person WHERE id = $1 FOR UPDATE', [person]);
      const opening = Array.from({ length: 16 }, (_, index) =>
        (index % 2 === 0 ? OPEN.WebSocket : OPEN.SSE)(fleet(), { sub: person }),
      );
      await waitFor(async () => (await waitingForLocks(fleet())) > 0, { what: 'the first of them to wait' });
      for (let n = 0; n < 3; n += 1) assert.equal((await fleet().call('GET', '/users/storm-3')).status, 200);
      assert.ok((await waitingForLocks(fleet())) <= 2);
      return opening;
    });
    for (const client of await Promise.all(clients)) client.close();
  });

  test('is made less by what clients of events are told: each when to come back, within five seconds', async () => {
    const headers = `Host: x\r\nAuthorization: Bearer ${await fleet().token('user', 'storm-4')}`;
    const answers = await Promise.all(
      Array.from({ length: 10 }, () =>
        speak(fleet().api.url, [`GET /api/v1/stream HTTP/1.1\r\n${headers}\r\n\r\n`], { quietMs: 100 }),
      ),
    );
    const times = answers.map(({ text }) => Number(/^retry: (\d+)$/m.exec(text)?.[1]));
    for (const ms of times) assert.ok(ms >= 1_000 && ms < 5_000, String(ms));
    assert.ok(new Set(times).size > 1);
  });
});
