import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { useFleet } from '../support/fleet.js';
import { type Answer, items } from '../support/http.js';
import { templatesWith } from '../support/templates-dir.js';
import { writesNothing } from './ledger-rows.js';
import { assertProblem } from './problem.js';

const QUIET = { from: '22:00', to: '07:00' };
const ALL_DAY_BUT_AN_HOUR = { from: '12:00', to: '11:00' };
const NOTHING_SAID = {
  ...{ realtime: true, email: true, sms: false, push: true, webhook: true },
  ...{ events: {}, quiet_hours: null },
};
const CONTEXT = { property_title: 'Flat 4B', amount: 1200 };

describe('what a person wishes', () => {
  const TEMPLATES_DIR = templatesWith({ lease_ends: 'mandatory: true' });
  const fleet = useFleet({ engine: 'postgres', workers: [], env: { TEMPLATES_DIR } });
  const path = (id: string) => `/users/${id}/preferences`;
  const put = (id: string, body: unknown) => fleet().call('PUT', path(id), body);
  const get = async (id: string) => (await fleet().call('GET', path(id))).body;
  const send = (id: string, event_type: string, more: object = {}) =>
    fleet().call('POST', '/notifications/send', { user_id: id, event_type, context: CONTEXT, ...more });
  const explain = (id: string, event_type: string, more: object = {}) =>
    fleet().call('POST', '/notifications/explain', { user_id: id, event_type, context: CONTEXT, ...more });

  /** What is done on each channel, in a word or two. */
  function done(answer: Answer): Record<string, string> {
    assert.equal(answer.status, 202, answer.text);
    return Object.fromEntries(
      items(answer.body.deliveries).map(({ channel, state, reason }) => [
        String(channel),
        [state, ...(reason === undefined ? [] : [reason])].join(' '),
      ]),
    );
  }

  test('is kept by event and channel, each by itself, until it is taken back', async () => {
    await fleet().person('said');
    assert.deepEqual(await get('said'), NOTHING_SAID);
    const first = await put('said', { sms: true, events: { payment_success: { email: false, sms: false } } });
    assert.equal(first.status, 200, first.text);
    const events = { payment_success: { email: false, sms: false } };
    assert.deepEqual(first.body, { ...NOTHING_SAID, sms: true, events });
    await put('said', { events: { payment_success: { push: true }, tenant_update: { sms: true } } });
    await put('said', { quiet_hours: QUIET });
    assert.deepEqual(await get('said'), {
      ...NOTHING_SAID,
      sms: true,
      events: { payment_success: { email: false, sms: false, push: true }, tenant_update: { sms: true } },
      quiet_hours: QUIET,
    });
    const [, last] = [
      await put('said', { events: { payment_success: { email: null, sms: null } } }),
      await put('said', { events: { tenant_update: null, gone: null }, quiet_hours: null }),
    ];
    assert.deepEqual(last.body, { ...NOTHING_SAID, sms: true, events: { payment_success: { push: true } } });
    assert.deepEqual(last.body, await get('said'));
  });

  test('of one event goes before what is wished of the channel, when sending and when explaining', async () => {
    await fleet().person('picky', { email: 'picky@example.org', phone: '+251911000042' });
    await put('picky', {
      email: false,
      events: { payment_success: { email: true, sms: true, realtime: false } },
    });
    const paid = {
      ...{ realtime: 'skipped event_preference_off', email: 'queued', sms: 'queued' },
      ...{ push: 'skipped no_device', webhook: 'skipped not_by_default' },
    };
    assert.deepEqual(done(await send('picky', 'payment_success')), paid);
    const failed = done(await send('picky', 'payment_failed'));
    assert.deepEqual([failed.realtime, failed.email, failed.sms], ['queued', OFF, OFF]);
    const { body } = await explain('picky', 'payment_success');
    assert.deepEqual(
      items(body.decisions).map(({ used, reason }) => `${used} ${reason}`),
      ['false event_preference_off', 'true event', 'true event', 'false no_device', 'false not_by_default'],
    );
  });

  test('does not keep a mandatory event away, but an absent address and being switched off do', async () => {
    const nothing = { realtime: false, email: false, sms: false };
    await fleet().person('tenant', { email: 'tenant@example.org', preferences: nothing });
    await put('tenant', { events: { lease_ends: { email: false } } });
    const ends = done(await send('tenant', 'lease_ends'));
    assert.deepEqual(
      [ends.realtime, ends.email, ends.sms],
      [OFF, 'queued', 'skipped no_address'],
      'on the channels of the event, and no other',
    );
    const { body } = await explain('tenant', 'lease_ends');
    assert.deepEqual([items(body.decisions)[1]?.used, items(body.decisions)[1]?.reason], [true, 'mandatory']);
    await fleet().database.query(
      "INSERT INTO suppression (channel, address, reason) VALUES ('email', 'tenant@example.org', 'bounced')",
    );
    assert.equal(done(await send('tenant', 'lease_ends')).email, 'skipped suppressed');
    await fleet().person('tenant', { active: false });
    assert.equal(done(await send('tenant', 'lease_ends')).email, 'skipped person_inactive');
  });

  test('about quiet hours schedules all but the critical for their end, and what would expire before is not sent', async () => {
    await fleet().person('sleeper', { email: 'sleeper@example.org', timezone: 'Africa/Addis_Ababa' });
    // By the clock in Addis Ababa it is quiet now, and until a moment that is to be found out.
    const quiet = await fleet().database.query<{ from: string; to: string; until: Date }>(
      `SELECT to_char(local - interval '1 hour', 'HH24:MI') AS from, to_char(local + interval '3 hours', 'HH24:MI') AS to,
         date_trunc('minute', now()) + interval '3 hours' AS until
       FROM (SELECT now() AT TIME ZONE 'Africa/Addis_Ababa' AS local) AS here`,
    );
    assert.ok(quiet.rows[0]);
    const { from, to, until } = quiet.rows[0];
    await put('sleeper', { quiet_hours: { from, to } });
    const answer = await send('sleeper', 'payment_success');
    assert.equal(answer.body.status, 'scheduled');
    const asleep = { realtime: 'scheduled quiet_hours', email: 'scheduled quiet_hours' };
    const { realtime, email } = done(answer);
    assert.deepEqual({ realtime, email }, asleep);
    const stored = await fleet().call('GET', `/notifications/${answer.body.notification_id}`);
    assert.deepEqual([stored.body.status, stored.body.send_at], ['PENDING', null]);
    assert.equal(items(stored.body.deliveries)[0]?.due_at, until.toISOString());

    const shown = items((await explain('sleeper', 'payment_success')).body.decisions);
    assert.deepEqual(
      shown.map(({ used, deferred_until }) => [used, deferred_until]),
      [
        [true, until.toISOString()],
        [true, until.toISOString()],
        ...[
          [false, undefined],
          [false, undefined],
          [false, undefined],
        ],
      ],
    );

    const critical = await send('sleeper', 'payment_success', { priority: 'critical' });
    assert.deepEqual([critical.body.status, done(critical).email], ['queued', 'queued']);
    const late = await send('sleeper', 'payment_success', { expires_at: until.toISOString() });
    assert.equal(done(late).email, 'skipped expires_in_quiet_hours');
    const why = await explain('sleeper', 'payment_success', { expires_at: until.toISOString() });
    assert.equal(items(why.body.decisions)[1]?.reason, 'expires_in_quiet_hours');
    const inTime = await send('sleeper', 'payment_success', {
      expires_at: new Date(until.getTime() + 1_000).toISOString(),
    });
    assert.equal(done(inTime).email, 'scheduled quiet_hours');
  });

  test('about quiet hours moves what was to be sent in them, and leaves what was to be sent after them', async () => {
    await fleet().person('planner', { email: 'planner@example.org', timezone: 'Africa/Addis_Ababa' });
    await put('planner', { quiet_hours: QUIET });
    const due = async (send_at: string) => {
      const answer = await send('planner', 'payment_success', { send_at });
      const stored = await fleet().call('GET', `/notifications/${answer.body.notification_id}`);
      assert.equal(new Date(String(stored.body.send_at)).getTime(), new Date(send_at).getTime());
      return [done(answer).email, items(stored.body.deliveries)[1]?.due_at];
    };
    const day = new Date(Date.now() + 40 * 24 * 3_600_000).toISOString().slice(0, 10);
    const seven = `${day}T04:00:00.000Z`;
    assert.deepEqual(await due(`${day}T02:30:00+03:00`), ['scheduled quiet_hours', seven]);
    assert.deepEqual(await due(`${day}T07:00:00+03:00`), ['scheduled', seven]);
    assert.deepEqual(await due(`${day}T21:59:59+03:00`), ['scheduled', `${day}T18:59:59.000Z`]);
    const { rows } = await fleet().database.query(
      `SELECT count(*)::int AS count FROM delivery WHERE state = 'scheduled' AND generation = 0 AND due_at > now() + interval '30 days'`,
    );
    assert.deepEqual(rows, [{ count: 6 }], 'what is more than a day away waits in SQL, without a job');
  });

  test('that makes no sense is refused by its name, and changes nothing', async () => {
    await fleet().person('odd', { preferences: { sms: true } });
    const wrong: readonly (readonly [unknown, string, RegExp])[] = [
      [{}, '', /at least one/],
      [[], '', /an object/],
      [{ fax: true }, 'fax', /no channel; channels: realtime, email/],
      [{ sms: true, fax: true }, 'fax', /no channel/],
      [{ Email: true }, 'Email', /no channel/],
      [{ email: 'yes' }, 'email', /true or false/],
      [{ email: null }, 'email', /true or false/],
      [{ events: null }, 'events', /an object/],
      [{ events: [] }, 'events', /an object/],
      [{ events: { payment_success: true } }, 'events.payment_success', /an object/],
      [{ events: { payment_success: { fax: true } } }, 'events.payment_success.fax', /no channel/],
      [{ events: { payment_success: { email: 1 } } }, 'events.payment_success.email', /true or false/],
      [
        { events: { payment_succes: { email: false } } },
        'events.payment_succes',
        /no event "payment_succes"\. Events: /,
      ],
      [{ events: { constructor: { email: false } } }, 'events.constructor', /no event "constructor"/],
      [{ events: { _message: { email: false } } }, 'events._message', /no event/],
      [{ events: { 'a b': { email: false } } }, 'events.a b', /no name of an event/],
      [{ events: { ['x'.repeat(129)]: null } }, `events.${'x'.repeat(129)}`, /no name of an event/],
      [
        { events: Object.fromEntries(Array.from({ length: 501 }, (_, n) => [`e${n}`, null])) },
        'events',
        /500/,
      ],
      [{ quiet_hours: '22:00' }, 'quiet_hours', /an object/],
      [{ quiet_hours: true }, 'quiet_hours', /an object/],
      [{ quiet_hours: {} }, 'quiet_hours.from', /required/],
      [{ quiet_hours: { from: '22:00' } }, 'quiet_hours.to', /required/],
      [{ quiet_hours: { from: null, to: '07:00' } }, 'quiet_hours.from', /a string/],
      [{ quiet_hours: { from: '24:00', to: '07:00' } }, 'quiet_hours.from', /time of the day such as 22:00/],
      [{ quiet_hours: { from: '9:00', to: '07:00' } }, 'quiet_hours.from', /time of the day/],
      [{ quiet_hours: { from: '22:60', to: '07:00' } }, 'quiet_hours.from', /time of the day/],
      [{ quiet_hours: { from: '22:00:00', to: '07:00' } }, 'quiet_hours.from', /time of the day/],
      [{ quiet_hours: { from: '22:00\n', to: '07:00' } }, 'quiet_hours.from', /time of the day/],
      [{ quiet_hours: { from: '٢٢:٠٠', to: '07:00' } }, 'quiet_hours.from', /time of the day/],
      [{ quiet_hours: { from: '07:00', to: '07:00' } }, 'quiet_hours.to', /must differ from from/],
      [{ quiet_hours: { from: '07:00', to: '06:01' } }, 'quiet_hours.to', /leave an hour/],
      [{ quiet_hours: { ...QUIET, zone: 'UTC' } }, 'quiet_hours.zone', /from and to/],
      [{ quietHours: QUIET }, 'quietHours', /no channel.*quiet_hours/],
    ];
    await writesNothing(fleet(), async () => {
      for (const [body, where, what] of wrong) {
        const answer = await put('odd', body);
        assertProblem(answer, 422, { path: where });
        const said = items(answer.body.errors).find((error) => String(error.path) === where);
        assert.match(String(said?.message), what, answer.text);
      }
    });
    assert.deepEqual(await get('odd'), { ...NOTHING_SAID, sms: true });
    assert.equal((await put('odd', { quiet_hours: ALL_DAY_BUT_AN_HOUR })).status, 200);
  });

  test('comes with an import too, where the later line of one person goes over the earlier', async () => {
    const lines = [
      { id: 'come', preferences: { sms: true, events: { payment_success: { email: false, sms: false } } } },
      { id: 'come', preferences: { quiet_hours: QUIET, events: { payment_success: { email: true } } } },
      { id: 'reset', preferences: { events: { tenant_update: { sms: false, email: false } } } },
      { id: 'reset', preferences: { events: { tenant_update: null } } },
      { id: 'reset', preferences: { events: { tenant_update: { push: false } } } },
      { id: 'typo', preferences: { events: { no_such: { email: false } } } },
    ];
    const body = lines.map((line) => JSON.stringify(line)).join('\n');
    const headers = { 'content-type': 'application/x-ndjson' };
    const { body: told } = await fleet().call('POST', '/users/import', body, { headers });
    assert.deepEqual([told.imported, told.refused_count], [5, 1]);
    assert.match(JSON.stringify(told.refused), /preferences\.events\.no_such.*There is no event/);
    assert.deepEqual(await get('come'), {
      ...NOTHING_SAID,
      sms: true,
      events: { payment_success: { email: true, sms: false } },
      quiet_hours: QUIET,
    });
    assert.deepEqual((await get('reset')).events, { tenant_update: { push: false } });
  });

  test('is in the audit trail by its fields alone, and goes with the person', async () => {
    await fleet().person('trail');
    await put('trail', { sms: true, events: { payment_success: { email: false } }, quiet_hours: QUIET });
    const { rows } = await fleet().database.query(
      `SELECT details FROM audit_event WHERE action = 'preferences.put' ORDER BY id DESC LIMIT 1`,
    );
    assert.deepEqual(rows, [{ details: { fields: ['sms', 'events', 'quiet_hours'] } }]);
    await fleet().call('DELETE', '/users/trail');
    await fleet().person('trail');
    assert.deepEqual(await get('trail'), NOTHING_SAID);
  });
});

const OFF = 'skipped preference_off';
