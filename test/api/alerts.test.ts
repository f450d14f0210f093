import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { useFleet } from '../support/fleet.js';
import { type Answer, items, type Json } from '../support/http.js';
import { waitFor } from '../support/wait.js';
import { assertProblem } from './problem.js';

const phone = (n: number) => `+25191100000${n}`;

describe('alerts', () => {
  const fleet = useFleet({ engine: 'postgres', api: 2 });
  const raise = (
    path: string,
    body: unknown = { message: 'The disk is full' },
    headers: Record<string, string> = {},
    api = 0,
  ) =>
    fleet().call('POST', `/notifications/alerts/${path}`, body, {
      as: 'internal',
      sub: 'monitor',
      headers,
      api,
    });
  async function raised(path: string, body?: unknown): Promise<Json> {
    const answer = await raise(path, body);
    assert.equal(answer.status, 202, answer.text);
    return answer.body;
  }
  const read = (id: Json | string | undefined, as: 'admin' | 'internal' | 'user' = 'admin', sub = 'boss') =>
    fleet().call('GET', `/alerts/${id}`, undefined, { as, sub });
  const act = (
    id: Json | string | undefined,
    verb: string,
    sub: string,
    as: 'admin' | 'user' = 'user',
    api = 0,
  ) => fleet().call('POST', `/alerts/${id}/${verb}`, undefined, { as, sub, api });
  const channelsTold = async (id: Json | undefined) => {
    const { rows } = await fleet().database.query(
      `SELECT n.person_id AS who, string_agg(d.channel, ',' ORDER BY d.channel) AS on
       FROM notification n JOIN delivery d ON d.notification_id = n.id
       WHERE n.alert_id = $1 AND d.state <> 'skipped' GROUP BY 1 ORDER BY 1`,
      [id],
    );
    return Object.fromEntries(rows.map(({ who, on }) => [who, on]));
  };

  before(async () => {
    await fleet().person('boss', { email: 'boss@example.org', phone: phone(1), roles: ['admin'] });
    await fleet().person('chief', { email: 'chief@example.org', phone: phone(2), roles: ['Admin'] });
    await fleet().person('gone', { email: 'gone@example.org', roles: ['admin'], active: false });
    await fleet().person('ada', {
      email: 'ada@example.org',
      phone: phone(3),
      preferences: { email: false, sms: false, realtime: false },
    });
    await fleet().person('ben', { email: 'ben@example.org', phone: phone(4) });
    await fleet().database.query(
      `INSERT INTO on_call (alert_type, user_ids) VALUES ('disk_full', '{ada,boss,nobody-here}')`,
    );
  });

  test('a critical alert reaches the admins and whoever is on call, each once, on all of its channels whatever they switched off', async () => {
    const answer = await raised('critical/disk_full', {
      message: 'The disk of db-1 is full',
      source: 'database_monitor',
      affected_systems: ['users', 'orders'],
    });
    assert.deepEqual(
      { ...answer, alert_id: typeof answer.alert_id },
      { status: 'critical_alert_queued', alert_id: 'string', notified_users: 3, opened: true, count: 1 },
    );
    const all = 'email,realtime,sms';
    assert.deepEqual(await channelsTold(answer.alert_id), { ada: all, boss: all, chief: all });
    await fleet().untilSettled();

    const mails = await fleet().sandbox.messages({ channel: 'email', to: 'ada@example.org' });
    assert.deepEqual(
      mails.map(({ subject }) => subject),
      ['CRITICAL ALERT: disk_full'],
    );
    const [text] = await fleet().sandbox.messages({ channel: 'sms', to: phone(3) });
    assert.match(text?.text ?? '', /^CRITICAL: disk_full - The disk of db-1 is full/);
    const { rows } = await fleet().database.query(
      `SELECT title, body, type, data FROM inbox_item WHERE person_id = 'ada'`,
    );
    const [note] = rows;
    assert.deepEqual(
      [note.title, note.body, note.type, note.data.requires_acknowledgment, note.data.alert.id],
      ['CRITICAL ALERT: disk_full', 'The disk of db-1 is full', 'critical_alert', true, answer.alert_id],
    );
    assert.deepEqual(note.data.alert.affected_systems, ['users', 'orders']);
  });

  test('a warning goes to realtime and email, an information to realtime, and both keep to what people have switched off', async () => {
    const warning = await raised('warning/disk_full');
    assert.deepEqual(await channelsTold(warning.alert_id), {
      boss: 'email,realtime',
      chief: 'email,realtime',
    });
    const info = await raised('info/disk_full');
    assert.deepEqual(await channelsTold(info.alert_id), { boss: 'realtime', chief: 'realtime' });
    assert.deepEqual([warning.status, info.status], ['warning_alert_queued', 'info_alert_queued']);
    assert.equal(String((await read(warning.alert_id)).body.escalation), 'null');
  });

  test('the timeline says who raised it, who was told how and when, and who did what', async () => {
    const { alert_id } = await raised('critical/disk_full');
    await fleet().untilSettled();
    await act(alert_id, 'acknowledge', 'ada');
    await act(alert_id, 'resolve', 'boss', 'admin');
    const { body } = await read(alert_id);
    const timeline = items(body.timeline);
    assert.deepEqual(
      timeline.map(({ kind, actor, user_id }) => [kind, actor, user_id].map(String).join(' ')),
      [
        'opened monitor null',
        'notified null ada',
        'notified null boss',
        'notified null chief',
        'acknowledged ada null',
        'resolved boss null',
      ],
    );
    const times = timeline.map(({ at }) => String(at));
    assert.deepEqual(times, times.toSorted());
    for (const { channel, state, sent_at } of items(timeline[1]?.deliveries)) {
      assert.equal(String(state), 'sent', String(channel));
      assert.match(String(sent_at), /^\d{4}-/);
    }
    assert.deepEqual([body.status, body.acknowledged_by, body.resolved_by, body.notified_users].map(String), [
      'resolved',
      'ada',
      'boss',
      '3',
    ]);
  });

  test('an Idempotency-Key makes one alert of many calls', async () => {
    const headers = { 'Idempotency-Key': 'alert-1' };
    const answers: Answer[] = [];
    for (const api of [0, 1, 0]) answers.push(await raise('warning/keyed', undefined, headers, api));
    assert.equal(new Set(answers.map(({ text }) => text)).size, 1);
    const { rows } = await fleet().database.query(
      `SELECT count(*)::int AS n FROM alert WHERE type = 'keyed'`,
    );
    assert.equal(rows[0].n, 1);
  });

  test('bad alerts are refused in words, and nothing is written', async () => {
    const count = async () =>
      Number((await fleet().database.query('SELECT count(*)::int AS n FROM alert')).rows[0].n);
    const before = await count();
    const wrong: [string, unknown, string, RegExp][] = [
      ['critical/x', {}, 'message', /Message is required/],
      ['critical/x', { message: '' }, 'message', /Message is required/],
      ['critical/x', { message: 'x'.repeat(2_001) }, 'message', /at most 2000/],
      ['critical/x', { message: 'x', source: 'a\r\nb' }, 'source', /control characters/],
      ['critical/x', { message: 'x', affected_systems: 'db' }, 'affected_systems', /an array/],
      [
        'critical/x',
        { message: 'x', affected_systems: Array(101).fill('a') },
        'affected_systems',
        /at most 100/,
      ],
      ['critical/x', { message: 'x', dedup_key: '' }, 'dedup_key', /not be empty/],
      ['critical/x', { message: 'x', dedup_key: 'heartbeat:nightly' }, 'dedup_key', /source: or heartbeat:/],
      ['critical/x', { message: 'x', dedup_key: 'source:json:disk' }, 'dedup_key', /source: or heartbeat:/],
      ['critical/x', { message: 'x', details: { log: 'x'.repeat(16_384) } }, 'details', /16 KB/],
      [
        'critical/x',
        { message: 'x', escalation_policy: 'nights' },
        'escalation_policy',
        /no escalation policy \\"nights\\".*PUT/,
      ],
      ['loud/x', { message: 'x' }, 'level', /one of critical, warning, info/],
      ['critical/a%20b', { message: 'x' }, 'alert_type', /letters, digits/],
    ];
    for (const [path, body, field, problem] of wrong) {
      const answer = await raise(path, body);
      assert.equal(answer.status, 422, `${path} ${answer.text}`);
      assert.match(answer.text, problem);
      assert.ok(
        items(answer.body.errors).some(({ path: at }) => String(at) === field),
        answer.text,
      );
    }
    assertProblem(await read('not-an-id'), 422, { path: 'id' });
    assert.equal(await count(), before);
  });

  test('somebody who is erased leaves no trace in alerts, and the facts stay', async () => {
    await fleet().person('zuzu', { email: 'zuzu@example.org', roles: ['admin'] });
    const { alert_id } = await raised('critical/other');
    await fleet().untilSettled();
    await act(alert_id, 'acknowledge', 'zuzu');
    const by = { as: 'internal', sub: 'zuzu' } as const;
    const own = await fleet().call('POST', '/notifications/alerts/info/own', { message: 'x' }, by);
    assert.equal((await fleet().call('DELETE', '/users/zuzu')).status, 204);
    const raisedBy = await read(own.body.alert_id);
    assert.ok(!raisedBy.text.includes('zuzu'), raisedBy.text);
    assert.equal(String(raisedBy.body.caller), '(erased)');
    const { body, text } = await read(alert_id);
    assert.ok(!text.includes('zuzu'), text);
    assert.deepEqual([body.status, body.acknowledged_by, body.notified_users].map(String), [
      'acknowledged',
      'null',
      '2',
    ]);
  });

  test('nobody to tell is said loudly, and the alert is there', async () => {
    await fleet().database.query(`UPDATE person SET active = false WHERE id IN ('boss', 'chief')`);
    const answer = await raised('critical/lonely');
    await fleet().database.query(`UPDATE person SET active = true WHERE id IN ('boss', 'chief')`);
    assert.equal(String(answer.notified_users), '0');
    const { body } = await read(answer.alert_id);
    assert.deepEqual(
      items(body.timeline).map(({ kind }) => String(kind)),
      ['opened', 'nobody'],
    );
    await waitFor(
      () =>
        fleet()
          .logs()
          .some((line) => line.includes('nobody_to_tell')),
      { what: 'the log to say so' },
    );
  });
});
