import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { useFleet } from '../support/fleet.js';
import { items } from '../support/http.js';
import { rowsIn, writesNothing } from './ledger-rows.js';
import { assertProblem } from './problem.js';

const MOST = 1_000;
const UNKNOWN = 'nobody-at-all';

describe('batches', () => {
  const fleet = useFleet({ engine: 'postgres', workers: [] });
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    fleet().call('POST', path, body, { headers });

  before(async () => {
    await fleet().person('ada', { email: 'ada@example.org' });
  });

  test('a thousand notifications are one call: 207, each with its own answer, and a bad one harms no other', async () => {
    const bad: Readonly<Record<number, { item: unknown; status: number; detail: RegExp }>> = {
      0: { item: 'text', status: 422, detail: /object/ },
      7: { item: null, status: 422, detail: /required/ },
      300: {
        item: { user_id: UNKNOWN, message: 'x' },
        status: 404,
        detail: /^User with ID nobody-at-all not found\.$/,
      },
      301: { item: { user_id: 'ada', event_type: 'unheard_of' }, status: 422, detail: /unheard_of/ },
      302: {
        item: { user_id: 'ada', event_type: 'payment_failed', context: { property_title: 'x' } },
        status: 422,
        detail: /amount/,
      },
      998: { item: { user_id: 'a b', message: 'x' }, status: 422, detail: /user_id/ },
      999: { item: [[]], status: 422, detail: /object/ },
    };
    const before = await rowsIn(fleet());
    const notifications = Array.from({ length: MOST }, (_, index) =>
      index in bad ? bad[index]?.item : { user_id: 'ada', message: `message ${index}` },
    );
    const answer = await post('/notifications/batch', { notifications });
    assert.equal(answer.status, 207, answer.text.slice(0, 300));
    const results = items(answer.body.results);
    assert.equal(results.length, MOST);
    results.forEach((result, index) => {
      assert.equal(result.index, index);
      const wrong = bad[index];
      assert.equal(result.status, wrong?.status ?? 202, `item ${index}`);
      if (wrong === undefined) assert.equal(result.body?.status, 'queued');
      else assert.match(String(result.body?.detail), wrong.detail);
    });
    const after = await rowsIn(fleet());
    // the 404 has its FAILED row, as if it had come alone
    assert.equal(after.notification - before.notification, MOST - Object.keys(bad).length + 1);
    const { rows } = await fleet().database.query(
      `SELECT count(DISTINCT message)::int AS texts FROM notification WHERE message LIKE 'message %'`,
    );
    assert.equal(rows[0]?.texts, MOST - Object.keys(bad).length);
    const ids = results.map((result) => result.body?.notification_id).filter((id) => id !== undefined);
    assert.equal(new Set(ids).size, MOST - Object.keys(bad).length, 'every id is another one');
  });

  test('a batch of nothing, of too much or of something else is refused whole', async () => {
    const one = { user_id: 'ada', message: 'x' };
    await writesNothing(fleet(), async () => {
      for (const body of [
        {},
        [],
        [one],
        { notifications: [] },
        { notifications: {} },
        { notifications: 'x' },
        { notifications: null },
        { emails: [one] },
        { notifications: Array(MOST + 1).fill(one) },
        { notifications: Array(100_000).fill(0) },
      ])
        assertProblem(await post('/notifications/batch', body), 422);
      const mails = Array(MOST + 1).fill({ to: 'a@example.org', subject: 's', body: 'b' });
      assertProblem(await post('/notifications/email/batch', { emails: mails }), 422, { path: 'emails' });
    });
  });

  test('a batch takes up to 4 MB and not more', async () => {
    const message = 'x'.repeat(10_000);
    const large = Array(390).fill({ user_id: 'ada', message });
    assert.equal((await post('/notifications/batch', { notifications: large })).status, 207);
    await writesNothing(fleet(), async () => {
      const huge = Array(430).fill({ user_id: 'ada', message });
      assertProblem(await post('/notifications/batch', { notifications: huge }), 413);
    });
  });

  test('a batch of mails has the same manners', async () => {
    const mail = (more: object) => ({ to: 'eve@example.org', subject: 'Hi', body: 'Hello.', ...more });
    const emails = [
      mail({}),
      mail({ to: '' }),
      mail({ to: 'nobody' }),
      mail({ subject: 'a\r\nBcc: x@y.z' }),
      mail({}),
    ];
    const answer = await post('/notifications/email/batch', { emails });
    assert.equal(answer.status, 207);
    const results = items(answer.body.results);
    assert.deepEqual(
      results.map(({ status }) => status),
      [202, 422, 422, 422, 202],
    );
    assert.equal(results[1]?.body?.detail, 'To email, subject, and body are required');
    for (const index of [0, 4]) {
      assert.equal(results[index]?.body?.status, 'email_queued');
      const read = await fleet().call('GET', `/email/${results[index]?.body?.email_id}`);
      assert.equal(read.status, 200);
    }
  });

  test('a batch with an Idempotency-Key is made once, whole', async () => {
    const body = {
      notifications: [
        { user_id: 'ada', message: 'one' },
        { user_id: UNKNOWN, message: 'two' },
        { user_id: '', message: 'three' },
      ],
    };
    const before = await rowsIn(fleet());
    const first = await post('/notifications/batch', body, { 'idempotency-key': 'batch-1' });
    assert.deepEqual(
      items(first.body.results).map(({ status }) => status),
      [202, 404, 422],
    );
    const second = await post('/notifications/batch', body, { 'idempotency-key': 'batch-1' });
    assert.deepEqual(second.body, first.body);
    assert.equal((await rowsIn(fleet())).notification - before.notification, 2);
  });
});
