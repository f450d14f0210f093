import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { moveAlertRow } from '@belfry/shared/ledger/alerts.js';
import type { Database, Statements } from '@belfry/shared/ledger/database.js';
import { putPerson } from '@belfry/shared/ledger/people.js';
import { isWaiting } from '@belfry/shared/ledger/states.js';
import { escalatingOn, writePolicy } from './escalating.js';
import { OPS, withLedger } from './with-ledger.js';

/** How often an acknowledgement and an escalation meet; `RACES=1000` for a run by hand. */
const RACES = Number(process.env.RACES ?? 24);
const AT_ONCE = 4;
const STEPS = 4;
/** What a statement waits before it, at random: in the middle of a transaction as well as between two. */
const MOST_MS = 2;

describe('an acknowledgement among the steps of an escalation', () => {
  const ledger = withLedger();
  const { raise, step } = escalatingOn();
  before(() => putPerson(ledger.one, 'ops', { email: 'ops@example.org', roles: ['admin'] }, OPS));

  it(`ends it in the same instant, in ${RACES} meetings: nothing is stamped later, nothing waits to be sent`, async (t) => {
    const again = { after_ms: 0, notify: { admins: true } };
    const { name } = await writePolicy(ledger.one, Array(STEPS).fill(again));
    const [acknowledging, escalating] = [unsteady(ledger.one), unsteady(ledger.two)];

    async function meet(): Promise<string> {
      const { id } = await raise(ledger.one, { policy: name });
      const acknowledge = async () => {
        await falter(ledger.one, MOST_MS * 10);
        const move = await moveAlertRow(acknowledging, 'acknowledge', id, { name: 'ops', via: 'api' });
        assert.equal(move?.moved, true);
      };
      // Beside a step that is drawn by lot, however slow the machine is.
      const beside = Math.floor(Math.random() * STEPS);
      const racing: Promise<void>[] = [];
      for (let taken = 0; ; taken += 1) {
        if (taken === beside) racing.push(acknowledge());
        if ((await step(escalating, id)).kind === 'over') break;
      }
      await Promise.all(racing);
      return id;
    }
    const met: string[] = [];
    const lane = async () => {
      while (met.length < RACES) met.push(await meet());
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));

    const late = await ledger.one.rows(
      `SELECT a.id, e.kind, e.at - a.acknowledged_at AS late FROM alert a JOIN alert_event e ON e.alert_id = a.id
       WHERE e.kind IN ('escalated', 'notified', 'nobody') AND e.at > a.acknowledged_at
       UNION ALL
       SELECT a.id, 'notification', n.created_at - a.acknowledged_at FROM alert a JOIN notification n ON n.alert_id = a.id
       WHERE n.created_at > a.acknowledged_at`,
    );
    assert.deepEqual(late, []);
    const waiting = await ledger.one.rows(
      `SELECT d.id FROM notification n JOIN delivery d ON d.notification_id = n.id WHERE n.person_id IS NOT NULL AND ${isWaiting('d.state')}`,
    );
    assert.deepEqual(waiting, []);
    const wrong = await ledger.one.rows(
      `SELECT a.id FROM alert a WHERE a.due_at IS NOT NULL OR a.status <> 'acknowledged'
         OR a.steps <> (SELECT count(*) FROM alert_event e WHERE e.alert_id = a.id AND e.kind = 'escalated')
         OR a.steps + 1 <> (SELECT count(*) FROM notification n WHERE n.alert_id = a.id AND n.person_id IS NOT NULL)`,
    );
    assert.deepEqual(wrong, []);
    const steps = await ledger.one.rows<{ steps: number; alerts: number }>(
      'SELECT steps, count(*)::int AS alerts FROM alert GROUP BY steps ORDER BY steps',
    );
    t.diagnostic(
      `by steps taken before it: ${steps.map(({ steps, alerts }) => `${steps}: ${alerts}`).join(', ')}`,
    );
    assert.ok(steps.length > 2, 'it came before, between and after the steps');
  });
});

/** The same database, on which every statement comes a little later than it could. */
function unsteady(database: Database): Database {
  const slow = <Some extends Statements>(statements: Some): Some => ({
    ...statements,
    async rows<Row extends Record<string, unknown>>(statement: string, values: readonly unknown[] = []) {
      await falter(statements, MOST_MS);
      return statements.rows<Row>(statement, values);
    },
  });
  return {
    ...slow(database),
    transaction: (work) => database.transaction((transaction) => work(slow(transaction))),
  };
}

async function falter(statements: Statements, mostMs: number): Promise<void> {
  await statements.rows('SELECT pg_sleep($1)', [(Math.random() * mostMs) / 1_000]);
}
