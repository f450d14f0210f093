import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { forEachEngine } from '../support/engines.js';
import { type Fleet, withFleet } from '../support/fleet.js';
import { temporaryDir } from '../support/postgres.js';
import { startRedis } from '../support/redis.js';
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
  test('no address, no text and no token is in a queue or in a log, whatever came of the message', async () => {
    const dir = temporaryDir();
    const redis = engine === 'redis' ? await startRedis({ dir }) : undefined;
    const env = { LOG_LEVEL: 'trace', RATE_LIMIT: '100000/60s', RATE_LIMIT_SEND: '1000/60s' };
    try {
      await withFleet({ engine, env, ...(redis === undefined ? {} : { redis }) }, async (fleet) => {
        await sendCanaries(fleet);
        const queued = redis === undefined ? await dumpPostgres(fleet) : writtenToRedis(dir);
        assert.ok(queued.includes('delivery_id'), 'the jobs are there');
        const written = fleet.logs().join('\n');
        assert.ok(written.includes('"event":"moved"'), 'the logs hold what happened');
        const token = (await fleet.token('admin')).split('.')[0] ?? '';
        const { JWT_SECRET, TWILIO_AUTH_TOKEN } = fleet.env;
        for (const secret of [
          ...Object.values(CANARIES),
          token,
          String(JWT_SECRET),
          String(TWILIO_AUTH_TOKEN),
        ]) {
          assert.ok(!queued.includes(secret), `${secret} is in a queue: ${around(queued, secret)}`);
          assert.ok(!written.includes(secret), `${secret} is in a log: ${around(written, secret)}`);
        }
      });
    } finally {
      await redis?.stop();
      rmSync(dir, { recursive: true, force: true });
    }
  });
});

/** Sends canaries in every way, to every end; returns when all of them have ended but the one that is scheduled. */
async function sendCanaries(fleet: Fleet): Promise<void> {
  const { call, sandbox, person, send } = fleet;
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
  await email(fleet, to('well'), text);
  await email(fleet, to('refused'), text);
  await email(fleet, to('retried'), text);
  await email(fleet, to('later'), { ...text, send_at: new Date(Date.now() + 3_600_000).toISOString() });
  await sms(fleet, `+${CANARIES.phone}002`, { message: CANARIES.text });
  // Refused calls are logged too, and must not be quoted.
  await call('POST', '/notifications/email/send', { to: `not ${CANARIES.address}`, ...text });
  await call('POST', '/notifications/send', `{"user_id": "${CANARIES.text}`);
  await untilSettledButScheduled(fleet);
}

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

/** Every row of every table in BullMQ's schema, as text. */
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

/** Every command that ever changed anything in this Redis, out of its append-only file. */
function writtenToRedis(dir: string): string {
  const files = readdirSync(path.join(dir, 'appendonlydir')).filter((name) => name.endsWith('.aof'));
  return files.map((name) => readFileSync(path.join(dir, 'appendonlydir', name), 'latin1')).join('\n');
}

function around(text: string, needle: string): string {
  const at = text.indexOf(needle);
  return text.slice(Math.max(0, at - 200), at + 200);
}
