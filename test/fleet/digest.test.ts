import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { forEachEngine } from '../support/engines.js';
import { type Fleet, useFleet } from '../support/fleet.js';
import { templatesWith } from '../support/templates-dir.js';
import { waitFor } from '../support/wait.js';
import { wipe } from './wipe.js';

const EVENTS = {
  visit: 'digest: { window_minutes: 30, most: 4 }',
  alarm: 'limit: { per_hour: 2 }',
};
const FILES = {
  'visit/en/digest.title.liquid': '{{ count }} visits',
  'visit/en/digest.body.liquid': '{% for item in items %}[{{ item.update }}] {% endfor %}',
};

forEachEngine((engine) => {
  describe('an event that is held back', () => {
    const TEMPLATES_DIR = templatesWith(EVENTS, FILES);
    const fleet = useFleet({ engine, workers: [{}, {}], env: { TEMPLATES_DIR } });

    test('is told of in digests, each visit once, though a worker is killed and the queues are emptied', async () => {
      const { person, send, call, workers, addWorker, untilStatus, untilSettled, sandbox, database } =
        fleet();
      await person('host', { email: 'host@digest.test' });
      const visits = Array.from({ length: 42 }, (_, n) => visit('host', `v${n}`));
      const answer = await call('POST', '/notifications/batch', { notifications: visits });
      const ids = [...answer.text.matchAll(/"notification_id":"([^"]+)"/g)].map(([, id]) => String(id));
      assert.equal(ids.length, 42);
      const some = async () => (await sandbox.messages({ to: 'host@digest.test' })).length > 1;
      await waitFor(some, { timeoutMs: 60_000, what: 'two digests to arrive' });
      workers[0]?.kill();
      await addWorker();
      const urgent = await send({ ...visit('host', 'urgent'), priority: 'critical' });
      const brief = await send({
        ...visit('host', 'brief'),
        expires_at: new Date(Date.now() + 3_600_000).toISOString(),
      });
      for (const id of [...ids, urgent, brief]) await untilStatus(id, 'SENT', { timeoutMs: 60_000 });

      // 42 are ten digests of four, and two visits whose window ends now.
      const waits = async () => {
        const { rows } = await database.query<{ id: string; items: number }>(
          `SELECT d.id, jsonb_array_length(n.context->'items') AS items FROM delivery d JOIN notification n ON n.id = d.notification_id
           WHERE n.digest AND d.state = 'scheduled'`,
        );
        return rows;
      };
      await waitFor(async () => (await waits()).length === 1 && (await waits())[0]?.items === 2, {
        timeoutMs: 60_000,
        what: 'ten digests to be sent, and one of two to wait',
      });
      await wipe(fleet());
      await database.query(
        `UPDATE delivery SET due_at = now() WHERE state = 'scheduled' AND reason = 'digest'`,
      );
      await untilSettled();

      const mails = await arrived(fleet());
      assert.deepEqual(mails.map(({ subject }) => subject).sort(), [
        '2 visits',
        ...Array<string>(10).fill('4 visits'),
        'Tenant update: Flat 4B',
        'Tenant update: Flat 4B',
      ]);
      const told = mails.flatMap(({ text }) => [...text.matchAll(/\[(v\d+)\]/g)].map(([, n]) => n));
      assert.deepEqual(told.sort(), visits.map(({ context }) => context.update).sort());
      const alone = mails
        .filter(({ subject }) => subject?.startsWith('Tenant'))
        .map(({ text }) => /urgent|brief/.exec(text)?.[0]);
      assert.deepEqual(alone.sort(), ['brief', 'urgent'], 'what is critical or expires waits for no others');
      const shown = await call('GET', `/notifications/${ids[0]}`);
      const reason = /"reason":"gathered_into:([^"]+)"/.exec(shown.text)?.[1];
      const digest = await call('GET', `/notifications/${reason}`);
      assert.deepEqual(
        [digest.body.status, digest.body.caller, digest.body.event_type],
        ['SENT', 'digest', 'visit'],
      );
    });

    test('goes out as often as it may within the hour, on all its channels; what is more is explained, and the critical passes', async () => {
      const { person, send, untilStatus, deliveries, sandbox } = fleet();
      await sandbox.clear();
      await person('guard', { email: 'guard@digest.test' });
      const alarm = { user_id: 'guard', event_type: 'alarm', channels: ['realtime', 'email'] };
      const context = { property_title: 'Flat 4B' };
      const ids = await Promise.all(Array.from({ length: 7 }, () => send({ ...alarm, context })));
      const over = async () =>
        (await Promise.all(ids.map(deliveries))).flat().every(({ state }) => ENDS.includes(state));
      await waitFor(over, { timeoutMs: 60_000, what: 'all alarms to have ended' });
      const ends = await Promise.all(
        ids.map(async (id) =>
          (await deliveries(id)).map(({ state, reason }) => `${state} ${reason}`).join(', '),
        ),
      );
      const limited = 'suppressed hourly_limit';
      assert.deepEqual(ends.sort(), [
        ...Array<string>(2).fill('sent null, sent null'),
        ...Array<string>(5).fill(`${limited}, ${limited}`),
      ]);
      await untilStatus(await send({ ...alarm, context, priority: 'critical' }), 'SENT');
      assert.equal((await sandbox.messages({ to: 'guard@digest.test' })).length, 3);
    });
  });
});

const ENDS = ['sent', 'suppressed'];

function visit(user_id: string, update: string) {
  return {
    user_id,
    event_type: 'visit',
    context: { property_title: 'Flat 4B', update },
    channels: ['email'],
  };
}

/** What arrived for the host. A mail that was in a killed worker's hands may come again, under the Message-ID that it had. */
async function arrived({ sandbox }: Fleet) {
  const mails = await sandbox.messages({ to: 'host@digest.test' });
  return [...new Map(mails.map((mail) => [mail.message_id, mail])).values()];
}
