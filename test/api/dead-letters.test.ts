import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { forEachEngine } from '../support/engines.js';
import { useFleet } from '../support/fleet.js';
import { type Answer, items, type Json } from '../support/http.js';
import { NO_ID } from './calls.js';
import { writesNothing } from './ledger-rows.js';
import { assertProblem } from './problem.js';

const LIST = '/dead-letters';
const REPLAY = '/dead-letters/replay';

forEachEngine((engine) => {
  // One attempt and no sweep: what fails stays dead until somebody brings it back.
  const fleet = useFleet({ engine, api: 2, env: { MAX_ATTEMPTS: '1', RETRY_SWEEP_MS: '3600000' } });
  const list = (query = '') => fleet().call('GET', `${LIST}${query}`);
  const replay = (body: unknown, headers: Record<string, string> = {}, api = 0) =>
    fleet().call('POST', REPLAY, body, { headers, api });
  const idsOf = (answer: Answer) => items(answer.body).map(({ id }) => String(id));

  async function die(to: string, code: number, enhanced?: string): Promise<Json> {
    const action = { kind: 'smtp', code, ...(enhanced === undefined ? {} : { enhanced }) } as const;
    await fleet().sandbox.fault({ channel: 'email', recipient: to, action });
    const mail = { to, subject: 'Hello', body: 'There', priority: 'high' };
    const sent = await fleet().call('POST', '/notifications/email/send', mail);
    await fleet().untilStatus(String(sent.body.email_id), 'FAILED');
    const [letter] = items((await list(`?search=${to}`)).body);
    return letter ?? assert.fail(`${to} is not among the dead`);
  }

  let full: Json;
  let gone: Json;
  before(async () => {
    full = await die('full@example.org', 452);
    gone = await die('gone@example.org', 550, '5.1.1');
    await die('third@example.org', 452);
  });

  test('a dead letter says whose it is, what it died of and whether it may be tried again', async () => {
    const { id, notification_id, dead_at, created_at, error, ...rest } = full;
    for (const one of [id, notification_id]) assert.match(String(one), /^[0-9a-f-]{36}$/);
    for (const at of [dead_at, created_at]) assert.match(String(at), /^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z$/);
    assert.equal(typeof error, 'string');
    assert.deepEqual(rest, {
      user_id: null,
      event_type: null,
      channel: 'email',
      priority: 'high',
      to: 'f***l@example.org',
      class: 'exhausted',
      reason: 'attempts_exhausted',
      provider: 'smtp',
      code: '452',
      attempts: 1,
      interruptions: 0,
      retryable: true,
    });
    assert.deepEqual([gone.class, gone.reason, gone.retryable], ['rejected', '550 5.1.1', false]);
  });

  test('every filter narrows the list, and filters go together', async () => {
    const later = new Date(Date.now() + 3_600_000).toISOString();
    const counts: Readonly<Record<string, number>> = {
      '': 3,
      '?class=rejected': 1,
      '?class=exhausted': 2,
      '?class=poison': 0,
      '?channel=email': 3,
      '?channel=sms': 0,
      '?provider=smtp': 3,
      '?provider=twilio': 0,
      '?priority=high': 3,
      '?priority=low': 0,
      '?event_type=payment_success': 0,
      '?user_id=sara': 0,
      '?search=FULL@example.org': 1,
      '?search=452': 2,
      '?search=attempts_exhausted': 2,
      '?class=exhausted&search=gone@example.org': 0,
      [`?from=${later}`]: 0,
      [`?to=${later}`]: 3,
      '?to=0': 0,
    };
    for (const [query, count] of Object.entries(counts)) {
      const answer = await list(query);
      assert.equal(answer.status, 200, answer.text);
      assert.equal(items(answer.body).length, count, query);
    }
  });

  test('a page names the next one, which keeps the filters', async () => {
    const pages: string[][] = [];
    for (let path: string | undefined = `${LIST}?channel=email&limit=1`; path !== undefined; ) {
      const page: Answer = await fleet().call('GET', path);
      pages.push(idsOf(page));
      path = /^<\/api\/v1([^>]+channel=email[^>]+)>; rel="next"$/.exec(page.headers.get('link') ?? '')?.[1];
    }
    assert.deepEqual(pages.flat(), idsOf(await list()), 'the newest death first');
    assert.deepEqual(
      pages.slice(0, 3).map((page) => page.length),
      [1, 1, 1],
    );
  });

  test('a wrong field of the list is refused by its name', async () => {
    const wrong: readonly (readonly [string, string])[] = [
      ['class', 'dead'],
      ['channel', 'pigeon'],
      ['provider', ''],
      ['provider', 'x'.repeat(65)],
      ['priority', 'urgent'],
      ['event_type', 'no spaces'],
      ['user_id', ''],
      ['search', ''],
      ['search', 'a%00b'],
      ['search', 'x'.repeat(255)],
      ['from', 'yesterday'],
      ['to', '2026-02-30T00:00:00Z'],
      ['limit', '0'],
      ['limit', '201'],
      ['limit', 'x'],
      ['cursor', 'x'],
      ['cursor', Buffer.from(NO_ID).toString('base64url')],
      ['cursor', Buffer.from(`2026-02-30T00:00:00.000000Z,${NO_ID}`).toString('base64url')],
    ];
    for (const [field, value] of wrong) assertProblem(await list(`?${field}=${value}`), 422, { path: field });
    assertProblem(await list('?class=rejected&class=poison'), 422, { path: 'class' });
  });

  test('a wrong field of a replay is refused by its name, and nothing is replayed', async () => {
    const wrong: readonly (readonly [string, unknown])[] = [
      ['ids', { ids: [] }],
      ['ids', { ids: String(full.id) }],
      ['ids.0', { ids: ['x'] }],
      ['ids.1', { ids: [full.id, 7] }],
      ['ids', { ids: Array<string>(1_001).fill(NO_ID) }],
      ['filter', { filter: null }],
      ['filter.clas', { filter: { clas: 'rejected' } }],
      ['filter', { filter: {}, ids: [full.id] }],
      ['filter.class', { filter: { class: 'dead' } }],
      ['filter.channel', { filter: { channel: 7 } }],
      ['filter.provider', { filter: { provider: '' } }],
      ['filter.priority', { filter: { priority: 'urgent' } }],
      ['filter.event_type', { filter: { event_type: '' } }],
      ['filter.user_id', { filter: { user_id: 'no spaces' } }],
      ['filter.search', { filter: { search: '' } }],
      ['filter.from', { filter: { from: 'x' } }],
      ['filter.to', { filter: { to: 'x' } }],
      ['rate', { ids: [full.id], rate: 0 }],
      ['rate', { ids: [full.id], rate: 1_001 }],
      ['rate', { ids: [full.id], rate: 1.5 }],
      ['rate', { ids: [full.id], rate: '50' }],
    ];
    await writesNothing(fleet(), async () => {
      for (const [path, body] of wrong) assertProblem(await replay(body), 422, { path });
      for (const body of [{}, { rate: 5 }, undefined])
        assertProblem(await replay(body), 422, {
          path: 'ids',
          detail: /^Say what to replay: .*"ids".*"filter"/,
        });
    });
    assert.equal(idsOf(await list()).length, 3);
  });

  test('what is replayed once its provider is mended is sent; an address that is not there stays suppressed', async () => {
    await fleet().sandbox.clearFaults();
    const answer = await replay(
      { filter: { search: 'full@example.org' }, rate: 1_000 },
      { 'idempotency-key': 'r' },
    );
    assert.equal(answer.status, 202, answer.text);
    const { last_due_at, ...rest } = answer.body;
    assert.deepEqual(rest, { replayed: 1, skipped: [], rate: 1_000, more: false });
    assert.match(String(last_due_at), /^\d{4}-\d\d-\d\dT/);
    await fleet().untilStatus(String(full.notification_id), 'SENT');

    const again = await replay(
      { filter: { search: 'full@example.org' }, rate: 1_000 },
      { 'idempotency-key': 'r' },
      1,
    );
    assert.deepEqual([again.status, again.text], [202, answer.text], 'the same key gets the same answer');
    assert.equal(again.headers.get('idempotency-replayed'), 'true');
    assertProblem(await replay({ filter: {} }, { 'idempotency-key': 'r' }), 422, {
      code: 'idempotency_key_reused',
    });

    const one = await replay({ ids: [full.id, String(gone.id).toUpperCase(), NO_ID] });
    assert.deepEqual(
      [one.body.replayed, one.body.rate, items(one.body.skipped)],
      [
        1,
        50,
        [
          { id: full.id, reason: 'not_dead', state: 'sent' },
          { id: NO_ID, reason: 'not_found', state: null },
        ],
      ],
    );
    await fleet().untilSettled();
    const [delivery] = await fleet().deliveries(String(gone.notification_id));
    assert.deepEqual(
      [delivery?.state, (await fleet().sandbox.messages({ to: 'gone@example.org' })).length],
      ['suppressed', 0],
    );
  });

  test('of twenty replays of the same deliveries at once, each is brought back by one and sent once', async () => {
    const addresses = Array.from({ length: 10 }, (_, index) => `same${index}@example.org`);
    const letters = [];
    for (const to of addresses) letters.push(await die(to, 452));
    await fleet().sandbox.clearFaults();
    const ids = letters.map(({ id }) => String(id));
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => replay({ ids, rate: 1_000 }, {}, index % 2)),
    );
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [202]);
    assert.equal(
      answers.reduce((sum, { body }) => sum + Number(body.replayed), 0),
      10,
    );
    await fleet().untilSettled();
    const arrived = (await fleet().sandbox.messages()).map(({ to }) => to);
    assert.deepEqual(arrived.filter((to) => to.startsWith('same')).sort(), addresses);
  });

  test('cancelling, retrying and replaying are on the audit trail, with who did it', async () => {
    const acts = async () =>
      (
        await fleet().database.query(
          'SELECT actor, role, action, target, details FROM audit_event ORDER BY id',
        )
      ).rows;
    const before = (await acts()).length;
    const later = { to: 'later@example.org', subject: 's', body: 'b', send_at: Date.now() / 1_000 + 3_600 };
    const sent = await fleet().call('POST', '/notifications/email/send', later);
    const id = String(sent.body.email_id);
    const as = { as: 'internal', sub: 'billing' } as const;
    for (const status of [200, 409])
      assert.equal((await fleet().call('POST', `/notifications/${id}/cancel`, undefined, as)).status, status);
    assert.equal((await fleet().call('POST', `/notifications/${NO_ID}/cancel`, undefined, as)).status, 404);
    const retried = await fleet().call('POST', '/notifications/retry', undefined, as);
    await fleet().call('POST', REPLAY, { ids: [NO_ID] }, { sub: 'ops' });
    assert.deepEqual((await acts()).slice(before), [
      {
        actor: 'billing',
        role: 'internal',
        action: 'notification.cancel',
        target: `notification:${id}`,
        details: { deliveries: 1 },
      },
      {
        actor: 'billing',
        role: 'internal',
        action: 'notification.retry',
        target: null,
        details: { deliveries: Number(retried.body.retried) },
      },
      {
        actor: 'ops',
        role: 'admin',
        action: 'dead_letter.replay',
        target: `delivery:${NO_ID}`,
        details: { rate: 50, skipped: 1, replayed: 0, deliveries: [] },
      },
    ]);
    await fleet().untilSettled();
  });
});
