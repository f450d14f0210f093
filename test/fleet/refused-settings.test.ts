import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Sandbox, startSandbox } from '@belfry/sandbox/app.js';
import { forEachEngine } from '../support/engines.js';
import { type Fleet, startFleet, useFleet } from '../support/fleet.js';
import { readiness } from '../support/ready.js';
import { sandboxClient } from '../support/sandbox-client.js';
import { waitFor } from '../support/wait.js';
import { addressesAt, emails } from './sending.js';

const HOLD_MS = 8_000;
const COUNT = 100;
const REFUSED = {
  channel: 'email',
  action: { kind: 'smtp', code: 535, at: 'mail', enhanced: '5.7.8' },
} as const;
const changes = ({ logs }: Fleet) => logs().filter((line) => line.includes('"event":"provider_changed"'));

forEachEngine((engine) => {
  describe('when the only account refuses our settings', () => {
    const workers = [{}, {}];
    const env = { RETRY_SWEEP_MS: String(HOLD_MS) };
    const fleet = useFleet({ engine, workers, env });

    test('messages are kept, nearly nobody asks it, /ready and each log say so once, and all is sent when it is mended', async () => {
      const { sandbox, database, untilSettled } = fleet();
      await sandbox.fault(REFUSED);
      await emails(fleet(), addressesAt('held.test', COUNT));
      const states = async () => {
        const { rows } = await database.query(
          'SELECT state, reason, attempts, count(*)::int AS count FROM delivery GROUP BY 1, 2, 3',
        );
        return rows;
      };
      const held = [{ state: 'retrying', reason: 'misconfigured', attempts: 0, count: COUNT }];
      await waitFor(async () => assert.deepEqual(await states(), held) ?? true, { timeoutMs: 60_000 });
      const ready = await waitFor(
        async () => {
          const answer = await readiness(fleet());
          return answer.providers.length > 0 ? answer : undefined;
        },
        { timeoutMs: 20_000 },
      );
      assert.deepEqual([ready.status, ready.failing], ['degraded', ['providers']]);
      const [account] = ready.providers;
      assert.deepEqual(
        [account?.account, account?.state, account?.code],
        ['smtp', 'misconfigured', '535 5.7.8'],
      );

      // Through three more looks of each worker: one message each, and not a hundred.
      const tries = async () => (await sandbox.calls()).email.tries;
      const first = await tries();
      await waitFor(async () => (await tries()) >= first + 6, { timeoutMs: 60_000 });
      const { rows } = await database.query('SELECT count(*)::int AS attempts FROM attempt');
      // At first those that were in hand before there was an answer, eight for each worker.
      assert.ok(
        rows[0]?.attempts < 40,
        `${rows[0]?.attempts} attempts for ${COUNT} messages in three rounds`,
      );
      assert.equal(changes(fleet()).length, workers.length, changes(fleet()).join('\n'));
      assert.ok(changes(fleet()).every((line) => line.includes('"level":"error"')));

      await sandbox.clearFaults();
      await untilSettled({ timeoutMs: 60_000 });
      assert.equal((await sandbox.stats()).total, COUNT);
      const mended = await database.query('SELECT max(attempts) AS attempts FROM delivery');
      assert.deepEqual(mended.rows, [{ attempts: 1 }], 'waiting has cost nothing');
      await waitFor(async () => (await readiness(fleet())).status === 'ready', { timeoutMs: 30_000 });
      assert.equal(changes(fleet()).length, 2 * workers.length, 'and once each that it works again');
    });
  });

  describe('when one of two accounts refuses our settings', () => {
    let second: Sandbox;
    let fleet: Fleet;
    before(async () => {
      second = await startSandbox({ host: '127.0.0.1', httpPort: 0, smtpPort: 0 });
      const env = { SMTP_URL_2: second.smtpUrl, RETRY_SWEEP_MS: '3600000', WORKER_CONCURRENCY: '8' };
      fleet = await startFleet({ engine, env });
    });
    after(async () => {
      await fleet.stop().finally(() => second.stop());
    });

    test('its messages go by the other at once', async () => {
      const { sandbox, untilSettled, database } = fleet;
      await sandbox.fault(REFUSED);
      await emails(fleet, addressesAt('other.test', 100));
      await untilSettled();
      assert.equal((await sandboxClient(second.httpUrl).stats()).total, 100);
      assert.ok((await sandbox.calls()).email.tries <= 8, 'only those that were in hand had asked it');
      const { rows } = await database.query(
        "SELECT provider, count(*)::int AS count FROM attempt WHERE outcome = 'sent' GROUP BY provider",
      );
      assert.deepEqual(rows, [{ provider: 'smtp-2', count: 100 }]);
    });
  });
});
