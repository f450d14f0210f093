import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { jobId } from '@belfry/shared/domain/ids.js';
import type { KeptAnswer } from '@belfry/shared/ledger/accept.js';
import { type AuditEvent, auditTargetOf, listAudit } from '@belfry/shared/ledger/audit.js';
import { claimDeliveries } from '@belfry/shared/ledger/claim.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import { findAnswer } from '@belfry/shared/ledger/idempotency.js';
import { putPerson } from '@belfry/shared/ledger/people.js';
import { type Replay, type ReplayResult, replayDeadLetters } from '@belfry/shared/queue/replay-dead.js';
import { forEachEngine } from '../support/engines.js';
import { waitFor } from '../support/wait.js';
import { dieInNumbers, gaps } from './dead.js';
import { withEngine } from './with-engine.js';
import { OPS, rowOf } from './with-ledger.js';

const NO_ID = '01890000-0000-7000-8000-000000000000';
const CANARY = 'canary@example.org';

describe('a replay', () => {
  forEachEngine((engineName) => {
    const at = withEngine(engineName);
    const { ledger } = at;
    let audited = 0;
    beforeEach(async () => {
      await ledger.one.rows('TRUNCATE notification, delivery, attempt, person, idempotency_key CASCADE');
      audited = (await listAudit(ledger.one, {}, { limit: 10_000 })).length;
    });

    async function replay(
      which: Replay['which'],
      more: { rate?: number; key?: string; database?: Database } = {},
    ): Promise<ReplayResult | 'taken'> {
      const { rate = 1_000, key, database = ledger.one } = more;
      const answer = (body: ReplayResult): KeptAnswer | null =>
        key === undefined ? null : { caller: 'ops', key, fingerprint: 'f', status: 202, body };
      const parts = { database, enqueuer: at.enqueuer };
      const outcome = await replayDeadLetters(parts, { actor: OPS, which, rate, answer });
      return outcome.kind === 'taken' ? 'taken' : outcome.result;
    }

    /** What this test has added to the trail, oldest first. */
    async function trail(): Promise<AuditEvent[]> {
      const all = await listAudit(ledger.one, {}, { limit: 10_000 });
      return all.slice(0, all.length - audited).toReversed();
    }

    const done = (result: ReplayResult | 'taken'): ReplayResult =>
      result === 'taken' ? assert.fail('it was taken') : result;
    const stateCount = async (state: string) =>
      (await ledger.one.rows('SELECT 1 FROM delivery WHERE state = $1', [state])).length;
    const dueTimes = async () => {
      const rows = await ledger.one.rows<{ due: string }>(
        `SELECT to_char(due_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS due FROM delivery ORDER BY due_at`,
      );
      return rows.map(({ due }) => due);
    };

    it('of single deliveries says what it left alone, and is written down with them', async () => {
      const [one = '', two = ''] = await dieInNumbers(ledger.one, 2);
      assert.equal(done(await replay({ ids: [two] })).replayed, 1);
      const { lastDueAt, ...result } = done(await replay({ ids: [one, two, one, NO_ID] }, { rate: 7 }));
      assert.ok(lastDueAt !== null && lastDueAt.getTime() > Date.now() - 60_000);
      assert.deepEqual(result, {
        replayed: 1,
        skipped: [
          { id: two, reason: 'not_dead', state: 'queued' },
          { id: NO_ID, reason: 'not_found', state: null },
        ],
        more: false,
      });
      const told = (await trail()).map(({ actor, role, action, target, details }) => ({
        actor,
        role,
        action,
        target,
        details,
      }));
      const act = { actor: 'ops', role: 'admin', action: 'dead_letter.replay' };
      assert.deepEqual(told, [
        {
          ...act,
          target: `delivery:${two}`,
          details: { replayed: 1, skipped: 0, rate: 1_000, deliveries: [two] },
        },
        { ...act, target: null, details: { replayed: 1, skipped: 2, rate: 7, deliveries: [one] } },
      ]);
      const job = await at.engine.queue('email.normal').getJob(jobId(one, 2));
      assert.ok(job, 'its job has a name that was never used');
    });

    it('by filter goes part by part at one pace, and each part is written down with its count', async () => {
      const ids = await dieInNumbers(ledger.one, 2_500);
      const { lastDueAt, ...result } = done(await replay({ filter: { class: 'exhausted' } }, { rate: 100 }));
      assert.deepEqual(result, { replayed: 2_500, skipped: [], more: false });
      const due = await dueTimes();
      assert.deepEqual([...new Set(gaps(due))], [10_000]);
      assert.equal(lastDueAt?.getTime(), Date.parse(due.at(-1) ?? ''));
      const first = await rowOf(ledger.one, ids[0] ?? '');
      const last = await rowOf(ledger.one, ids.at(-1) ?? '');
      assert.ok(Number(first.due_at) < Number(last.due_at), 'the longest dead goes first');
      const told = (await trail()).map(({ details }) => details);
      const part = { rate: 100, filter: { class: 'exhausted' } };
      assert.deepEqual(
        told.map(({ filter, ...rest }) => ({ ...rest, filter: { class: Object(filter).class } })),
        [
          { ...part, replayed: 1_000, part: 1 },
          { ...part, replayed: 1_000, part: 2 },
          { ...part, replayed: 500, part: 3 },
        ],
      );
      await waitFor(async () => (await at.engine.pending('email.normal')) >= 2_500);
    });

    it('that broke off has done what it did, and the same call goes on with the rest', async () => {
      await dieInNumbers(ledger.one, 2_500);
      let parts = 0;
      const dying: Database = {
        ...ledger.one,
        transaction: (work) =>
          ledger.one.transaction(async (transaction) => {
            const result = await work(transaction);
            parts += 1;
            if (parts === 3) throw new Error('the process died');
            return result;
          }),
      };
      await assert.rejects(replay({ filter: {} }, { key: 'k', database: dying }), /the process died/);
      assert.deepEqual([await stateCount('queued'), await stateCount('dead')], [2_000, 500]);
      assert.deepEqual(
        (await trail()).map(({ details }) => details.replayed),
        [1_000, 1_000],
      );
      assert.equal(await findAnswer(ledger.one, 'ops', 'k'), null);

      assert.equal(done(await replay({ filter: {} }, { key: 'k' })).replayed, 500);
      assert.deepEqual(
        (await trail()).map(({ details }) => details.replayed),
        [1_000, 1_000, 500],
      );
      assert.equal(Object((await findAnswer(ledger.one, 'ops', 'k'))?.body).replayed, 500);
    });

    it('whose key another call has taken changes nothing', async () => {
      const [one = '', two = ''] = await dieInNumbers(ledger.one, 2);
      assert.equal(done(await replay({ ids: [one] }, { key: 'k' })).replayed, 1);
      assert.equal(await replay({ ids: [two] }, { key: 'k' }), 'taken');
      assert.equal((await rowOf(ledger.one, two)).state, 'dead');
      assert.equal((await trail()).length, 1);
    });

    it('that finds nothing is an act too', async () => {
      assert.deepEqual(done(await replay({ filter: {} })), {
        replayed: 0,
        skipped: [],
        lastDueAt: null,
        more: false,
      });
      assert.deepEqual(
        (await trail()).map(({ details }) => details.replayed),
        [0],
      );
    });

    it('of two at once by the same filter brings everything back once', async () => {
      await dieInNumbers(ledger.one, 1_500);
      const results = await Promise.all(
        [ledger.one, ledger.two, ledger.one].map((database) => replay({ filter: {} }, { database })),
      );
      assert.equal(
        results.reduce((sum, one) => sum + done(one).replayed, 0),
        1_500,
      );
      const generations = await ledger.one.rows('SELECT DISTINCT generation FROM delivery');
      assert.deepEqual(generations, [{ generation: 2 }]);
    });

    it('takes what is dead when it begins, and not what dies again meanwhile', async () => {
      await dieInNumbers(ledger.one, 1_200);
      const deadly: Database = {
        ...ledger.one,
        transaction: async (work) => {
          const result = await ledger.one.transaction(work);
          await ledger.one.rows(
            "UPDATE delivery SET state = 'dead', failure = 'exhausted', dead_at = now() + interval '1 second' WHERE state = 'queued'",
          );
          return result;
        },
      };
      assert.equal(done(await replay({ filter: {} }, { database: deadly })).replayed, 1_200);
    });

    it('leaves no personal data in the trail', async () => {
      await putPerson(ledger.one, 'sara', { email: CANARY }, OPS);
      const target = await auditTargetOf(ledger.one, 'sara');
      await replay({ filter: { userId: 'sara', search: CANARY, eventType: CANARY, provider: CANARY } });
      const events = await trail();
      assert.ok(!JSON.stringify(events).includes(CANARY));
      assert.deepEqual(Object(events.at(-1)?.details.filter), { user: target, search: 'given' });
    });

    it('of what has been sent again is a doubtful one to its provider', async () => {
      const [id = ''] = await dieInNumbers(ledger.one, 1);
      await ledger.one.rows('UPDATE delivery SET in_doubt = true, interruptions = 40');
      await replay({ ids: [id] });
      const [claim] = await claimDeliveries(ledger.one, NO_ID, 60_000, [id]);
      assert.ok(claim?.kind === 'claimed' && claim.inDoubt);
      assert.equal(claim.interruptions, 0);
    });
  });
});
