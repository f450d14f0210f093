import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { useFleet } from '../support/fleet.js';
import { items, type Json } from '../support/http.js';
import { NO_ID } from './calls.js';
import { assertProblem } from './problem.js';

const phone = (n: number) => `+25191100000${n}`;

describe('an alert', () => {
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
  const _channelsTold = async (id: Json | undefined) => {
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

  test('of two who acknowledge at once over two processes one is first, and both are told who', async () => {
    for (let round = 0; round < 4; round += 1) {
      const { alert_id } = await raised('critical/disk_full');
      const answers = await Promise.all([
        act(alert_id, 'acknowledge', 'ada', 'user', 0),
        act(alert_id, 'acknowledge', 'boss', 'user', 1),
        act(alert_id, 'acknowledge', 'chief', 'user', 1),
      ]);
      const seen = answers.map(({ status, body }) =>
        [status, body.acknowledged_by, body.acknowledged_at, body.status].map(String).join(' '),
      );
      assert.equal(new Set(seen).size, 1, seen.join('\n'));
      const again = await act(alert_id, 'acknowledge', 'boss');
      assert.equal(String(again.body.acknowledged_at), String(answers[0]?.body.acknowledged_at));
      const { body } = await read(alert_id);
      assert.equal(items(body.timeline).filter(({ kind }) => String(kind) === 'acknowledged').length, 1);
    }
  });

  test('an acknowledgement calls off what has not left yet, and a resolved alert cannot be acknowledged any more', async () => {
    const { alert_id } = await raised('critical/disk_full');
    await fleet().untilSettled();
    await fleet().database.query(
      `UPDATE delivery d SET state = 'scheduled', due_at = now() + interval '1 hour' FROM notification n
       WHERE n.id = d.notification_id AND n.alert_id = $1 AND d.channel = 'sms' AND d.state = 'sent'`,
      [alert_id],
    );
    await act(alert_id, 'acknowledge', 'ada');
    const { rows } = await fleet().database.query(
      `SELECT DISTINCT d.state, d.reason FROM notification n JOIN delivery d ON d.notification_id = n.id
       WHERE n.alert_id = $1 AND d.channel = 'sms'`,
      [alert_id],
    );
    assert.deepEqual(
      rows.map((row) => Object.values(row).join(' ')),
      ['cancelled alert_acknowledged'],
    );
    const other = await raised('critical/disk_full');
    await act(other.alert_id, 'resolve', 'boss', 'admin');
    const late = await act(other.alert_id, 'acknowledge', 'ada');
    assert.deepEqual([late.status, late.body.status, late.body.acknowledged].map(String), [
      '200',
      'resolved',
      'false',
    ]);
  });

  test('while an alert with the same key is not resolved, another one raises its count and tells nobody', async () => {
    const body = { message: 'Again', dedup_key: 'disk:db-1' };
    const answers = await Promise.all(
      [...Array(12)].map((_, n) => raise('critical/disk_full', body, {}, n % 2)),
    );
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([202]));
    const ids = new Set(answers.map((answer) => String(answer.body.alert_id)));
    assert.equal(ids.size, 1);
    const opened = answers.filter((answer) => String(answer.body.opened) === 'true');
    assert.deepEqual([opened.length, ...opened.map((answer) => answer.body.notified_users)].map(String), [
      '1',
      '3',
    ]);
    const [first] = ids;
    await act(first, 'acknowledge', 'ada');
    const later = await raised('critical/disk_full', body);
    assert.deepEqual([later.alert_id, later.opened, later.count, later.notified_users].map(String), [
      first,
      'false',
      '13',
      '0',
    ]);
    const { body: shown } = await read(first);
    assert.deepEqual([shown.status, shown.count].map(String), ['acknowledged', '13']);
    const repeated = items(shown.timeline).filter(({ kind }) => String(kind) === 'repeated');
    assert.deepEqual(
      repeated.map(({ details }) => String(details?.times)),
      ['12'],
    );
    await act(first, 'resolve', 'ada');
    const anew = await raised('critical/disk_full', body);
    assert.equal(String(anew.opened), 'true');
    assert.notEqual(String(anew.alert_id), first);
    await act(anew.alert_id, 'resolve', 'ada');
  });

  test('people see, acknowledge and resolve what they were told of; to anybody else it is not there', async () => {
    await raised('critical/disk_full');
    const { alert_id } = await raised('critical/disk_full');
    assert.equal((await read(alert_id, 'user', 'ada')).status, 200);
    for (const answer of [
      await read(alert_id, 'user', 'ben'),
      await act(alert_id, 'acknowledge', 'ben'),
      await act(alert_id, 'resolve', 'ben'),
      await read(NO_ID),
    ])
      assertProblem(answer, 404, { detail: /^Alert with ID \S+ not found\.$/ });
    const mine = await fleet().call('GET', '/alerts?limit=200', undefined, { as: 'user', sub: 'ben' });
    assert.deepEqual(items(mine.body), []);
    const hers = await fleet().call(
      'GET',
      '/alerts?status=open&level=critical&type=disk_full&limit=1',
      undefined,
      {
        as: 'user',
        sub: 'ada',
      },
    );
    assert.deepEqual(
      items(hers.body).map(({ id }) => String(id)),
      [String(alert_id)],
    );
    assert.match(hers.headers.get('link') ?? '', /rel="next"/);
    assert.equal((await raise('critical/disk_full', undefined, {}, 0)).status, 202);
    const user = await fleet().call(
      'POST',
      '/notifications/alerts/critical/x',
      { message: 'x' },
      { as: 'user' },
    );
    assertProblem(user, 403);
  });
});
