import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Fleet, useFleet } from '../support/fleet.js';
import { type Answer, items } from '../support/http.js';
import { waitFor } from '../support/wait.js';
import { assertProblem } from './problem.js';

/** Whatever belongs to the person has this in it. */
const CANARY = 'canary7391';
const EMAIL = `${CANARY}@example.org`;
const PHONE = '+251911739177';
const TRACES = new RegExp(`${CANARY}|${PHONE.slice(1)}`, 'i');

describe('erasing a person', () => {
  const fleet = useFleet({ engine: 'postgres', env: { MAX_ATTEMPTS: '2' } });
  const ID = 'to-be-forgotten';
  const send = (more: object) =>
    fleet().call('POST', '/notifications/send', {
      user_id: ID,
      title: `title ${CANARY}`,
      message: `text ${CANARY}`,
      data: { [CANARY]: CANARY },
      ...more,
    });

  test('nothing of their addresses and texts is left in any column of any table, and nothing more is sent', async () => {
    assertProblem(await send({}), 404);
    await fleet().person(ID, {
      email: EMAIL,
      phone: PHONE,
      groups: ['tenants'],
      preferences: { sms: true, email: true },
    });
    await fleet().sandbox.fault({
      channel: 'sms',
      recipient: PHONE,
      action: { kind: 'status', status: 400, twilioCode: 21610 },
      times: 1,
    });
    await fleet().sandbox.fault({
      channel: 'email',
      recipient: EMAIL,
      action: { kind: 'smtp', code: 451, text: `try later, ${EMAIL}` },
      times: 1,
    });
    const context = { property_title: `flat ${CANARY}`, amount: 7, tenant_name: CANARY };
    const event = { title: undefined, message: undefined, event_type: 'payment_success', context };
    const done = [
      await send({ priority: 'critical', channels: ['realtime', 'email'] }),
      await send({ ...event, channels: ['email', 'realtime'] }),
      await send({ channels: ['sms'] }),
    ];
    await fleet().untilSettled();
    const open = [
      await send({ send_at: Date.now() / 1000 + 3600, priority: 'high' }),
      await send({ ...event, send_at: Date.now() / 1000 + 3600 }),
      await fleet().call('POST', '/notifications/batch', {
        notifications: [{ user_id: ID, message: CANARY, send_at: Date.now() / 1000 + 3600 }],
      }),
    ];
    for (const { status, text } of [...done, ...open]) assert.ok([202, 207].includes(status), text);
    const keyed = { headers: { 'idempotency-key': 'kept' } };
    await fleet().call('POST', '/notifications/send', { user_id: ID, message: CANARY }, keyed);
    await waitFor(async () => (await openIn(fleet())) === OPEN, {
      what: 'only what is scheduled to be open',
    });
    const found = await traces(fleet());
    for (const table of ['person', 'notification', 'delivery', 'inbox_item', 'suppression'])
      assert.ok(found.includes(`public.${table}`), `there is something to erase in ${table}: ${found}`);
    const arrived = (await fleet().sandbox.messages()).length;

    const erased = await fleet().call('DELETE', `/users/${ID}`);
    assert.equal(erased.status, 204, erased.text);
    assert.equal(erased.text, '');
    assert.deepEqual(await traces(fleet()), [], 'tables that still know something');
    assert.equal((await fleet().sandbox.messages()).length, arrived);

    for (const { body } of open.slice(0, 2)) {
      const stored = await fleet().call('GET', `/notifications/${body.notification_id}`);
      assert.equal(stored.body.status, 'CANCELLED', 'what was queued is cancelled');
      assert.equal(stored.body.user_id, null);
      const [delivery] = items(stored.body.deliveries);
      assert.equal(delivery?.reason, 'person_erased');
    }
    const kept = await fleet().call('GET', `/notifications/${done[0]?.body.notification_id}`);
    assert.equal(kept.body.status, 'SENT', 'that something was sent stays');
    assert.doesNotMatch(kept.text, TRACES);
  });

  test('somebody erased is unknown, and can be added again as a stranger', async () => {
    assertProblem(await fleet().call('GET', `/users/${ID}`), 404, {
      detail: `User with ID ${ID} not found.`,
    });
    assertProblem(await fleet().call('DELETE', `/users/${ID}`), 404);
    assertProblem(await fleet().call('GET', `/users/${ID}/preferences`), 404);
    assert.equal((await fleet().call('PUT', `/users/${ID}`, {})).status, 201);
    assert.equal((await fleet().call('GET', `/users/${ID}/preferences`)).body.sms, false);
    assert.deepEqual((await fleet().call('GET', `/users/${ID}`)).body.groups, []);
  });

  test('whoever is erased while they are being notified leaves nothing either', async () => {
    for (let round = 0; round < 8; round += 1) {
      const id = `raced-${round}`;
      await fleet().person(id, { email: `${id}@${CANARY}.org` });
      const erased: Promise<Answer>[] = [];
      const sent = await Promise.all(
        Array.from({ length: 20 }, async (_, index) => {
          if (index === 4 + round) erased.push(fleet().call('DELETE', `/users/${id}`));
          const body = { user_id: id, message: `n ${CANARY}`, priority: 'high' };
          return fleet().call('POST', '/notifications/send', body);
        }),
      );
      for (const { status } of await Promise.all(erased)) assert.equal(status, 204);
      for (const { status, text } of sent) assert.ok(status === 202 || status === 404, text);
      // what was sent to a stranger afterwards is kept as failed, with its text: nobody is erased by it
      await fleet().database.query(`UPDATE notification SET message = 'x' WHERE reason = 'unknown_person'`);
      await fleet().untilSettled();
      assert.deepEqual(await traces(fleet()), [], `round ${round}`);
    }
  });

  test('others keep everything', async () => {
    await fleet().person('stays', { email: 'stays@example.org', groups: ['tenants'] });
    await fleet().person('goes', { email: 'goes@example.org', groups: ['tenants'] });
    const id = await fleet().send({ user_id: 'stays', message: 'kept', send_at: Date.now() / 1000 + 3600 });
    assert.equal((await fleet().call('DELETE', '/users/goes')).status, 204);
    const stored = await fleet().call('GET', `/notifications/${id}`);
    assert.equal(stored.body.message, 'kept');
    assert.equal(stored.body.status, 'PENDING');
    assert.deepEqual((await fleet().call('GET', '/users/stays')).body.groups, ['tenants']);
  });

  test('neither addresses nor texts were ever in the log', () => {
    assert.deepEqual(
      fleet()
        .logs()
        .filter((line) => TRACES.test(line)),
      [],
    );
  });
});

/** How many deliveries were scheduled for later: two of the first notification, three of the event, one of the batch. */
const OPEN = 6;

async function openIn(fleet: Fleet): Promise<number> {
  const { rows } = await fleet.database.query<{ open: number }>(
    'SELECT sum(open_count)::int AS open FROM notification',
  );
  return rows[0]?.open ?? 0;
}

/** The tables, of the ledger and of the queues, in which the canary is. */
async function traces(fleet: Fleet): Promise<string[]> {
  const tables = await fleet.database.query<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
     WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1`,
  );
  const found: string[] = [];
  for (const { name } of tables.rows) {
    const { rows } = await fleet.database.query<{ row: string }>(`SELECT t::text AS row FROM ${name} t`);
    if (rows.some(({ row }) => TRACES.test(row))) found.push(name);
  }
  return found;
}
