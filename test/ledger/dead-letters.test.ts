import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { newId } from '@belfry/shared/domain/ids.js';
import { claimDeliveries } from '@belfry/shared/ledger/claim.js';
import {
  type DeadLetterFilter,
  isPosition,
  loadDead,
  type Position,
  replayDead,
  walkDead,
} from '@belfry/shared/ledger/dead-letters.js';
import { putPerson } from '@belfry/shared/ledger/people.js';
import { type DeliveryRecord, recordOutcomes } from '@belfry/shared/ledger/record.js';
import { dieInNumbers, gaps } from './dead.js';
import {
  type AcceptOptions,
  accept,
  claimed,
  firstOf,
  notification,
  OPS,
  recordFor,
  rowOf,
  withLedger,
} from './with-ledger.js';

const ANNA = newId();
const REJECTED = { state: 'dead', reason: '550 5.1.1', failure: 'rejected' } as const;

describe('dead letters', () => {
  const ledger = withLedger();
  beforeEach(() => ledger.one.rows('TRUNCATE notification, delivery, attempt CASCADE'));

  /** Accepts a mail and lets it die; returns its delivery. */
  async function die(options: AcceptOptions = {}, how: Partial<DeliveryRecord> = REJECTED): Promise<string> {
    const one = notification(options);
    if (one.personId !== null)
      await putPerson(ledger.one, one.personId, { email: 'email-0@example.org' }, OPS);
    await accept(ledger.one, one);
    const [claim] = await claimDeliveries(ledger.one, ANNA, 60_000, [firstOf(one)]);
    await recordOutcomes(ledger.one, ANNA, [recordFor(claimed(claim), how)]);
    return firstOf(one);
  }

  async function walkAll(
    filter: DeadLetterFilter,
    limit: number,
    between: () => Promise<unknown> = async () => {},
  ): Promise<string[]> {
    const seen: string[] = [];
    let after: Position | null = null;
    do {
      const page: Awaited<ReturnType<typeof walkDead>> = await walkDead(ledger.one, filter, {
        after,
        limit,
        order: 'newest first',
      });
      seen.push(...page.ids);
      after = page.next;
      await between();
    } while (after !== null);
    return seen;
  }

  it('are listed the newest death first, and a page goes on where the last one ended while others die and are replayed', async () => {
    const ids = await dieInNumbers(ledger.one, 25);
    const gone = ids[5] ?? '';
    let turn = 0;
    const seen = await walkAll({}, 7, async () => {
      turn += 1;
      if (turn > 2) return;
      await die();
      await replayDead(ledger.one, [turn === 1 ? (ids[24] ?? '') : gone], { rate: 1_000, after: null });
    });
    assert.deepEqual(
      seen,
      ids.toReversed().filter((id) => id !== gone),
    );
  });

  it('that died in the same instant are told apart by their ids', async () => {
    const ids = await dieInNumbers(ledger.one, 20);
    await ledger.one.rows('UPDATE delivery SET dead_at = now()');
    assert.deepEqual(await walkAll({}, 3), ids.toSorted().toReversed());
  });

  it('say everything that the ledger knows of their death', async () => {
    const id = await die(
      { personId: null, priority: 'high' },
      {
        ...REJECTED,
        tries: [
          {
            provider: 'smtp',
            outcome: 'retry',
            code: '451',
            error: 'Later.',
            startedMsAgo: 9,
            finishedMsAgo: 5,
          },
          {
            provider: 'smtp',
            outcome: 'rejected',
            code: '550 5.1.1',
            error: 'No such mailbox.',
            startedMsAgo: 4,
            finishedMsAgo: 1,
          },
        ],
      },
    );
    const [letter, ...others] = await loadDead(ledger.one, [newId(), id]);
    assert.deepEqual(others, []);
    const { deadAt, createdAt, notificationId, ...rest } = letter ?? assert.fail();
    assert.ok(deadAt >= createdAt);
    assert.equal(notificationId, (await rowOf(ledger.one, id)).notification_id);
    assert.deepEqual(rest, {
      id,
      userId: null,
      eventType: null,
      channel: 'email',
      priority: 'high',
      address: 'email-0@example.org',
      class: 'rejected',
      reason: '550 5.1.1',
      provider: 'smtp',
      code: '550 5.1.1',
      error: 'No such mailbox.',
      attempts: 2,
      interruptions: 0,
      retryable: false,
    });
  });

  it('are found by every filter, and by the exact words of a search', async () => {
    const mail = await die({ personId: 'sara', priority: 'high' });
    const text = await die(
      { channels: ['sms'] },
      { ...REJECTED, provider: 'twilio', failure: 'exhausted', reason: 'attempts_exhausted' },
    );
    await ledger.one.rows("UPDATE delivery SET address = '+251911000001' WHERE id = $1", [text]);
    await ledger.one.rows("UPDATE delivery SET address = 'Sara.K@Example.org' WHERE id = $1", [mail]);
    await ledger.one.rows(
      `UPDATE notification SET event_type = 'payment_success' WHERE id = (SELECT notification_id FROM delivery WHERE id = $1)`,
      [mail],
    );
    const died = (await loadDead(ledger.one, [mail]))[0]?.deadAt ?? assert.fail();
    for (const [filter, wanted] of [
      [{}, [text, mail]],
      [{ class: 'rejected' }, [mail]],
      [{ class: 'poison' }, []],
      [{ channel: 'sms' }, [text]],
      [{ provider: 'twilio' }, [text]],
      [{ priority: 'high' }, [mail]],
      [{ priority: 'high', channel: 'sms' }, []],
      [{ eventType: 'payment_success' }, [mail]],
      [{ userId: 'sara' }, [mail]],
      [{ search: 'sara' }, [mail]],
      [{ search: 'sar' }, []],
      [{ search: 'payment_success' }, [mail]],
      [{ search: 'sara.k@example.ORG' }, [mail]],
      [{ search: '+251911000001' }, [text]],
      [{ search: 'attempts_exhausted' }, [text]],
      [{ search: '550 5.1.1' }, [mail]],
      [{ search: '250' }, [text, mail]],
      [{ search: '%' }, []],
      [{ from: new Date(died.getTime() + 60_000) }, []],
      [{ from: new Date(died.getTime() - 60_000), to: new Date(died.getTime() + 60_000) }, [text, mail]],
      [{ to: new Date(died.getTime() - 60_000) }, []],
    ] as const)
      assert.deepEqual(await walkAll(filter, 10), wanted, JSON.stringify(filter));
  });

  it('are looked through in bounded stretches, so that a filter which fits nearly nothing costs little, and are found all the same', async () => {
    const ids = await dieInNumbers(ledger.one, 25_000);
    const [oldest = ''] = ids;
    await ledger.one.rows("UPDATE delivery SET reason = 'odd' WHERE id = $1", [oldest]);
    const look = (after: Position | null) =>
      walkDead(ledger.one, { search: 'odd' }, { after, limit: 5, order: 'newest first' });
    const first = await look(null);
    assert.deepEqual(first.ids, []);
    const second = await look(first.next);
    assert.deepEqual(second.ids, []);
    assert.deepEqual(await look(second.next), { ids: [oldest], next: null });
  });

  it('are read by their index', async () => {
    await dieInNumbers(ledger.one, 3_000);
    const plans: string[] = [];
    const explain: typeof ledger.one.rows = async (statement, values) => {
      const plan = await ledger.one.rows<{ 'QUERY PLAN': string }>(`EXPLAIN ${statement}`, values);
      plans.push(plan.map((line) => line['QUERY PLAN']).join('\n'));
      return [];
    };
    const page = {
      after: `2026-01-01T00:00:00.000000Z,${newId()}`,
      limit: 50,
      order: 'newest first',
    } as const;
    await walkDead({ ...ledger.one, rows: explain }, { class: 'rejected', search: 'x' }, page);
    assert.equal(plans.length, 2);
    for (const plan of plans) assert.match(plan, /Index (Only )?Scan (Backward )?using delivery_dead/);
  });

  it('come back spaced as asked, the longest dead first, with all attempts before them and their doubt kept', async () => {
    const ids = await dieInNumbers(ledger.one, 50);
    await ledger.one.rows(
      'UPDATE delivery SET attempts = 3, round = 3, interruptions = 7, tries = 9, retryable = true, in_doubt = true, round_at = now()',
    );
    const seeds = await replayDead(ledger.one, ids.toReversed(), { rate: 20, after: null });
    assert.deepEqual(
      seeds.map(({ deliveryId }) => deliveryId),
      ids,
    );
    assert.deepEqual([...new Set(gaps(seeds.map(({ dueAt }) => dueAt)))], [50_000]);
    assert.deepEqual([...new Set(seeds.map(({ generation }) => generation))], [2]);
    const row = await rowOf(ledger.one, ids[0] ?? '');
    const { state, reason, attempts, round, interruptions, tries, retryable, in_doubt, failure, dead_at } =
      row;
    assert.deepEqual(
      { state, reason, attempts, round, interruptions, tries, retryable, in_doubt, failure, dead_at },
      {
        state: 'queued',
        reason: 'replayed',
        attempts: 0,
        round: 1,
        interruptions: 0,
        tries: 9,
        retryable: false,
        in_doubt: true,
        failure: null,
        dead_at: null,
      },
    );
    const last = seeds.at(-1)?.dueAt ?? '';
    const next = await replayDead(ledger.one, await dieInNumbers(ledger.one, 2), { rate: 20, after: last });
    assert.deepEqual(
      gaps([last, ...next.map(({ dueAt }) => dueAt)]),
      [50_000, 50_000],
      'a second part goes on at the same pace',
    );
  });

  it('are all that comes back: what is scheduled, due, in hand or unknown is left alone', async () => {
    const [later, due, inHand] = [
      notification({ state: 'scheduled', sendAt: new Date(Date.now() + 3_600_000) }),
      notification(),
      notification(),
    ];
    for (const one of [later, due, inHand]) await accept(ledger.one, one);
    await claimDeliveries(ledger.one, ANNA, 60_000, [firstOf(inHand)]);
    const others = [...[later, due, inHand].map(firstOf), newId()];
    assert.deepEqual(await replayDead(ledger.one, others, { rate: 1, after: null }), []);
  });

  it('are not sent before they are due', async () => {
    const ids = await dieInNumbers(ledger.one, 2);
    await replayDead(ledger.one, ids, { rate: 1, after: null });
    const claims = await claimDeliveries(ledger.one, ANNA, 60_000, ids);
    assert.deepEqual(
      claims.map(({ kind }) => kind),
      ['claimed', 'early'],
    );
  });

  it('come back once, however many bring them back at once', async () => {
    const ids = await dieInNumbers(ledger.one, 40);
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        replayDead(index % 2 === 0 ? ledger.one : ledger.two, ids, { rate: 1_000, after: null }),
      ),
    );
    assert.deepEqual(
      all
        .flat()
        .map(({ deliveryId }) => deliveryId)
        .sort(),
      ids.toSorted(),
    );
    const rows = await ledger.one.rows('SELECT DISTINCT generation FROM delivery');
    assert.deepEqual(rows, [{ generation: 2 }]);
  });
});

describe('a position in the order of death', () => {
  const ID = '01890000-0000-7000-8000-000000000000';
  for (const [text, good] of [
    [`2026-11-25T22:53:21.123456Z,${ID}`, true],
    [`2026-11-25T22:53:21.123Z,${ID}`, false],
    [`2026-02-30T22:53:21.123456Z,${ID}`, false],
    [`2026-11-25T24:00:00.000000Z,${ID}`, false],
    [`0000-01-01T00:00:00.000000Z,${ID}`, false],
    [`2026-13-01T00:00:00.000000Z,${ID}`, false],
    ['2026-11-25T22:53:21.123456Z,x', false],
    [ID, false],
    ['', false],
  ] as const)
    it(`${good ? 'is' : 'is not'} ${JSON.stringify(text)}`, () => assert.equal(isPosition(text), good));
});
