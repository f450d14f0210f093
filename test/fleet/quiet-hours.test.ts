import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { forEachEngine } from '../support/engines.js';
import { type Fleet, useFleet } from '../support/fleet.js';
import { templatesWith } from '../support/templates-dir.js';
import { waitFor } from '../support/wait.js';
import { only } from './sending.js';
import { wipe } from './wipe.js';

const CONTEXT = { property_title: 'Flat 4B', amount: 1200 };
/** Quiet hours end with a minute, and everything that is to be seen before has to fit in. */
const AT_LEAST_S = 35;

forEachEngine((engine) => {
  describe('a wish between the call and the send', () => {
    const TEMPLATES_DIR = templatesWith({ lease_ends: 'mandatory: true' });
    const fleet = useFleet({ engine, workers: [], env: { TEMPLATES_DIR } });

    test('is heard: what is not critical waits until the person is up and is then sent once, though the queues were emptied', async () => {
      const { call, person, send, addWorker, untilStatus, untilSettled, deliveries, sandbox, database } =
        fleet();
      const { from, to, until } = await nowUntilNextMinute(fleet());
      const sleeps = (id: string) => call('PUT', `/users/${id}/preferences`, { quiet_hours: { from, to } });
      const mail = (id: string, more: object = {}) =>
        send({ user_id: id, event_type: 'payment_success', context: CONTEXT, channels: ['email'], ...more });
      const names = ['sleeper', 'dozer', 'choosy', 'tenant'];
      for (const id of names) await person(id, { email: `${id}@quiet.test`, timezone: 'Africa/Addis_Ababa' });

      // Asleep when it is sent.
      await sleeps('sleeper');
      const [waiting, urgent] = [await mail('sleeper'), await mail('sleeper', { priority: 'critical' })];
      const note = await send({ user_id: 'sleeper', message: 'Hi', channels: ['realtime'] });
      const late = await mail('sleeper', { expires_at: new Date(until.getTime() - 1_000).toISOString() });
      // Awake then, and asleep, or of another mind, when a worker comes.
      const [dozing, tooLate] = [
        await mail('dozer'),
        await mail('dozer', { expires_at: new Date(until.getTime() - 1_000).toISOString() }),
      ];
      const [unwanted, other] = [
        await mail('choosy'),
        await mail('choosy', { event_type: 'payment_failed' }),
      ];
      const must = await mail('tenant', { event_type: 'lease_ends' });
      await sleeps('dozer');
      await call('PUT', '/users/choosy/preferences', { events: { payment_success: { email: false } } });
      await call('PUT', '/users/tenant/preferences', {
        email: false,
        events: { lease_ends: { email: false } },
      });
      await addWorker();

      for (const id of [urgent, other, must]) await untilStatus(id, 'SENT');
      const deferred = await waitFor(async () => {
        const one = await only(fleet(), dozing);
        return one.state === 'scheduled' ? one : undefined;
      });
      assert.deepEqual([deferred.reason, deferred.attempts, deferred.tried], ['quiet_hours', 0, []]);
      await untilStatus(tooLate, 'FAILED');
      const ends = async (id: string) =>
        (await deliveries(id)).map(({ state, reason }) => `${state} ${reason}`);
      assert.deepEqual(await ends(tooLate), ['expired expires_in_quiet_hours']);
      assert.deepEqual(await ends(unwanted), ['suppressed event_preference_off']);
      assert.deepEqual(await ends(late), [], 'it was not taken on at all');
      const found = await database.query('SELECT now() < $1 AS early', [until]);
      assert.deepEqual(found.rows, [{ early: true }], 'the person is still asleep');
      for (const id of [waiting, note]) assert.deepEqual(await ends(id), ['scheduled quiet_hours']);

      await wipe(fleet());
      for (const id of [waiting, note, dozing]) await untilStatus(id, 'SENT', { timeoutMs: 120_000 });
      await untilSettled();
      const kept = await database.query(
        `SELECT bool_and(d.sent_at >= $2) AS kept, max(d.tries) AS tries, bool_and(d.first_attempt_at >= $2) AS whole
         FROM delivery d WHERE d.notification_id = ANY($1) AND d.state = 'sent'`,
        [[waiting, note, dozing], until],
      );
      assert.deepEqual(kept.rows, [{ kept: true, tries: 1, whole: true }]);
      assert.deepEqual(
        (await sandbox.messages()).map(({ to }) => to).sort(),
        ['choosy', 'dozer', 'sleeper', 'sleeper', 'tenant'].map((id) => `${id}@quiet.test`),
      );
    });
  });
});

/** Quiet hours of somebody in Addis Ababa that have lasted for an hour and end with one of the next minutes, by the database. */
async function nowUntilNextMinute({ database }: Fleet): Promise<{ from: string; to: string; until: Date }> {
  const { rows } = await database.query<{ from: string; to: string; until: Date }>(
    `SELECT to_char(until AT TIME ZONE zone - interval '1 hour', 'HH24:MI') AS from,
       to_char(until AT TIME ZONE zone, 'HH24:MI') AS to, until
     FROM (SELECT 'Africa/Addis_Ababa' AS zone,
       date_trunc('minute', now() + $1 * interval '1 second') + interval '1 minute' AS until) AS next`,
    [AT_LEAST_S],
  );
  assert.ok(rows[0]);
  return rows[0];
}
