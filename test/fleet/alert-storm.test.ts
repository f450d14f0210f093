import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachEngine } from '../support/engines.js';
import { type Fleet, useFleet } from '../support/fleet.js';
import { ask, items } from '../support/http.js';
import { freePort } from '../support/ports.js';
import { waitFor } from '../support/wait.js';
import { raiseAlert, writePolicy } from './alerting.js';

/** For a run by hand: `STORM_ALERTS=2000 STORM_WITHIN=2000`. */
const ALERTS = Number(process.env.STORM_ALERTS ?? 60);
const SOURCES = 10;
/** How soon the first alert of each source has to arrive; not asked for where the machine is shared with other tests. */
const WITHIN_MS = Number(process.env.STORM_WITHIN ?? 60_000);
const PEOPLE = ['ann', 'bob'];
const AT_ONCE = Number(process.env.STORM_CALLERS ?? 6);

/** The account of the text messages, which signs what it passes on. */
const ACCOUNT = 'the-token-of-the-account';
const PORT = await freePort();
const PUBLIC_URL = `http://127.0.0.1:${PORT}`;

forEachEngine((engine) => {
  const env = {
    PORT: String(PORT),
    PUBLIC_URL,
    SMS_ANSWERS: 'on',
    TWILIO_AUTH_TOKEN: ACCOUNT,
    ALERT_LIMIT_EMAIL: '3/5s,12/600s',
    ALERT_LIMIT_SMS: '1/5s,12/600s',
    MAX_ATTEMPTS: '10',
    DATABASE_POOL: '10',
    SWEEP_INTERVAL_MS: '15000',
  };
  const fleet = useFleet({ engine, workers: [{}, {}], env });

  test(`a storm of ${ALERTS} alerts reaches a person as the first of each source and a few bundles, and all of it at once on the screen`, async (t) => {
    const { person, database, sandbox, call } = fleet();
    for (const [n, id] of PEOPLE.entries())
      await person(id, { email: `${id}@storm.test`, phone: `+25191100080${n}`, roles: ['admin'] });
    await warmUp(fleet());
    const hour = { after_ms: 3_600_000, notify: { admins: true } };
    await writePolicy(fleet(), 'storm', { steps: [hour] });
    const ids: string[] = [];
    const startedAt = performance.now();
    await Promise.all(
      Array.from({ length: AT_ONCE }, async (_, lane) => {
        for (let n = lane; n < ALERTS; n += AT_ONCE)
          ids.push(await raiseAlert(fleet(), 'storm', { source: `s${n % SOURCES}`, message: `Fault ${n}` }));
      }),
    );
    const raisedMs = Math.round(performance.now() - startedAt);
    // Whatever has been acknowledged when the bundle goes out is not in it.
    const [taken = ''] = ids.slice(-1);
    assert.equal((await call('POST', `/alerts/${taken}/acknowledge`)).status, 200);
    await waitFor(async () => (await bundles(fleet())).length >= PEOPLE.length * 2, {
      timeoutMs: 60_000,
      what: 'a bundle for each person and channel',
    });
    // What comes after the long limit is used up waits for it, in a bundle.
    await waitFor(async () => (await openAlone(fleet())) === 0, {
      timeoutMs: 120_000,
      what: 'everything to be sent or bundled',
    });

    const first = await firstsOf(fleet());
    const slowest = Math.round(Math.max(...first));
    t.diagnostic(`raised in ${raisedMs} ms; the first of each source arrived within ${slowest} ms`);
    assert.equal(first.length, SOURCES * PEOPLE.length * 2, 'the first of each source has passed');
    assert.ok(slowest <= WITHIN_MS, `${slowest} ms`);
    for (const id of PEOPLE) {
      const [mails, texts] = [
        await sandbox.messages({ to: `${id}@storm.test` }),
        await sandbox.messages({ to: `+25191100080${PEOPLE.indexOf(id)}` }),
      ];
      // Ten firsts are more than the limit of the short window, and a bundle or two are all that comes besides.
      for (const [what, { length }] of Object.entries({ mails, texts }))
        assert.ok(length >= SOURCES + 1 && length <= 14, `${id} got ${length} ${what}`);
      assert.ok(
        mails.some(({ subject }) => /^\d+ more alerts$/.test(String(subject))),
        JSON.stringify(mails.map(({ subject }) => subject)),
      );
      const { rows } = await database.query<{ told: number }>(
        `SELECT count(*)::int AS told FROM delivery d JOIN notification n ON n.id = d.notification_id
         WHERE n.person_id = $1 AND d.channel = 'realtime' AND d.state = 'sent'`,
        [id],
      );
      assert.ok((rows[0]?.told ?? 0) >= ALERTS - 1);
    }
    const { rows: left } = await database.query(
      `SELECT d.reason FROM delivery d JOIN notification n ON n.id = d.notification_id
       WHERE n.alert_id IS NOT NULL AND d.channel IN ('email', 'sms') AND d.state <> 'skipped'
         AND NOT (d.state = 'sent' AND (d.reason IS NULL OR d.reason LIKE 'bundled_into:%'))
         AND d.reason IS DISTINCT FROM 'alert_acknowledged'`,
    );
    assert.deepEqual(left, []);
    const { rows: atOnce } = await database.query(
      "SELECT 1 FROM delivery WHERE provider = 'bundle' AND claim = 0",
    );
    t.diagnostic(`${atOnce.length} messages went into a bundle without a worker`);
    assert.ok(atOnce.length > 0);
  });

  test('what was held back is acknowledged from the bundle: by its code from the text message, by its link from the mail', async () => {
    const { person, sandbox, sandboxUrl, call } = fleet();
    for (const id of PEOPLE) await person(id, { roles: [] });
    const [email, phone] = ['eve@storm.test', '+251911000809'];
    await person('eve', { email, phone, roles: ['admin'] });
    const webhook = { url: `${PUBLIC_URL}/api/v1/inbound/twilio/sms`, auth_token: ACCOUNT };
    await ask('PUT', `${sandboxUrl}/sms/webhook`, webhook);
    const ids: string[] = [];
    for (let n = 0; n < 6; n += 1) ids.push(await raiseAlert(fleet(), 'held', { message: `Fault ${n}` }));
    const alertAt = async (n: number) => (await call('GET', `/alerts/${ids[n]}`)).body;
    const [mail, sms] = await Promise.all([
      sandbox.expectEmail(email, /more alerts/),
      sandbox.expectSms(phone, /more alerts/),
    ]);
    // How many are in a bundle depends on how quickly they were raised: the oldest of the one, and the newest of the other.
    const [, held = '', link = ''] =
      [...mail.text.matchAll(/Fault (\d)\n {2}Acknowledge: (\S+)/g)].at(-1) ?? [];
    const codes = [...sms.text.matchAll(/\((\d+)\)/g)].map(([, code]) => code);
    const newest = Math.max(
      ...(await Promise.all(
        ids.map(async (_, n) => (codes.includes(String((await alertAt(n)).code)) ? n : -1)),
      )),
    );
    assert.ok(newest > Number(held), `${sms.text}\n${mail.text}`);
    const code = String((await alertAt(newest)).code);
    const said = await ask('POST', `${sandboxUrl}/sms/replies`, { from: phone, text: `ACK ${code}` });
    assert.deepEqual(items(said.body.said).map(String), [`You have acknowledged alert ${code}.`]);
    assert.equal((await ask('POST', link)).status, 303, mail.text);
    for (const [n, via] of [
      [Number(held), 'link'],
      [newest, 'sms'],
    ] as const) {
      const { acknowledged_by, acknowledged_via } = await alertAt(n);
      assert.deepEqual([acknowledged_by, acknowledged_via].map(String), ['eve', via]);
    }
  });
});

