import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachEngine } from '../support/engines.js';
import { type Fleet, useFleet } from '../support/fleet.js';
import { waitFor } from '../support/wait.js';
import { email, sms } from './sending.js';

const CANARIES = {
  address: 'canary.address',
  phone: '251911777',
  text: 'canary-text',
  subject: 'canary-subject',
  context: 'canary-property',
  data: 'canary-data',
  person: 'Canary Tenant',
};

forEachEngine((engine) => {
  const fleet = useFleet({
    engine,
    env: { LOG_LEVEL: 'trace', RATE_LIMIT: '100000/60s', RATE_LIMIT_SEND: '1000/60s' },
  });

  test('no address, no text and no token is in a queue or in a log, whatever came of the message', async () => {
    const { call, untilSettled, sandbox, person, token, logs, send, redis } = fleet();
    const to = (name: string) => `${name}.${CANARIES.address}@example.org`;
    const text = { subject: CANARIES.subject, body: CANARIES.text };
    await person('watched', {
      email: to('watched'),
      phone: `+${CANARIES.phone}001`,
      preferences: { sms: true },
    });
    const context = { property_title: CANARIES.context, amount: 1, tenant_name: CANARIES.person };
    await sandbox.fault({
      channel: 'email',
      recipient: to('refused'),
      action: { kind: 'smtp', code: 550, text: `no ${to('refused')} here` },
    });
    await sandbox.fault({
      channel: 'email',
      recipient: to('retried'),
      action: { kind: 'smtp', code: 451, text: CANARIES.text },
      times: 1,
    });
    await sandbox.fault({
      channel: 'sms',
      recipient: `+${CANARIES.phone}002`,
      action: {
        kind: 'status',
        status: 400,
        twilioCode: 21211,
        body: { code: 21211, message: `+${CANARIES.phone}002 is wrong`, status: 400 },
      },
    });
    await send({ user_id: 'watched', event_type: 'payment_success', context, data: { note: CANARIES.data } });
    await send({ user_id: 'watched', message: CANARIES.text, title: CANARIES.subject, priority: 'critical' });
    await email(fleet(), to('well'), text);
    await email(fleet(), to('refused'), text);
    await email(fleet(), to('retried'), text);
    await email(fleet(), to('later'), { ...text, send_at: new Date(Date.now() + 3_600_000).toISOString() });
    await sms(fleet(), `+${CANARIES.phone}002`, { message: CANARIES.text });
    // Refused calls are logged too, and must not be quoted.
    await call('POST', '/notifications/email/send', { to: `not ${CANARIES.address}`, ...text });
    await call('POST', '/notifications/send', `{"user_id": "${CANARIES.text}`);
    await untilSettledButScheduled(fleet());

    const secrets = [
      ...Object.values(CANARIES),
      (await token('admin')).split('.')[0] ?? '',
      String(fleet().env.JWT_SECRET),
      String(fleet().env.TWILIO_AUTH_TOKEN),
    ];
    const queued = redis === undefined ? await dumpPostgres(fleet()) : await dumpRedis(redis.command);
    assert.ok(queued.length > 2_000 && queued.includes('delivery_id'), 'the dump holds the jobs');
    const written = logs().join('\n');
    assert.ok(written.includes('"event":"moved"'), 'the logs hold what happened');
    for (const secret of secrets) {
      assert.ok(!queued.includes(secret), `${secret} is in a queue: ${around(queued, secret)}`);
      assert.ok(!written.includes(secret), `${secret} is in a log: ${around(written, secret)}`);
    }
    await call('POST', '/notifications/retry', {});
    await untilSettled({ timeoutMs: 1 }).catch(() => undefined);
  });

  test('a notification can be followed through the logs by its id, from the call to the answer of the provider', async () => {
    const { logs, untilStatus } = fleet();
    const id = await email(fleet(), 'followed@example.org');
    await untilStatus(id, 'SENT');
    const trail = await waitFor(() => {
      const lines = logs()
        .map((line): Record<string, unknown> => JSON.parse(line))
        .filter((line) => line.notification_id === id);
      return lines.length >= 3
        ? lines.sort((one, two) => String(one.time).localeCompare(String(two.time)))
        : undefined;
    });
    assert.deepEqual(
      trail.map(({ service, event, outcome, state }) => [service, event, outcome ?? state ?? null]),
      [
        ['api', 'accepted', null],
        ['worker', 'attempted', 'sent'],
        ['worker', 'moved', 'sent'],
      ],
    );
  });
});

async function untilSettledButScheduled({ database }: Fleet): Promise<void> {
  await waitFor(
    async () => {
      const { rows } = await database.query(
        "SELECT count(*)::int AS open FROM delivery WHERE state IN ('queued', 'sending', 'retrying', 'ambiguous')",
      );
      return rows[0]?.open === 0;
    },
    { timeoutMs: 30_000 },
  );
}

/** Every row of every table in BullMQ's schema, and of the rate limiter, as text. */
async function dumpPostgres({ database }: Fleet): Promise<string> {
  const { rows: tables } = await database.query<{ name: string }>(
    "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname = 'bullmq'",
  );
  assert.ok(tables.length > 3);
  const dumps = await Promise.all(
    tables.map(
      async ({ name }) =>
        (await database.query<{ row: string }>(`SELECT t::text AS row FROM ${name} t`)).rows,
    ),
  );
  return dumps
    .flat()
    .map(({ row }) => row)
    .join('\n');
}

/** Every key of Redis with its whole value. */
async function dumpRedis(command: (...words: string[]) => Promise<string>): Promise<string> {
  const readers: Record<string, (key: string) => string[]> = {
    string: (key) => ['GET', key],
    hash: (key) => ['HGETALL', key],
    list: (key) => ['LRANGE', key, '0', '-1'],
    set: (key) => ['SMEMBERS', key],
    zset: (key) => ['ZRANGE', key, '0', '-1', 'WITHSCORES'],
    stream: (key) => ['XRANGE', key, '-', '+'],
  };
  const keys = (await command('KEYS', '*'))
    .split('\r\n')
    .filter((line) => !/^[*$]\d+$/.test(line) && line !== '');
  const values = await Promise.all(
    keys.map(async (key) => {
      const type = (await command('TYPE', key)).trim().replace('+', '');
      const read = readers[type];
      assert.ok(read, `${key} is a ${type}`);
      return `${key}\n${await command(...read(key))}`;
    }),
  );
  return values.join('\n');
}

function around(text: string, needle: string): string {
  const at = text.indexOf(needle);
  return text.slice(Math.max(0, at - 200), at + 200);
}
