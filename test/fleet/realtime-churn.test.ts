import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachEngine } from '../support/engines.js';
import { useFleet } from '../support/fleet.js';
import { waitFor } from '../support/wait.js';
import { inboxOf, OPEN, type StreamClient } from './stream-clients.js';

/** More of everything, and other chances, by hand: CHURN_CLIENTS=300 CHURN_MESSAGES=5000 CHURN_SEED=7. */
const CLIENTS = Number(process.env.CHURN_CLIENTS ?? 60);
const MESSAGES = Number(process.env.CHURN_MESSAGES ?? 1_000);
const SEED = Number(process.env.CHURN_SEED ?? 20261126);
const AT_ONCE = 100;
const LIMIT_MS = 60_000 + MESSAGES * 20;

forEachEngine((engine) => {
  const fleet = useFleet({
    engine,
    api: 2,
    env: { DATABASE_POOL: '8', WORKER_CONCURRENCY: '200', LOG_LEVEL: 'warn', REALTIME_LOOK_MS: '1000' },
  });

  test(`${CLIENTS} clients that come and go while ${MESSAGES} messages are sent have what their inboxes have: nothing is missing, nothing twice, nothing of another`, async (t) => {
    const random = randomFrom(SEED);
    const clients = Array.from({ length: CLIENTS }, (_, index) => createClient(index));
    for (const { person } of clients) await fleet().person(person);
    const restless = clients.map((client) => client.live());
    const ids = new Map<string, string>();
    for (let from = 0; from < MESSAGES; from += AT_ONCE) {
      const notifications = Array.from({ length: Math.min(AT_ONCE, MESSAGES - from) }, (_, index) => ({
        user_id: `churn-${Math.floor(random() * CLIENTS)}`,
        message: `number ${from + index}`,
        channels: ['realtime'],
      }));
      const answer = await fleet().call('POST', '/notifications/batch', { notifications });
      assert.equal(answer.status, 207, answer.text);
      for (const [, id] of answer.text.matchAll(/"notification_id":"([^"]+)"/g)) ids.set(String(id), 'sent');
      // Somebody leaves in the middle of what was sent.
      for (const client of clients) if (random() < 0.3) client.leave();
    }
    assert.equal(ids.size, MESSAGES);
    await fleet().untilSettled({ timeoutMs: LIMIT_MS });
    for (const client of clients) {
      const kept = await inboxOf(fleet(), client.person);
      await waitFor(() => client.got.length >= kept.length, { timeoutMs: LIMIT_MS, what: client.person });
    }
    for (const client of clients) client.stop();
    await Promise.all(restless);

    let received = 0;
    for (const { person, got, owners } of clients) {
      received += got.length;
      assert.equal(new Set(got).size, got.length, `${person} got something twice`);
      assert.deepEqual([...owners], got.length === 0 ? [] : [person]);
      assert.deepEqual(got.slice(-100), await inboxOf(fleet(), person), person);
    }
    assert.equal(received, MESSAGES);
    const times = clients.reduce((sum, { connections }) => sum + connections(), 0);
    t.diagnostic(`${times} connections were opened`);
    assert.ok(times > CLIENTS);
  });

  /** A client that comes back to either process, by either way, and names the last note it has. */
  function createClient(index: number) {
    const random = randomFrom(SEED + index + 1);
    const person = `churn-${index}`;
    const got: string[] = [];
    const owners = new Set<unknown>();
    let current: StreamClient | undefined;
    let stopped = false;
    let opened = 0;
    return {
      person,
      got,
      owners,
      connections: () => opened,
      leave: () => current?.drop(),
      stop() {
        stopped = true;
        current?.close();
      },
      async live(): Promise<void> {
        while (!stopped) {
          const open = random() < 0.5 ? OPEN.WebSocket : OPEN.SSE;
          const client = await open(fleet(), {
            sub: person,
            api: Math.floor(random() * 2),
            since: got.at(-1),
            heard({ type, id, user_id }) {
              assert.equal(type, 'notification');
              got.push(String(id));
              owners.add(user_id);
            },
          });
          opened += 1;
          current = client;
          if (stopped) client.close();
          const { code } = await client.ended;
          // 503: more came at once than were let in, and are told to come back.
          assert.ok([0, 1000, 1005, 1006, 503].includes(code), `it ended with ${code}`);
        }
      },
    };
  }
});

/** The same numbers from 0 to 1 in every run (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