/** A fleet in service is not cold: its canary goes through it each minute. */
async function warmUp({ person, send, untilSettled }: Fleet): Promise<void> {
  await person('warm', { email: 'warm@storm.test', phone: '+251911000899' });
  const message = { user_id: 'warm', type: 'test', message: 'Warm?', priority: 'critical' };
  for (let n = 0; n < 30; n += 1) await send({ ...message, channels: ['email', 'sms', 'realtime'] });
  await untilSettled();
}

/** How many deliveries are still to be sent that are no bundles. */
async function openAlone({ database }: Fleet): Promise<number> {
  const { rows } = await database.query<{ open: number }>(
    `SELECT count(*)::int AS open FROM delivery d JOIN notification n ON n.id = d.notification_id
     WHERE d.state IN ('scheduled', 'queued', 'sending', 'retrying', 'ambiguous') AND n.caller <> 'bundle'`,
  );
  return rows[0]?.open ?? 0;
}

/** Bundles that have been sent. */
async function bundles({ database }: Fleet): Promise<unknown[]> {
  const { rows } = await database.query(
    `SELECT d.id FROM delivery d JOIN notification n ON n.id = d.notification_id
     WHERE n.caller = 'bundle' AND d.state = 'sent'`,
  );
  return rows;
}

/** For each person, channel and source: how long after its first alert the first message was sent, in milliseconds. */
async function firstsOf({ database }: Fleet): Promise<number[]> {
  const { rows } = await database.query<{ took: number }>(
    `SELECT (extract(epoch FROM min(d.sent_at) - min(a.opened_at)) * 1000)::float8 AS took
     FROM alert a JOIN notification n ON n.alert_id = a.id JOIN delivery d ON d.notification_id = n.id
     WHERE d.channel IN ('email', 'sms') AND d.provider <> 'bundle' AND d.sent_at IS NOT NULL
     GROUP BY n.person_id, d.channel, a.source`,
  );
  return rows.map(({ took }) => took);
}
