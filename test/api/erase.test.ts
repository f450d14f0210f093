import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { forEachEngine } from '../support/engines.js';
import { type Fleet, startFleet } from '../support/fleet.js';
import { type Answer, items } from '../support/http.js';
import { temporaryDir } from '../support/postgres.js';
import { startRedis, type TestRedis } from '../support/redis.js';
import { waitFor } from '../support/wait.js';
import { auditOf } from './audit-rows.js';
import { assertOffCall, PLACES, putOnCall } from './on-call-places.js';
import { assertProblem } from './problem.js';

/** Whatever belongs to the person has this in it. */
const CANARY = 'canary7391';
const EMAIL = `${CANARY}@example.org`;
/** Their address until it was changed. */
const FORMER = `former-${CANARY}@example.org`;
const PHONE = '+251911739177';
const TRACES = new RegExp(`${CANARY}|${PHONE.slice(1)}`, 'i');

forEachEngine((engine) => {
  const dir = temporaryDir();
  let redis: TestRedis | undefined;
  let started: Fleet | undefined;
  before(async () => {
    redis = engine === 'redis' ? await startRedis({ dir }) : undefined;
    const env = { MAX_ATTEMPTS: '2', LOG_LEVEL: 'trace', RATE_LIMIT_SEND: '1000/60s' };
    started = await startFleet({ engine, env, ...(redis === undefined ? {} : { redis }) });
  });
  after(async () => {
    await started?.stop();
    await redis?.stop();
    rmSync(dir, { recursive: true, force: true });
  });
  const fleet = (): Fleet => {
    assert.ok(started);
    return started;
  };
  /** As an application may choose it: it is an address too. */
  const ID = `${CANARY}@id.example.org`;
  const send = (more: object) =>
    fleet().call('POST', '/notifications/send', {
      user_id: ID,
      title: `title ${CANARY}`,
      message: `text ${CANARY}`,
      data: { [CANARY]: CANARY },
      ...more,
    });

  test('nothing of their addresses and texts is left in any column of any table, and nothing more is sent', async () => {
    const stranger = { headers: { 'idempotency-key': 'while-unknown' } };
    const kept404 = { user_id: ID, message: CANARY };
    assertProblem(await fleet().call('POST', '/notifications/send', kept404, stranger), 404);
    const mixed = { notifications: [kept404, { user_id: 'nobody', message: 'x' }] };
    await fleet().call('POST', '/notifications/batch', mixed, { headers: { 'idempotency-key': 'mixed' } });
    const webhook_url = `https://hooks.example.org/${CANARY}`;
    await fleet().call('PUT', `/users/${ID}`, { email: FORMER, webhook_url });
    const formerly = await send({ channels: ['email'] });
    await fleet().untilSettled();
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
    const bare = await bareMessages(fleet());
    const done = [
      formerly,
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
    const later = { to: EMAIL, subject: CANARY, body: CANARY, send_at: Date.now() / 1000 + 3600 };
    bare.push(await fleet().call('POST', '/notifications/email/send', later));
    for (const { status, text } of [...done, ...open, ...bare]) assert.ok([202, 207].includes(status), text);
    const keyed = { headers: { 'idempotency-key': 'kept' } };
    await fleet().call('POST', '/notifications/send', { user_id: ID, message: CANARY }, keyed);
    await putOnCall(fleet(), ID);
    await waitFor(async () => (await openIn(fleet())) === OPEN, {
      what: 'only what is scheduled to be open',
    });
    const found = await traces(fleet());
    for (const table of [...EVERYWHERE, ...PLACES])
      assert.ok(found.includes(`public.${table}`), `there is something to erase in ${table}: ${found}`);
    const arrived = (await fleet().sandbox.messages()).length;

    const erased = await fleet().call('DELETE', `/users/${ID}`);
    assert.equal(erased.status, 204, erased.text);
    assert.equal(erased.text, '');
    assert.deepEqual(await traces(fleet()), [], 'tables that still know something');
    if (redis !== undefined) assert.doesNotMatch(writtenTo(dir), TRACES, 'nor was anything in a queue, ever');
    assert.equal((await fleet().sandbox.messages()).length, arrived);

    for (const { body } of open.slice(0, 2)) {
      const stored = await fleet().call('GET', `/notifications/${body.notification_id}`);
      assert.equal(stored.body.status, 'CANCELLED', 'what was queued is cancelled');
      assert.equal(stored.body.user_id, null);
      const [delivery] = items(stored.body.deliveries);
      assert.equal(delivery?.reason, 'person_erased');
    }
    await assertOffCall(fleet());
    const stopped = await fleet().call('GET', `/email/${bare.at(-1)?.body.email_id}`);
    assert.deepEqual([stopped.body.status, stopped.body.to ?? null], ['CANCELLED', null]);
    const again = await fleet().call('POST', '/notifications/send', kept404, stranger);
    assertProblem(again, 404, { detail: 'User with ID (erased) not found.' });
    const [act] = await auditOf(fleet(), 'person.erase');
    assert.match(act?.target ?? '', /^person:[0-9a-f-]{36}$/);
    assert.deepEqual([act?.actor, act?.role], ['test', 'admin']);
    const [leads] = (
      await fleet().database.query<{ n: number }>(
        'SELECT count(*)::int AS n FROM person WHERE audit_id = $1',
        [act?.target?.slice('person:'.length)],
      )
    ).rows;
    assert.equal(leads?.n, 0, 'the fact leads to nobody');
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
    // Their id has the canary in it.
    assert.equal((await fleet().call('DELETE', `/users/${ID}`)).status, 204);
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

  test('what is written to somebody after they were erased is erased by erasing them again', async () => {
    const body = { user_id: 'written-to', message: CANARY };
    assertProblem(await fleet().call('POST', '/notifications/send', body), 404);
    assert.deepEqual(await traces(fleet()), ['public.notification']);
    assert.equal((await fleet().call('DELETE', '/users/written-to')).status, 204);
    assert.deepEqual(await traces(fleet()), []);
    assertProblem(await fleet().call('DELETE', '/users/written-to'), 404);
  });

  test('somebody with thousands of notifications is erased whole, and so are thousands of bare mails', async () => {
    await fleet().person('busy', { email: `busy@${CANARY}.org` });
    await fleet().database.query(MANY, ['busy', CANARY]);
    await fleet().database.query(MANY_BARE, [`busy@${CANARY}.org`, CANARY]);
    assert.equal((await fleet().call('DELETE', '/users/busy')).status, 204);
    assert.deepEqual(await traces(fleet()), []);
    const [act] = await auditOf(fleet(), 'person.erase');
    assert.deepEqual(act?.details, { notifications: 4_500 });
  });

  test('others keep everything, also what went to an address that they share', async () => {
    await fleet().person('stays', { email: 'stays@example.org', groups: ['tenants'] });
    await fleet().person('shares', { email: 'shared@example.org' });
    await fleet().person('shared', { email: 'Shared@example.org' });
    const mail = {
      to: 'shared@example.org',
      subject: 'both',
      body: 'kept',
      send_at: Date.now() / 1000 + 3600,
    };
    const both = await fleet().call('POST', '/notifications/email/send', mail);
    assert.equal((await fleet().call('DELETE', '/users/shares')).status, 204);
    const left = await fleet().call('GET', `/email/${both.body.email_id}`);
    assert.deepEqual([left.body.message, left.body.status], ['kept', 'PENDING']);
    await fleet().person('goes', { email: 'goes@example.org', groups: ['tenants'] });
    const id = await fleet().send({ user_id: 'stays', message: 'kept', send_at: Date.now() / 1000 + 3600 });
    assert.equal((await fleet().call('DELETE', '/users/goes')).status, 204);
    const stored = await fleet().call('GET', `/notifications/${id}`);
    assert.equal(stored.body.message, 'kept');
    assert.equal(stored.body.status, 'PENDING');
    assert.deepEqual((await fleet().call('GET', '/users/stays')).body.groups, ['tenants']);
  });

  test('neither addresses, nor texts, nor the id were ever in the log', () => {
    assert.deepEqual(
      fleet()
        .logs()
        .filter((line) => TRACES.test(line)),
      [],
    );
  });
});

/** How many deliveries were scheduled for later: two of the first notification, two of the event, one of the batch, a bare mail. */
const OPEN = 6;

/** Where the canary is before the erasure. */
const EVERYWHERE = [
  'person',
  'group_member',
  'notification',
  'delivery',
  'inbox_item',
  'suppression',
  'idempotency_key',
];

/** Messages to the bare addresses of somebody, one of them spelled in other letters. */
async function bareMessages(fleet: Fleet): Promise<Answer[]> {
  const mail = { to: EMAIL, subject: `bare ${CANARY}`, body: CANARY, html_body: `<b>${CANARY}</b>` };
  return [
    await fleet.call('POST', '/notifications/email/send', mail),
    await fleet.call('POST', '/notifications/email/send', { ...mail, to: EMAIL.toUpperCase() }),
    await fleet.call('POST', '/notifications/email/send', { ...mail, to: FORMER }),
    await fleet.call('POST', '/notifications/sms/send', { phone: PHONE, message: CANARY }),
  ];
}

const MANY = `
WITH n AS (
  INSERT INTO notification (id, person_id, type, message, priority, caller)
  SELECT gen_random_uuid(), $1, 'info', $2, 'low', 'test' FROM generate_series(1, 4500) RETURNING id
)
INSERT INTO delivery (id, notification_id, channel, priority, address, state)
SELECT gen_random_uuid(), id, 'email', 'low', $2 || '@old.example', 'sent' FROM n`;

const MANY_BARE = `
WITH n AS (
  INSERT INTO notification (id, type, message, priority, caller)
  SELECT gen_random_uuid(), 'email', $2, 'low', 'test' FROM generate_series(1, 4500) RETURNING id
)
INSERT INTO delivery (id, notification_id, channel, priority, address, state)
SELECT gen_random_uuid(), id, 'email', 'low', $1, 'sent' FROM n`;

/** Every command that ever changed anything in this Redis, out of its append-only file. */
function writtenTo(dir: string): string {
  const folder = path.join(dir, 'appendonlydir');
  const files = readdirSync(folder).filter((name) => name.endsWith('.aof'));
  const text = files.map((name) => readFileSync(path.join(folder, name), 'latin1')).join('\n');
  assert.ok(text.includes('delivery_id'), 'the jobs are there');
  return text;
}

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
