import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { forEachEngine } from '../support/engines.js';
import { type Fleet, useFleet } from '../support/fleet.js';
import { items } from '../support/http.js';
import type { TestProcess } from '../support/process.js';
import { waitFor } from '../support/wait.js';
import { addressesAt, email, emails, only, outcomes } from './sending.js';

const POISON_AFTER = 4;
const POISON = 'poison@example.org';

// Most of it is waiting, so both engines wait at the same time.
describe('a delivery that kills its workers', { concurrency: true }, () => {
  forEachEngine((engine) => {
    const fleet = useFleet({
      engine,
      workers: [{ queues: 'email.*' }, { queues: 'email.*' }],
      env: { POISON_AFTER: String(POISON_AFTER), WORKER_CONCURRENCY_EMAIL: '150' },
    });

    test('is quarantined, while all others arrive and none of them is taken for it', async (t) => {
      const { sandbox, addWorker, untilSettled, untilStatus, call, database } = fleet();
      await sandbox.fault({ channel: 'email', recipient: POISON, action: { kind: 'hang' } });
      // They are in hand for so long that they come back together with the poison and meet the next kill too.
      const good = addressesAt('good.test', 300);
      await sandbox.fault({
        channel: 'email',
        recipient: '*@good.test',
        action: { kind: 'delay', ms: 1_500 },
      });
      const poison = await email(fleet(), POISON);
      const first = await holderOf(fleet(), poison, 0);
      await emails(fleet(), good);
      await waitFor(async () => (await inHandOf(fleet(), first)) > 10, { what: 'neighbours of the poison' });

      for (let killed = 0; killed < POISON_AFTER; killed += 1) {
        const holder = await holderOf(fleet(), poison, killed);
        holder.kill();
        t.diagnostic(
          `killed ${killed + 1} of ${POISON_AFTER} with ${await inHandOf(fleet(), holder)} mails in hand`,
        );
        await addWorker({ queues: 'email.*' });
      }
      await untilStatus(poison, 'FAILED', { timeoutMs: 60_000 });
      await untilSettled({ timeoutMs: 120_000 });

      const quarantined = await only(fleet(), poison);
      assert.deepEqual([quarantined.state, quarantined.reason], ['dead', 'lost_too_many_workers']);
      assert.deepEqual(outcomes(quarantined), Array(POISON_AFTER).fill('ambiguous worker-lost'));
      const { rows } = await database.query<{ state: string; worst: number; met: number }>(
        `SELECT state, max(interruptions) AS worst, count(*) FILTER (WHERE interruptions > 0)::int AS met
       FROM delivery WHERE address LIKE '%@good.test' GROUP BY state`,
      );
      const [innocent, ...others] = rows;
      assert.deepEqual([innocent?.state, others], ['sent', []]);
      t.diagnostic(
        `${innocent?.met} good mails went down with a worker, none more than ${innocent?.worst} times`,
      );
      assert.ok((innocent?.met ?? 0) >= 10, 'there were innocents to be told apart');
      assert.ok((innocent?.worst ?? 99) <= 2, 'after the second time they were kept apart from the poison');
      const arrived = new Set((await sandbox.messages({ to: '*@good.test' })).map(({ to }) => to));
      assert.deepEqual([...arrived].sort(), good.toSorted());

      const listed = items((await call('GET', '/dead-letters?class=poison')).body);
      assert.deepEqual(
        listed.map(({ id, reason, interruptions, code, retryable }) => ({
          id,
          reason,
          interruptions,
          code,
          retryable,
        })),
        [
          {
            id: quarantined.id,
            reason: 'lost_too_many_workers',
            interruptions: POISON_AFTER,
            code: 'worker-lost',
            retryable: false,
          },
        ],
      );
      await sandbox.clearFaults();
      // What a worker had handed over whole when it was killed is kept, as by a real server.
      const before = (await sandbox.messages({ to: POISON })).length;
      const replayed = await call('POST', '/dead-letters/replay', { ids: [quarantined.id] });
      assert.equal(replayed.body.replayed, 1, replayed.text);
      await untilStatus(poison, 'SENT');
      assert.equal((await sandbox.messages({ to: POISON })).length, before + 1);
    });
  });
});

/** The worker that has the delivery in its hands after so many others were lost with it. */
async function holderOf({ database, workers }: Fleet, id: string, lost: number): Promise<TestProcess> {
  return waitFor(
    async () => {
      const { rows } = await database.query<{ lease_owner: string }>(
        "SELECT lease_owner FROM delivery WHERE notification_id = $1 AND state = 'sending' AND interruptions = $2",
        [id, lost],
      );
      return workers.find(({ ready }) => ready.worker === rows[0]?.lease_owner);
    },
    { timeoutMs: 60_000, what: `somebody to hold the delivery after ${lost} losses` },
  );
}

async function inHandOf({ database }: Fleet, worker: TestProcess): Promise<number> {
  const { rows } = await database.query<{ count: number }>(
    "SELECT count(*)::int AS count FROM delivery WHERE state = 'sending' AND lease_owner = $1",
    [worker.ready.worker],
  );
  return rows[0]?.count ?? 0;
}
