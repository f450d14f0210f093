import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachEngine } from '../support/engines.js';
import { type Fleet, useFleet } from '../support/fleet.js';
import { waitFor } from '../support/wait.js';
import { raiseAlert, writePolicy } from './alerting.js';
import { wipe } from './wipe.js';

/** For a run by hand: `ESCALATION_ALERTS=200 ESCALATION_STEP=4000`. */
const ALERTS = Number(process.env.ESCALATION_ALERTS ?? 12);
const STEP_MS = Number(process.env.ESCALATION_STEP ?? 1_000);
const STEPS = 3;
const KILL_MS = 2_000;

forEachEngine((engine) => {
  const env = { ALERT_LIMIT_EMAIL: 'off', ALERT_LIMIT_SMS: 'off', ALERT_LIMIT_PUSH: 'off' };
  const fleet = useFleet({ engine, workers: [{}, {}, {}], env });

  test(`${ALERTS} alerts of ${STEPS} steps skip none and double none while a worker is killed every two seconds and the queues are emptied once`, async (t) => {
    const { person, database, untilSettled } = fleet();
    await person('boss', { email: 'boss@chaos.test', roles: ['admin'] });
    const step = { after_ms: STEP_MS, notify: { admins: true }, channels: ['email'] };
    await writePolicy(fleet(), 'chaos', { steps: Array(STEPS).fill(step) });
    const chaos = killing(fleet());
    await Promise.all(
      Array.from({ length: 4 }, async (_, lane) => {
        for (let n = lane; n < ALERTS; n += 4) await raiseAlert(fleet(), 'chaos', { source: `s${n}` });
      }),
    );
    const taken = async () => {
      const { rows } = await database.query<{ taken: number }>('SELECT sum(steps)::int AS taken FROM alert');
      return rows[0]?.taken ?? 0;
    };
    await waitFor(async () => (await taken()) >= ALERTS, {
      timeoutMs: 120_000,
      what: 'a third of the steps',
    });
    await wipe(fleet());
    await waitFor(async () => (await taken()) >= ALERTS * STEPS, { timeoutMs: 240_000, what: 'all steps' });
    const killed = await chaos.stop();
    await untilSettled({ timeoutMs: 120_000 });

    const { rows: lines } = await database.query<{ step: number; late: number }>(LATENESS, [STEP_MS]);
    const counted = Array.from(
      { length: STEPS },
      (_, n) => lines.filter(({ step }) => step === n + 1).length,
    );
    assert.deepEqual(counted, Array(STEPS).fill(ALERTS), 'each step of each alert has one line');
    const { rows: told } = await database.query<{ told: number; sent: number }>(
      `SELECT count(DISTINCT n.id)::int AS told, count(*) FILTER (WHERE d.state = 'sent')::int AS sent
       FROM notification n JOIN delivery d ON d.notification_id = n.id AND d.channel = 'email'`,
    );
    const all = ALERTS * (STEPS + 1);
    assert.deepEqual(told[0], { told: all, sent: all });
    const late = lines.map(({ late }) => late).toSorted((one, other) => one - other);
    const at = (share: number) =>
      Math.round(late[Math.min(late.length - 1, Math.floor(late.length * share))] ?? 0);
    t.diagnostic(
      `${killed} workers killed; late by p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, at most ${at(1)} ms`,
    );
  });
});

/** Lateness of each step in milliseconds: from when the one before was taken, or the alert opened, and its time. */
const LATENESS = `
SELECT step, (extract(epoch FROM at - lag(at, 1, opened_at) OVER (PARTITION BY alert_id ORDER BY step)) * 1000 - $1)::float8 AS late
FROM (SELECT e.alert_id, e.step, e.at, a.opened_at FROM alert_event e JOIN alert a ON a.id = e.alert_id
  WHERE e.kind = 'escalated') AS taken`;

/** Kills a worker every two seconds, while another one works, and starts a new one, until it is stopped. Says how many it were. */
function killing({ workers, addWorker }: Fleet) {
  let killed = 0;
  const starting: Promise<unknown>[] = [];
  const timer = setInterval(() => {
    // Only those that work are listed; on a slow machine the others must not pile up.
    if (workers.length - killed < 2) return;
    workers[killed]?.kill();
    killed += 1;
    starting.push(addWorker().catch(() => undefined));
  }, KILL_MS);
  return {
    async stop(): Promise<number> {
      clearInterval(timer);
      await Promise.all(starting);
      return killed;
    },
  };
}
