import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { forEachEngine } from '../support/engines.js';
import { useFleet } from '../support/fleet.js';
import { waitFor } from '../support/wait.js';
import { addressesAt, emails, only, sms } from './sending.js';

/* Far below what even a busy machine can send, so that it is the limit that is seen. */
const RATE = 10;
const COUNT = 100;

forEachEngine((engine) => {
  describe('an account with a limit, and two workers', () => {
    const fleet = useFleet({
      engine,
      workers: [{}, {}],
      env: { SMTP_RATE: `${RATE}/1s`, SWEEP_INTERVAL_MS: '5000' },
    });

    test('is never sent more than the limit allows, loses nothing, and holds up no other channel', async (t) => {
      const { sandbox, untilSettled, untilStatus, database } = fleet();
      await emails(fleet(), addressesAt('paced.test', COUNT));
      await waitFor(async () => (await sandbox.stats()).total >= RATE, { timeoutMs: 30_000 });
      const id = await sms(fleet(), '+251911000301');
      await untilStatus(id, 'SENT');
      const then = (await sandbox.stats()).by_channel.email;
      assert.ok(then < COUNT, `${then} mails had gone by then, and a text message did not wait for the rest`);
      await untilSettled({ timeoutMs: 90_000 });

      const arrivals = (await sandbox.messages({ channel: 'email' })).map(({ received_at }) =>
        Date.parse(received_at),
      );
      assert.equal(arrivals.length, COUNT);
      const spanMs = (arrivals.at(-1) ?? 0) - (arrivals[0] ?? 0);
      const most = busiest(arrivals, 1_000);
      t.diagnostic(`${engine}: ${COUNT} in ${spanMs} ms, at most ${most} in any second`);
      assert.ok(spanMs >= (COUNT / RATE - 2) * 1_000, `${COUNT} in ${spanMs} ms`);
      // A window ends where it ends: the last of one and the first of the next may fall into one second. What was let through
      // before that may have been on its way for a while on a busy machine, so a third window may show in it.
      assert.ok(most <= 3 * RATE, `${most} in one second`);
      assert.ok(
        busiest(arrivals, 5_000) <= 7 * RATE,
        'and over five seconds there are seven windows at most',
      );

      const { rows } = await database.query(
        `SELECT d.state, d.attempts, a.outcome, string_agg(DISTINCT a.code, ',') AS codes, count(*)::int AS tries
         FROM delivery d JOIN attempt a ON a.delivery_id = d.id WHERE d.channel = 'email' GROUP BY 1, 2, 3`,
      );
      assert.deepEqual(rows, [{ state: 'sent', attempts: 1, outcome: 'sent', codes: '250', tries: COUNT }]);
      const claims = await database.query(
        "SELECT sum(claim)::int AS claims FROM delivery WHERE channel = 'email'",
      );
      t.diagnostic(`${claims.rows[0]?.claims} claims for ${COUNT} mails`);
      assert.ok(claims.rows[0]?.claims > COUNT, 'the limit was reached');
      assert.ok(claims.rows[0]?.claims < 6 * COUNT, 'and those who waited were not all called at once');
    });
  });

  describe('an account with a low limit', () => {
    const fleet = useFleet({ engine, env: { SMTP_RATE: '5/2s' } });

    test('keeps what is beyond it in the ledger with its reason and its time, and nobody brings it forward', async () => {
      const { untilSettled, database, call } = fleet();
      await emails(fleet(), addressesAt('why.test', 20));
      const { rows } = await waitFor(async () => {
        const found = await database.query(
          "SELECT attempts, tries FROM delivery WHERE state = 'retrying' AND reason = 'paced' AND due_at > now()",
        );
        return found.rows.length > 0 ? found : undefined;
      });
      assert.ok(rows.every(({ attempts, tries }) => attempts === 0 && tries === 0));
      assert.deepEqual((await call('POST', '/notifications/retry', {})).body, { retried: 0 });
      await untilSettled();
    });
  });

  describe('an account that asks one of two workers to go slower', () => {
    const fleet = useFleet({ engine, workers: [{}, {}] });

    test('is left alone by both of them for that long, which costs no attempt', async () => {
      const { sandbox, untilSettled, database } = fleet();
      await sandbox.fault({
        channel: 'sms',
        action: { kind: 'status', status: 429, retryAfter: 4 },
        times: 1,
      });
      const asked = await sms(fleet(), '+251911000311');
      const [first] = await waitFor(async () => {
        const { tried } = await only(fleet(), asked);
        return tried.length > 0 ? tried : undefined;
      });
      assert.equal(first?.outcome, 'throttled');
      // A worker that was not told itself has heard of it within a second.
      const heardAt = Date.parse(first?.finished_at ?? '') + 1_000;
      await waitFor(() => Date.now() > heardAt);
      const ids: string[] = [];
      for (let n = 0; n < 20; n += 1)
        ids.push(await sms(fleet(), `+2519110004${String(n).padStart(2, '0')}`));
      await untilSettled();
      const until = Date.parse(first?.finished_at ?? '') + 3_500;
      const { rows } = await database.query<{ at: Date; provider: string }>(
        "SELECT started_at AS at FROM attempt WHERE outcome = 'sent'",
      );
      assert.equal(rows.length, 21);
      const early = rows.filter(({ at }) => at.getTime() < until);
      assert.deepEqual(early, [], 'nothing was sent during the pause');
      const costs = await database.query('SELECT max(attempts) AS attempts FROM delivery');
      assert.deepEqual(costs.rows, [{ attempts: 1 }]);
      assert.equal((await sandbox.calls()).sms.tries, 22);
    });
  });
});

/** The most arrivals within any span of so many milliseconds. `times` are in order. */
function busiest(times: readonly number[], spanMs: number): number {
  let most = 0;
  let from = 0;
  for (const [index, at] of times.entries()) {
    while ((times[from] ?? at) <= at - spanMs) from += 1;
    most = Math.max(most, index - from + 1);
  }
  return most;
}
