import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { useFleet } from '../support/fleet.js';
import { type Answer, items, type Json } from '../support/http.js';
import { waitFor } from '../support/wait.js';
import { auditOf } from './audit-rows.js';
import { NO_ID } from './calls.js';
import { assertProblem } from './problem.js';

const ALL = '/notifications/realtime/broadcast';
const STATUS = '/notifications/system/status';
const MAINTENANCE = '/notifications/system/maintenance';
const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();
const HOUR = 3_600_000;

describe('broadcasts', () => {
  const fleet = useFleet({ engine: 'postgres', api: 2 });
  const post = (path: string, body: unknown = {}, headers: Record<string, string> = {}, api = 0) =>
    fleet().call('POST', path, body, { headers, api, as: 'internal', sub: 'service' });
  const get = (id: Json | string | undefined) =>
    fleet().call('GET', `/broadcasts/${id}`, undefined, { as: 'internal' });
  const move = (id: Json | undefined, verb: string) => post(`/broadcasts/${id}/${verb}`);
  async function accepted(path: string, body: unknown): Promise<Json> {
    const answer = await post(path, body);
    assert.equal(answer.status, 202, answer.text);
    return answer.body;
  }
  const ended = (id: Json | undefined, status = 'completed') =>
    waitFor(
      async () => {
        const { body } = await get(id);
        return String(body.status) === status ? body : undefined;
      },
      { what: `broadcast ${id} to be ${status}` },
    );

  before(async () => {
    for (const id of ['ada', 'ben', 'cat'])
      await fleet().person(id, { email: `${id}@example.org`, groups: ['tenants'] });
    await fleet().person('dan', { email: 'dan@example.org', groups: ['owners'] });
    await fleet().person('eva', { active: false, groups: ['tenants', 'sleepers'] });
    await fleet().person('fay', { groups: ['owners', 'tenants'], preferences: { realtime: false } });
  });

  test('a message to all is in the inbox of every active person, once, and nobody is mailed', async () => {
    const answer = await accepted(ALL, { message: 'Hello, all' });
    assert.deepEqual(Object.keys(answer).toSorted(), ['broadcast_id', 'status', 'total']);
    assert.deepEqual([answer.status, answer.total], ['broadcast_queued', 5]);
    const { created_at, started_at, ended_at, ...rest } = await ended(answer.broadcast_id);
    for (const at of [created_at, started_at, ended_at]) assert.match(String(at), /^\d{4}-\d\d-\d\dT/);
    assert.deepEqual(rest, {
      id: answer.broadcast_id,
      status: 'completed',
      type: 'system',
      title: 'System Notification',
      message: 'Hello, all',
      data: {},
      priority: 'normal',
      channels: ['realtime'],
      target_groups: [],
      caller: 'service',
      total: 5,
      reached: 5,
      sent_count: 4,
      failed_count: 1,
      pending_count: 0,
      cancelled_count: 0,
      no_channel_count: 1,
      send_at: null,
      expires_at: null,
    });
    const { rows } = await fleet().database.query(
      "SELECT person_id, title, body, type FROM inbox_item WHERE body = 'Hello, all' ORDER BY person_id",
    );
    assert.deepEqual(
      rows.map((row) => Object.values(row).join(' ')),
      ['ada', 'ben', 'cat', 'dan'].map((id) => `${id} System Notification Hello, all system`),
    );
    assert.deepEqual(await fleet().sandbox.messages(), []);

    const parts = await fleet().call('GET', `/notifications?broadcast_id=${answer.broadcast_id}`);
    assert.equal(items(parts.body).length, 5);
    const failed = items(parts.body).find(({ status }) => String(status) === 'FAILED');
    const details = await fleet().call('GET', `/notifications/${failed?.id}`);
    assert.deepEqual(
      [details.body.user_id, details.body.reason, details.body.broadcast_id],
      ['fay', 'no_channel', answer.broadcast_id],
    );
  });

  test('groups are a union in which nobody is told twice, on the channels that are named', async () => {
    await fleet().sandbox.clear();
    const answer = await accepted(ALL, {
      message: 'For two groups',
      title: 'Notice',
      type: 'notice',
      target_groups: ['tenants', 'owners', 'tenants', 'nobody'],
      channels: ['email'],
      priority: 'high',
      data: { page: 7 },
    });
    assert.equal(answer.total, 5);
    const { sent_count, failed_count, channels, target_groups } = await ended(answer.broadcast_id);
    assert.deepEqual([sent_count, failed_count], [4, 1]);
    assert.deepEqual([channels, target_groups], [['email'], ['tenants', 'owners', 'nobody']]);
    const mails = await fleet().sandbox.messages({ subject: /Notice/ });
    assert.deepEqual(
      mails.map(({ to }) => to).toSorted(),
      ['ada', 'ben', 'cat', 'dan'].map((id) => `${id}@example.org`),
    );
  });

  test('a message to a group is a broadcast to it; a group that nobody is in is not there', async () => {
    const answer = await accepted('/notifications/realtime/group/owners', { message: 'Owners' });
    assert.deepEqual([answer.status, answer.total], ['broadcast_queued', 2]);
    assert.deepEqual((await ended(answer.broadcast_id)).target_groups, ['owners']);
    const asleep = await accepted('/notifications/realtime/group/sleepers', { message: 'Sleepers' });
    assert.equal(asleep.total, 0);
    assert.deepEqual((await ended(asleep.broadcast_id)).sent_count, 0);
    assertProblem(await post('/notifications/realtime/group/nobodys', { message: 'x' }), 404, {
      code: 'unknown_group',
    });
    assertProblem(await post('/notifications/realtime/group/a%20b', { message: 'x' }), 422, {
      path: 'group_id',
    });
  });

  test('a status is of type system; maintenance goes by email too, and reminds before it begins', async () => {
    await fleet().sandbox.clear();
    const status = await accepted(STATUS, {
      message: 'All is well',
      target_groups: ['owners'],
      type: 'mine',
    });
    const shown = await ended(status.broadcast_id);
    assert.deepEqual([shown.type, shown.title, shown.channels], ['system', 'System Status', ['realtime']]);

    const [starts, ends] = [inMs(2 * HOUR), inMs(3 * HOUR)];
    const answer = await accepted(MAINTENANCE, {
      message: 'Away for an hour',
      target_groups: ['owners'],
      starts_at: starts,
      ends_at: ends,
      remind_before_ms: HOUR,
    });
    const now = await ended(answer.broadcast_id);
    assert.deepEqual(
      [now.type, now.title, now.channels],
      ['system', 'System Maintenance', ['realtime', 'email']],
    );
    assert.deepEqual([now.data, now.expires_at], [{ starts_at: starts, ends_at: ends }, ends]);
    await fleet().sandbox.expectEmail('dan@example.org', /System Maintenance/);
    const reminder = (await get(answer.reminder_id)).body;
    assert.deepEqual(
      [reminder.status, reminder.title, reminder.total, reminder.expires_at],
      ['scheduled', 'Reminder: System Maintenance', 2, starts],
    );
    assert.equal(Date.parse(String(reminder.send_at)), Date.parse(starts) - HOUR);
    assert.equal((await move(answer.reminder_id, 'cancel')).body.status, 'cancelled');
    assert.equal(
      (await accepted(MAINTENANCE, { message: 'x', target_groups: ['nobody'] })).reminder_id,
      null,
    );
  });

  test('one that is scheduled goes out when its time has come', async () => {
    const answer = await accepted(ALL, { message: 'Soon', send_at: inMs(1_500), target_groups: ['owners'] });
    const first = (await get(answer.broadcast_id)).body;
    assert.deepEqual([first.status, first.reached, first.started_at], ['scheduled', 0, null]);
    const { send_at, started_at } = await ended(answer.broadcast_id);
    assert.ok(Date.parse(String(started_at)) >= Date.parse(String(send_at)), 'not early');
  });

  test('a move is made where it makes sense, and refused where it does not', async () => {
    const { broadcast_id: id } = await accepted(ALL, { message: 'Later', send_at: inMs(HOUR) });
    const steps: readonly (readonly [verb: string, status: string | null])[] = [
      ['resume', null],
      ['pause', 'paused'],
      ['pause', null],
      ['resume', 'scheduled'],
      ['pause', 'paused'],
      ['cancel', 'cancelled'],
      ['cancel', null],
      ['pause', null],
      ['resume', null],
    ];
    for (const [verb, status] of steps) {
      const answer = await move(id, verb);
      if (status === null) assertProblem(answer, 409, { code: 'impossible_move' });
      else
        assert.deepEqual(
          [answer.status, answer.body.status, answer.body.total],
          [200, status, 5],
          answer.text,
        );
    }
    const { broadcast_id: done } = await accepted(ALL, { message: 'Done', target_groups: ['owners'] });
    await ended(done);
    for (const verb of ['pause', 'resume', 'cancel'])
      assertProblem(await move(done, verb), 409, { code: 'impossible_move' });
    const [event] = await auditOf(fleet(), 'broadcast.cancel');
    assert.deepEqual([event?.actor, event?.target], ['service', `broadcast:${id}`]);
    assert.ok((await auditOf(fleet(), 'broadcast.create')).length > 0);
    assert.equal((await auditOf(fleet(), 'broadcast.pause')).length, 2);
  });

  test('the same key makes one broadcast, and gets the same answer from any process', async () => {
    const bodies: Readonly<Record<string, unknown>> = {
      [ALL]: { message: 'Once', target_groups: ['owners'] },
      '/notifications/realtime/group/owners': { message: 'Once' },
      [STATUS]: { message: 'Once', target_groups: ['owners'] },
      [MAINTENANCE]: {
        message: 'Once',
        target_groups: ['owners'],
        starts_at: inMs(3 * HOUR),
        remind_before_ms: HOUR,
      },
    };
    for (const [path, body] of Object.entries(bodies)) {
      const key = { 'idempotency-key': path };
      const first = await post(path, body, key);
      const before = await count();
      const again = await post(path, body, key, 1);
      assert.deepEqual([again.status, again.text, await count()], [202, first.text, before]);
      assert.equal(again.headers.get('idempotency-replayed'), 'true');
      assertProblem(await post(path, { message: 'Twice' }, key), 422, { code: 'idempotency_key_reused' });
    }
    const before = await count();
    const race = await Promise.all(
      Array.from({ length: 10 }, (_, n) =>
        post(ALL, { message: 'Race', target_groups: ['owners'] }, { 'idempotency-key': 'race' }, n % 2),
      ),
    );
    assert.equal(await count(), before + 1);
    for (const { status } of race) assert.ok(status === 202 || status === 409);
  });

  test('the list has the newest first, page by page', async () => {
    const all = items((await fleet().call('GET', '/broadcasts?limit=200')).body).map(({ id }) => String(id));
    assert.deepEqual(all, all.toSorted().toReversed());
    assert.equal(all.length, await count());
    const pages: string[] = [];
    for (let path: string | undefined = '/broadcasts?limit=5'; path !== undefined; ) {
      const page: Answer = await fleet().call('GET', path);
      pages.push(...items(page.body).map(({ id }) => String(id)));
      path = /^<\/api\/v1([^>]+)>; rel="next"$/.exec(page.headers.get('link') ?? '')?.[1];
    }
    assert.deepEqual(pages, all);
  });

  test('whoever watches sees how far it is, and when it has ended', async () => {
    const { broadcast_id: id } = await accepted(ALL, { message: 'Watched', send_at: inMs(1_000) });
    const { status, text } = await fleet().call('GET', `/broadcasts/${id}/progress`);
    assert.equal(status, 200);
    const events = text
      .trimEnd()
      .split('\n\n')
      .map((one) => {
        const [, event, data = ''] = /^event: (\w+)\ndata: (.+)$/.exec(one) ?? assert.fail(one);
        return { event, data: JSON.parse(data) };
      });
    const [first, ...others] = events;
    assert.deepEqual([first?.event, first?.data.status, first?.data.reached], ['progress', 'scheduled', 0]);
    const last = others.at(-2);
    assert.deepEqual([last?.event, last?.data], ['progress', (await get(id)).body]);
    assert.deepEqual([others.at(-1)], [{ event: 'end', data: { status: 'completed' } }]);
    assertProblem(await fleet().call('GET', `/broadcasts/${NO_ID}/progress`), 404);
  });

  async function count(): Promise<number> {
    const { rows } = await fleet().database.query<{ count: number }>(
      'SELECT count(*)::int AS count FROM broadcast',
    );
    return rows[0]?.count ?? 0;
  }
});
