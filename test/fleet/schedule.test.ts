import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { forEachEngine } from '../support/engines.js';
import { type Fleet, useFleet } from '../support/fleet.js';
import { waitFor } from '../support/wait.js';
import { email, only } from './sending.js';

/** Shifts what BullMQ takes for the time. */
const AHEAD = '--import=data:text/javascript,const/**/now=Date.now;Date.now=()=>now()%2B60000';

forEachEngine((engine) => {
  describe('a schedule', () => {
    const fleet = useFleet({ engine, workers: [{ env: { NODE_OPTIONS: AHEAD } }] });

    test('is kept by the clock of the database, also by a worker whose own clock is a minute ahead', async () => {
      const { untilStatus, database, call } = fleet();
      const at = soon(6_000);
      const ids = await Promise.all(
        ['a', 'b', 'c'].map((name) => email(fleet(), `${name}@schedule.test`, { send_at: at })),
      );
      for (const id of ids) {
        const shown = await call('GET', `/notifications/${id}`);
        assert.deepEqual([shown.body.status, shown.body.deliveries?.[0]?.state], ['PENDING', 'scheduled']);
      }
      for (const id of ids) await untilStatus(id, 'SENT');
      const { rows } = await database.query(
        `SELECT bool_and(d.claimed_at >= n.send_at) AS kept, count(*)::int AS count
         FROM delivery d JOIN notification n ON n.id = d.notification_id WHERE n.id = ANY($1)`,
        [ids],
      );
      assert.deepEqual(rows, [{ kept: true, count: 3 }]);
      for (const id of ids) assert.equal((await only(fleet(), id)).tried.length, 1);
    });

    test('that was cancelled is not kept', async () => {
      const { call, sandbox, queues } = fleet();
      const cancelled = await email(fleet(), 'cancelled@schedule.test', { send_at: soon(5_000) });
      const { id } = await only(fleet(), cancelled);
      const answer = await call('POST', `/notifications/${cancelled}/cancel`, {});
      assert.deepEqual([answer.status, answer.body.status], [200, 'cancelled']);
      assert.equal((await call('POST', `/notifications/${cancelled}/cancel`, {})).status, 409);
      await waitFor(async () => (await queues.queue('email.normal').getJobState(id)) === 'completed', {
        timeoutMs: 20_000,
        what: 'the alarm to ring and find nothing to do',
      });
      assert.deepEqual(await sandbox.messages({ to: 'cancelled@schedule.test' }), []);
      assert.equal((await only(fleet(), cancelled)).state, 'cancelled');
      assert.equal((await call('GET', `/notifications/${cancelled}`)).body.status, 'CANCELLED');
    });
  });

  describe('between the call and the send', () => {
    const fleet = useFleet({ engine, workers: [] });

    test('a delivery can expire, and its person can go, pause, or say no; then nothing is sent, and the ledger says why', async () => {
      const { call, person, untilSettled, sandbox, addWorker, database } = fleet();
      const mailTo = async (name: string, more = {}) => {
        await person(name, { email: `${name}@wish.test` });
        const answer = await call('POST', '/notifications/send', {
          user_id: name,
          message: 'Hi',
          channels: ['email'],
          ...more,
        });
        return String(answer.body.notification_id);
      };
      const ids = {
        late: await mailTo('late', { expires_at: soon(1_000) }),
        erased: await mailTo('erased'),
        inactive: await mailTo('inactive'),
        unwilling: await mailTo('unwilling'),
        bounced: await mailTo('bounced'),
        willing: await mailTo('willing'),
      };
      assert.equal((await call('DELETE', '/users/erased')).status, 204);
      await person('inactive', { active: false });
      await person('unwilling', { preferences: { email: false } });
      await database.query(
        "INSERT INTO suppression (channel, address, reason) VALUES ('email', 'bounced@wish.test', 'bounced')",
      );
      await passed(fleet(), ids.late);
      await addWorker();
      await untilSettled();

      const ends = Object.fromEntries(
        await Promise.all(
          Object.entries(ids).map(async ([name, id]) => {
            const { state, reason } = await only(fleet(), id);
            return [name, `${state} ${reason}`];
          }),
        ),
      );
      assert.deepEqual(ends, {
        late: 'expired expired',
        erased: 'cancelled person_erased',
        inactive: 'suppressed person_inactive',
        unwilling: 'suppressed preference_off',
        bounced: 'suppressed bounced',
        willing: 'sent null',
      });
      assert.deepEqual(
        (await sandbox.messages()).map(({ to }) => to),
        ['willing@wish.test'],
      );
    });
  });
});

function soon(ms: number): string {
  return new Date(Date.now() + ms).toISOString();
}

/** Waits until the notification has expired by the database's clock. */
async function passed({ database }: Fleet, id: string): Promise<void> {
  await waitFor(
    async () => {
      const { rows } = await database.query(
        'SELECT expires_at < now() AS passed FROM notification WHERE id = $1',
        [id],
      );
      return rows[0]?.passed === true;
    },
    { timeoutMs: 30_000, what: 'the time to be over' },
  );
}
