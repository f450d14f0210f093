import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachEngine } from '../support/engines.js';
import { type Fleet, withFleet } from '../support/fleet.js';
import { waitFor } from '../support/wait.js';

forEachEngine((engine) => {
  test('workers remove what is older than RETENTION_DAYS, and the statistics do not change', async () => {
    await withFleet({ engine, env: { RETENTION_DAYS: '7' }, workers: [{}, {}] }, async (fleet) => {
      await fleet.person('sara', { email: 'sara@example.org' });
      const ids: string[] = [];
      for (const channels of [['email'], ['realtime'], ['email', 'realtime']])
        ids.push(await fleet.send({ user_id: 'sara', message: 'Hello', channels }));
      for (const id of ids) await fleet.untilStatus(id, 'SENT');
      const before = (await fleet.call('GET', '/notifications/stats')).body;
      const [aged = '', , kept = ''] = ids;
      const old = await makeOld(fleet, aged);
      assert.equal((await fleet.call('GET', `/notifications/${kept}`)).status, 200);
      await waitFor(async () => (await fleet.call('GET', `/notifications/${old}`)).status === 404, {
        timeoutMs: 60_000,
        what: 'the old notification to be gone',
      });
      assert.equal((await fleet.call('GET', `/notifications/${kept}`)).status, 200);
      assert.deepEqual((await fleet.call('GET', '/notifications/stats')).body, before);
      const { rows } = await fleet.database.query('SELECT event_type, status, count::int FROM pruned_count');
      assert.deepEqual(rows, [{ event_type: '', status: 'SENT', count: 1 }]);
      const listed = (await fleet.call('GET', '/notifications')).text;
      assert.ok(!listed.includes(old) && listed.includes(kept));
    });
  });
});

/** Sets everything about a notification back, its id too, which says when it was made. Returns the new id. */
async function makeOld({ database }: Fleet, id: string): Promise<string> {
  const old = `01000000${id.slice(8)}`;
  await database.query(
    `INSERT INTO notification (id, person_id, type, title, message, priority, caller, created_at, sent_at, sent_count)
     SELECT $2, person_id, type, title, message, priority, caller, created_at - interval '1 year', sent_at, sent_count
     FROM notification WHERE id = $1`,
    [id, old],
  );
  await database.query(
    `UPDATE delivery SET notification_id = $2, updated_at = now() - interval '1 year' WHERE notification_id = $1`,
    [id, old],
  );
  await database.query('DELETE FROM notification WHERE id = $1', [id]);
  return old;
}
