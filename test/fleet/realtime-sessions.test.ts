import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import type { Database } from '@belfry/shared/ledger/database.js';
import { putInInboxes } from '@belfry/shared/ledger/inbox.js';
import { SignJWT } from 'jose';
import { assertProblem } from '../api/problem.js';
import { speak } from '../api/raw-http.js';
import { useFleet } from '../support/fleet.js';
import { items } from '../support/http.js';
import { waitFor } from '../support/wait.js';
import {
  isOpen,
  ledgerOf,
  noteFor,
  openEvents,
  openSocket,
  putNotes,
  untilHeard,
  untilNotes,
  waitingForLocks,
} from './stream-clients.js';

// No worker says that there is something to look at: every API finds it by itself.
describe('sessions', () => {
  const fleet = useFleet({
    engine: 'postgres',
    api: 2,
    workers: [],
    env: { SESSION_TTL_MS: '3000', REALTIME_LOOK_MS: '150', REALTIME_STREAMS_PER_PERSON: '4' },
  });
  let ledger: Database;
  before(() => {
    ledger = ledgerOf(fleet());
  });
  after(() => ledger.close());

  const presence = async (person: string) => (await fleet().call('GET', `/presence/${person}`)).body;
  const sessionsOf = async (person: string) => items((await presence(person)).sessions);

  async function handshakeOf(person: string, url: string): Promise<string> {
    const token = await fleet().token('user', person);
    return `GET /ws HTTP/1.1\r\nHost: ${new URL(url).host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer ${token}\r\n\r\n`;
  }

  test('get what nobody has told of, and nothing twice', async () => {
    await fleet().person('untold');
    const client = await openSocket(fleet(), { sub: 'untold' });
    const first = await putNotes(ledger, 'untold', 1);
    await untilNotes(client, 1);
    const second = await putNotes(ledger, 'untold', 60);
    assert.deepEqual(await untilNotes(client, 61), [...first, ...second]);
    client.close();
  });

  test('hear of what was read though nobody has told of it', async () => {
    await fleet().person('reads');
    const client = await openSocket(fleet(), { sub: 'reads' });
    const [id] = await putNotes(ledger, 'reads', 3);
    await untilNotes(client, 3);
    await fleet().database.query('UPDATE inbox_item SET read_at = now() WHERE notification_id = $1', [id]);
    assert.deepEqual(await untilHeard(client, 'unread_count'), { type: 'unread_count', count: 2 });
    assert.deepEqual(
      client.heard.filter(({ type }) => type === 'read'),
      [{ type: 'read', id }],
    );
    client.close();
  });

  test('miss nothing that was begun early and committed late', async () => {
    await Promise.all([fleet().person('late'), fleet().person('meanwhile')]);
    const client = await openSocket(fleet(), { sub: 'late' });
    const control = await openSocket(fleet(), { sub: 'meanwhile' });
    const [early, late] = [noteFor('late', 'begun first'), noteFor('late', 'begun second')];
    let second: Promise<void> = Promise.resolve();
    await ledger.transaction(async (transaction) => {
      await putInInboxes(transaction, [early]);
      second = putInInboxes(ledger, [late]);
      await waitFor(async () => (await waitingForLocks(fleet())) > 0, { what: 'the second to wait' });
      // Several looks later there is still nothing: neither is there before the other. Everybody is looked for together.
      for (const count of [1, 2]) {
        await putNotes(ledger, 'meanwhile', 1);
        await untilNotes(control, count);
      }
      assert.deepEqual(client.ids(), []);
    });
    await second;
    assert.deepEqual(await untilNotes(client, 2), [early.notificationId, late.notificationId]);
    for (const one of [client, control]) one.close();
  });

  test('of somebody who is not known yet get what comes once they are', async () => {
    const client = await openSocket(fleet(), { sub: 'newcomer' });
    await fleet().person('newcomer');
    const ids = await putNotes(ledger, 'newcomer', 1);
    assert.deepEqual(await untilNotes(client, 1), ids);
    await waitFor(async () => (await sessionsOf('newcomer')).length === 1);
    client.close();
  });

  test('end with their token', async () => {
    await fleet().person('expires');
    const token = await new SignJWT({ role: 'User' })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject('expires')
      .setExpirationTime(Math.floor(Date.now() / 1_000) + 2)
      .sign(new TextEncoder().encode(String(fleet().env.JWT_SECRET)));
    const socket = await openSocket(fleet(), { sub: 'expires', token });
    const events = await openEvents(fleet(), { sub: 'expires', token });
    assert.deepEqual(await socket.ended, { code: 4401, reason: 'the token has expired' });
    await events.ended;
    assert.deepEqual(events.heard, [{ type: 'expired' }]);
  });

  test('of one person are as many as may be, over all processes, and one that ends makes room', async () => {
    await fleet().person('many');
    const clients = await Promise.all(
      [0, 1, 0, 1, 0, 1, 0, 1].map((api, index) =>
        (index < 4 ? openSocket : openEvents)(fleet(), { sub: 'many', api }),
      ),
    );
    const states = await Promise.all(clients.map(({ ended }) => Promise.race([ended, undefined])));
    const refused = states.filter((state) => state !== undefined);
    assert.deepEqual(
      refused.map(({ code }) => code),
      [429, 429, 429, 429],
    );
    clients.find((_, index) => states[index] === undefined)?.close();
    await waitFor(async () => (await sessionsOf('many')).length === 3);
    const next = await openSocket(fleet(), { sub: 'many' });
    assert.equal(await Promise.race([next.ended, undefined]), undefined);
    for (const client of [...clients, next]) client.close();
  });

  test('of somebody who is not known are as many as may be, too, though all are asked for at once', async () => {
    const clients = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        (index % 2 === 0 ? openSocket : openEvents)(fleet(), { sub: 'nobody' }),
      ),
    );
    const states = await Promise.all(clients.map(({ ended }) => Promise.race([ended, undefined])));
    assert.equal(states.filter((state) => state === undefined).length, 4);
    clients.find((_, index) => states[index] === undefined)?.close();
    const next = await waitFor(async () => {
      const one = await openSocket(fleet(), { sub: 'nobody' });
      return (await Promise.race([one.ended, undefined])) === undefined ? one : null;
    });
    for (const client of [...clients, next]) client.close();
  });

  test('that stand behind each other on one connection end with it', async () => {
    await fleet().person('pipelines');
    const { port, host } = new URL(fleet().api.url);
    const token = await fleet().token('user', 'pipelines');
    const socket = connect(Number(port), '127.0.0.1');
    socket.on('error', () => undefined);
    const request = `GET /api/v1/stream HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\n\r\n`;
    socket.write(request.repeat(3));
    await waitFor(async () => (await sessionsOf('pipelines')).length === 3);
    socket.destroy();
    await waitFor(async () => (await sessionsOf('pipelines')).length === 0);
  });

  test('of one process are as many as may be, and one that ends makes room', async () => {
    await fleet().person('crowd');
    const { url } = await fleet().addApi({ REALTIME_STREAMS: '2' });
    const here = { sub: 'crowd', api: fleet().apis.length - 1 };
    const socket = await openSocket(fleet(), here);
    const events = await openEvents(fleet(), here);
    for (const client of [socket, events]) {
      const answer = await fleet().call('GET', '/stream', undefined, { as: 'user', ...here });
      assertProblem(answer, 503, { code: 'too_many_streams' });
      assert.match(answer.headers.get('retry-after') ?? '', /^[1-5]$/);
      const handshake = await speak(url, [await handshakeOf('crowd', url)]);
      assert.equal(handshake.status, 503);
      assert.match(handshake.text, /^retry-after: [1-5]\r$/im);
      assert.match(handshake.text, /"code":"too_many_streams"/);
      // At another process there is room.
      const elsewhere = await openSocket(fleet(), { sub: 'crowd' });
      assert.ok(await isOpen(elsewhere));
      elsewhere.close();
      client.close();
      const next = await waitFor(async () => {
        const one = await openEvents(fleet(), here);
        return (await isOpen(one)) ? one : undefined;
      });
      if (client === events) next.close();
    }
    await fleet().apis.at(-1)?.stop();
  });

  test('that their process was late to renew are not taken for ended', async () => {
    await fleet().person('renewed');
    const client = await openEvents(fleet(), { sub: 'renewed', api: 1 });
    const later = await openSocket(fleet(), { sub: 'renewed' });
    later.close();
    await waitFor(async () => (await sessionsOf('renewed')).length === 1);
    const { database } = fleet();
    fleet().apis[1]?.kill('SIGSTOP');
    try {
      await database.query(
        `UPDATE realtime_session SET seen_at = now() - interval '10 minutes' WHERE person_id = 'renewed' AND transport = 'sse'`,
      );
      // Whoever comes back takes away what is gone of theirs.
      const next = await openSocket(fleet(), { sub: 'renewed' });
      next.close();
      await waitFor(async () => (await sessionsOf('renewed')).length === 0);
    } finally {
      fleet().apis[1]?.kill('SIGCONT');
    }
    await waitFor(async () => (await sessionsOf('renewed')).length === 1);
    const ids = await putNotes(ledger, 'renewed', 1);
    assert.deepEqual(await untilNotes(client, 1), ids);
    assert.ok(await isOpen(client));
    client.close();
  });

  test('that do not answer are dropped though their connection does not end; those that do are not', async () => {
    await fleet().person('quiet');
    const well = await openSocket(fleet(), { sub: 'quiet' });
    const { port } = new URL(fleet().api.url);
    const mute = connect(Number(port), '127.0.0.1');
    mute.on('error', () => undefined);
    const closed = new Promise<string>((resolve) => {
      let text = '';
      mute.on('data', (data) => {
        text += data.toString('latin1');
      });
      mute.once('close', () => resolve(text));
    });
    mute.write(await handshakeOf('quiet', fleet().api.url));
    await waitFor(async () => (await sessionsOf('quiet')).length === 2);
    assert.match(await closed, /^HTTP\/1\.1 101 [\s\S]*not heard of for too long/);
    assert.equal((await sessionsOf('quiet')).length, 1);
    well.say({ type: 'ping' });
    await untilHeard(well, 'pong');
    well.close();
  });

  test('are ended by name, or all at once, whichever process holds them', async () => {
    await fleet().person('ended');
    const [one, two, three] = await Promise.all([
      openSocket(fleet(), { sub: 'ended', api: 0 }),
      openSocket(fleet(), { sub: 'ended', api: 1 }),
      openEvents(fleet(), { sub: 'ended', api: 1 }),
    ]);
    await putNotes(ledger, 'ended', 1);
    await untilNotes(one, 1);
    const named = { session_id: one.heard[0]?.session_id };
    const end = (body: object) =>
      fleet().call('POST', '/websocket/disconnect/ended', body, { as: 'user', sub: 'ended', api: 1 });
    assert.deepEqual((await end(named)).body, { status: 'disconnected', sessions: 1 });
    assert.equal((await one.ended).code, 4410);
    assert.equal((await sessionsOf('ended')).length, 2);
    assert.deepEqual((await end({})).body, { status: 'disconnected', sessions: 2 });
    assert.equal((await two.ended).code, 4410);
    await three.ended;
    assert.deepEqual(three.heard.at(-1), { type: 'disconnected' });
    assert.deepEqual((await end({})).body, { status: 'disconnected', sessions: 0 });
  });

  test('end when their person is erased; who comes back under the id begins anew', async () => {
    await fleet().person('erased');
    const client = await openSocket(fleet(), { sub: 'erased' });
    const ids = await putNotes(ledger, 'erased', 3);
    await untilNotes(client, 3);
    assert.equal((await fleet().call('DELETE', '/users/erased')).status, 204);
    assert.equal((await client.ended).code, 4410);
    await fleet().person('erased');
    const fresh = await putNotes(ledger, 'erased', 1);
    const again = await openSocket(fleet(), { sub: 'erased', since: ids[2] });
    assert.deepEqual(await untilNotes(again, 1), fresh);
    again.close();
  });
});
