import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { forEachEngine } from '../support/engines.js';
import { useFleet } from '../support/fleet.js';
import { items } from '../support/http.js';
import { waitFor } from '../support/wait.js';
import { inboxOf, OPEN, openEvents, openSocket, untilHeard, untilNotes } from './stream-clients.js';

forEachEngine((engine) => {
  // They look by themselves only once a minute: what comes sooner was told by the bus.
  const fleet = useFleet({ engine, api: 2, env: { REALTIME_LOOK_MS: '60000' } });

  const tell = (person: string, message: string, more: object = {}) =>
    fleet().send({ user_id: person, message, channels: ['realtime'], ...more });

  /** Sends so many, one after the other, and waits until they are in the inbox. */
  async function tellMany(person: string, count: number): Promise<string[]> {
    const before = (await inboxOf(fleet(), person)).length;
    const ids: string[] = [];
    for (let n = 0; n < count; n += 1) {
      ids.push(await tell(person, `number ${n}`));
      await waitFor(async () => (await inboxOf(fleet(), person)).length === before + n + 1);
    }
    return ids;
  }

  test('every session of a person gets a note, on whichever process, and nobody else does', async () => {
    await fleet().person('p');
    await fleet().person('q');
    const mine = await Promise.all([
      openSocket(fleet(), { sub: 'p', api: 0 }),
      openSocket(fleet(), { sub: 'p', api: 1 }),
      openEvents(fleet(), { sub: 'p', api: 1 }),
    ]);
    const others = await Promise.all([
      openSocket(fleet(), { sub: 'q', api: 0 }),
      openEvents(fleet(), { sub: 'q', api: 1 }),
    ]);
    const id = await tell('p', 'Your keys are ready.', {
      title: 'Keys',
      type: 'success',
      priority: 'high',
      data: { flat: 7 },
    });
    const sessions = new Set<unknown>();
    for (const client of mine) {
      assert.deepEqual(await untilNotes(client, 1), [id]);
      const { timestamp, session_id, data, ...rest } = client.heard[0] ?? assert.fail();
      assert.deepEqual(rest, { id, type: 'notification', user_id: 'p' });
      assert.ok(!Number.isNaN(Date.parse(String(timestamp))));
      sessions.add(session_id);
      const { created_at, ...said } = data as Record<string, unknown>;
      assert.ok(!Number.isNaN(Date.parse(String(created_at))));
      assert.deepEqual(said, {
        id,
        notification_id: id,
        title: 'Keys',
        message: 'Your keys are ready.',
        type: 'success',
        priority: 'high',
        data: { flat: 7 },
        read: false,
      });
    }
    assert.equal(sessions.size, 3);
    // What others get comes after it, so by then it would have come to them too.
    const theirs = await tell('q', 'Yours');
    for (const client of others) assert.deepEqual(await untilNotes(client, 1), [theirs]);
    for (const client of [...mine, ...others]) client.close();
  });

  test('a client that comes back as another session reads what it had before, and every session hears of it once', async () => {
    await fleet().person('back');
    const before = await openSocket(fleet(), { sub: 'back', api: 0 });
    const [first, second, third] = await tellMany('back', 3);
    await untilNotes(before, 3);
    const other = await openEvents(fleet(), { sub: 'back', api: 0 });
    await untilNotes(other, 3);
    const session_id = before.heard[0]?.session_id;
    before.drop();
    const again = await openSocket(fleet(), { sub: 'back', api: 1, since: third });
    const untilLeft = async (count: number) => {
      for (const { heard } of [again, other])
        await waitFor(() => heard.some((one) => one.type === 'unread_count' && one.count === count));
    };
    const self = { as: 'user', sub: 'back' } as const;
    again.say({ type: 'read', id: first });
    await untilLeft(2);
    // Once more is as once.
    again.say({ type: 'read', id: first });
    again.say({ type: 'ping' });
    await untilHeard(again, 'pong');
    await fleet().call('POST', `/users/back/inbox/${second}/read`, undefined, { ...self, api: 0 });
    await untilLeft(1);
    for (const { heard } of [again, other])
      assert.deepEqual(
        heard.filter(({ type }) => ['read', 'unread_count', 'error', 'resync'].includes(type)),
        [
          { type: 'read', id: first },
          { type: 'unread_count', count: 2 },
          { type: 'read', id: second },
          { type: 'unread_count', count: 1 },
        ],
      );

    // By the name of what it was before, nothing is ended any more.
    const sessions = async () => items((await fleet().call('GET', '/presence/back')).body.sessions);
    await waitFor(async () => (await sessions()).length === 2);
    const ended = await fleet().call('POST', '/websocket/disconnect/back', { session_id }, self);
    assert.equal(ended.body.sessions, 0);
    const fourth = await tell('back', 'still here');
    await untilNotes(again, 1);
    assert.deepEqual(again.ids(), [fourth]);
    assert.notEqual(
      again.heard.find(({ id, type }) => id === fourth && type === 'notification')?.session_id,
      session_id,
    );
    const { body } = await fleet().call('GET', '/users/back/inbox/unread-count', undefined, {
      ...self,
      api: 1,
    });
    assert.equal(body.count, 2);
    for (const client of [again, other]) client.close();
  });

  for (const [name, open] of Object.entries(OPEN)) {
    describe(name, () => {
      test('begins with the unread among the last ten, the oldest first', async () => {
        const person = `first-${name}`;
        await fleet().person(person);
        const ids = await tellMany(person, 12);
        const reader = await openSocket(fleet(), { sub: person });
        await untilNotes(reader, 10);
        for (const id of [ids[0], ids[5]]) reader.say({ type: 'read', id });
        await waitFor(() => reader.heard.filter(({ type }) => type === 'read').length === 2);
        const client = await open(fleet(), { sub: person, api: 1 });
        const last = await tell(person, 'one more');
        const wanted = [...ids.slice(2).filter((id) => id !== ids[5]), last];
        assert.deepEqual(await untilNotes(client, wanted.length), wanted);
        for (const one of [reader, client]) one.close();
      });

      test('goes on where the client says that it stopped, in order and once, on another process', async () => {
        const person = `again-${name}`;
        await fleet().person(person);
        const first = await open(fleet(), { sub: person });
        const early = await tellMany(person, 3);
        await untilNotes(first, 3);
        first.drop();
        const late = await tellMany(person, 11);
        const again = await open(fleet(), { sub: person, api: 1, since: early[1] });
        const last = await tell(person, 'one more');
        assert.deepEqual(await untilNotes(again, 13), [early[2], ...late, last]);
        assert.ok(again.heard.every(({ type }) => type === 'notification'));
        again.close();
      });

      test('begins anew with everything that is kept when what the client names is not known', async () => {
        const person = `resync-${name}`;
        await fleet().person(person);
        const ids = await tellMany(person, 12);
        for (const since of ['01890000-0000-7000-8000-000000000000', 'not-an-id']) {
          const client = await open(fleet(), { sub: person, since });
          assert.deepEqual(await untilNotes(client, 12), ids);
          assert.deepEqual(client.heard[0], { type: 'resync' });
          client.close();
        }
      });

      test('tells all sessions of a person what one of them has read, and how many are left', async () => {
        const person = `read-${name}`;
        await fleet().person(person);
        const [one, two] = await tellMany(person, 2);
        const other = await open(fleet(), { sub: person, api: 1 });
        const reader = await openSocket(fleet(), { sub: person, api: 0 });
        const stranger = await openSocket(fleet(), { sub: 'q', api: 0 });
        await untilNotes(other, 2);
        reader.say({ type: 'read', id: one });
        for (const client of [other, reader]) {
          assert.deepEqual(await untilHeard(client, 'read'), { type: 'read', id: one });
          assert.deepEqual(await untilHeard(client, 'unread_count'), { type: 'unread_count', count: 1 });
        }
        // Nobody marks what is another's.
        stranger.say({ type: 'read', id: two });
        assert.equal((await untilHeard(stranger, 'error')).code, 'not_found');
        const { rows } = await fleet().database.query(
          'SELECT notification_id FROM inbox_item WHERE person_id = $1 AND read_at IS NULL',
          [person],
        );
        assert.deepEqual(rows, [{ notification_id: two }]);
        for (const client of [other, reader, stranger]) client.close();
      });
    });
  }
});
