import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { forEachEngine } from '../support/engines.js';
import { useFleet } from '../support/fleet.js';
import { items } from '../support/http.js';
import { waitFor } from '../support/wait.js';
import { addressesAt, emails } from './sending.js';

const OPS = 'ops@example.org';

// Most of it is waiting, so both engines wait at the same time.
describe('the mail to the operator', { concurrency: true }, () => {
  forEachEngine((engine) => {
    const fleet = useFleet({
      engine,
      workers: [{}, {}],
      env: {
        OPERATOR_EMAIL: OPS,
        OPERATOR_EMAIL_EVERY_MS: '2000',
        RETRY_SWEEP_MS: '3600000',
        MAX_ATTEMPTS: '1',
      },
    });

    test('the operator is told by mail of what failed for good, each death once, and a mail that cannot be sent causes no other', async () => {
      const { sandbox, database, call, untilSettled } = fleet();
      const rejected = { kind: 'smtp', code: 550 } as const;
      await sandbox.fault({ channel: 'email', recipient: '*@gone.test', action: rejected });
      await emails(fleet(), addressesAt('gone.test', 7));
      await untilSettled({ timeoutMs: 90_000 });
      const first = await sandbox.expectEmail(OPS, /^Belfry: \d deliver(y|ies) given up for good$/, {
        timeoutMs: 90_000,
      });
      assert.match(first.text, /\d × rejected: email by smtp, 550/);
      assert.ok(!first.text.includes('@gone.test'));

      await sandbox.fault({ channel: 'email', recipient: OPS, action: rejected });
      await emails(fleet(), ['n8@gone.test']);
      const told = async () =>
        (
          await database.query<{ state: string; title: string }>(
            `SELECT d.state, n.title FROM notification n JOIN delivery d ON d.notification_id = n.id
           WHERE n.type = 'operator_report' ORDER BY n.id`,
          )
        ).rows;
      const count = async () =>
        (await told()).reduce((sum, { title }) => sum + Number(/(\d+) deliver/.exec(title)?.[1]), 0);
      await waitFor(async () => (await count()) === 8, {
        timeoutMs: 60_000,
        what: 'all eight to be told of',
      });
      await untilSettled();
      const unsent = (await told()).filter(({ state }) => state === 'dead').length;
      assert.ok(unsent > 0, 'the last one could not be sent');
      const listed = items((await call('GET', `/dead-letters?search=${OPS}`)).body);
      assert.equal(listed.length, unsent, 'operators find it where they look');

      // Were it to cause another mail, it would do so as soon as it counts as settled and the interval is over.
      await database.query(
        `WITH told AS (UPDATE delivery SET dead_at = dead_at - interval '2 min' WHERE address LIKE '%@gone.test'),
         mails AS (UPDATE delivery SET dead_at = dead_at - interval '20 s' WHERE address = $1)
       UPDATE upkeep SET ran_at = ran_at - interval '40 s' WHERE task = 'operator-mail'`,
        [OPS],
      );
      const reports = (await told()).length;
      const sweeps = async () =>
        (await database.query("SELECT ran_at::text AS at FROM upkeep WHERE task = 'reconcile'")).rows[0]?.at;
      for (let turn = 0; turn < 14; turn += 1) {
        const last = await sweeps();
        await waitFor(async () => (await sweeps()) !== last);
      }
      assert.equal((await told()).length, reports);
    });
  });
});
