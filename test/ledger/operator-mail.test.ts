import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { Database } from '@belfry/shared/ledger/database.js';
import type { JobSeed } from '@belfry/shared/ledger/waiting.js';
import type { Enqueuer } from '@belfry/shared/queue/enqueuer.js';
import { mailOperator } from '@belfry/shared/upkeep/operator-mail.js';
import { dieInNumbers } from './dead.js';
import { withLedger } from './with-ledger.js';

const TO = 'ops@example.org';
const EVERY_MS = 60_000;

describe('the mail to the operator', () => {
  const ledger = withLedger();
  beforeEach(() => ledger.one.rows('TRUNCATE notification, delivery, attempt, upkeep CASCADE'));

  const enqueued: JobSeed[] = [];
  /** What becomes of the jobs is not the matter here. */
  const enqueuer: Enqueuer = {
    enqueue: (seeds) => void enqueued.push(...seeds),
    enqueueNow: async () => true,
    setAlarms: async () => true,
    idle: async () => undefined,
  };
  const mail = (database: Database = ledger.one, everyMs = EVERY_MS) =>
    mailOperator({ database, enqueuer }, { to: TO, everyMs });

  /** So many died for good, long enough ago to be counted. */
  const die = (count: number, age = 15) => dieInNumbers(ledger.one, count, age);
  /** Everything that has happened becomes as much older as an interval is long. */
  async function timeGoesBy(): Promise<void> {
    for (const [table, column] of [
      ['upkeep', 'ran_at'],
      ['delivery', 'dead_at'],
      ['delivery', 'expires_at'],
    ])
      await ledger.one.rows(`UPDATE ${table} SET ${column} = ${column} - $1 * interval '1 millisecond'`, [
        EVERY_MS,
      ]);
  }
  const reports = () =>
    ledger.one.rows<{ id: string; title: string; message: string; address: string }>(
      `SELECT n.id, n.title, n.message, d.address FROM notification n JOIN delivery d ON d.notification_id = n.id
       WHERE n.type = 'operator_report' ORDER BY n.id`,
    );
  /** The first look of a fleet says that somebody is to be told from now on. */
  async function begin(): Promise<void> {
    assert.equal(await mail(), 0);
    await ledger.one.rows("UPDATE upkeep SET ran_at = now() - interval '80 s'");
  }

  it('counts what was given up for good by its kind, names the newest, and says where to look', async () => {
    await begin();
    const ids = await die(3);
    await ledger.one.rows(
      "UPDATE delivery SET channel = 'sms', provider = 'twilio', failure = 'rejected', reason = 'twilio-21211' WHERE id = $1",
      [ids[0]],
    );
    await ledger.one.rows("UPDATE delivery SET provider = 'smtp' WHERE channel = 'email'");
    assert.equal(await mail(), 3);
    const [report, ...others] = await reports();
    assert.deepEqual(others, []);
    assert.equal(report?.address, TO);
    assert.equal(report.title, 'Belfry: 3 deliveries given up for good');
    const lines = report.message.split('\n');
    assert.ok(lines.includes('2 × exhausted: email by smtp, attempts_exhausted'), report.message);
    assert.ok(lines.includes('1 × rejected: sms by twilio, twilio-21211'), report.message);
    assert.deepEqual(
      lines.filter((line) => line.startsWith('  ')).map((line) => line.trim()),
      ids.toReversed(),
    );
    assert.match(report.message, /GET \/api\/v1\/dead-letters/);
    assert.ok(!report.message.includes('@dead.test'), 'no address');
    assert.equal(enqueued.at(-1)?.notificationId, report.id);
  });

  it('comes once in an interval, and counts in the next one what died meanwhile', async () => {
    await begin();
    await die(2);
    assert.equal(await mail(), 2);
    await die(5, 5);
    assert.equal(await mail(), 0, 'the interval is not over');
    await timeGoesBy();
    assert.equal(await mail(), 5, 'and not again those that it was told of');
    await timeGoesBy();
    assert.equal(await mail(), 0, 'nothing more has died');
  });

  it('does not come for what will be tried again by itself, but does once its rounds are used up or its time is over', async () => {
    await begin();
    const [again = '', used = '', late = '', later = ''] = await die(4);
    const retryable = (id: string, more: string) =>
      ledger.one.rows(`UPDATE delivery SET retryable = true, ${more} WHERE id = $1`, [id]);
    await retryable(again, 'round = 1');
    await retryable(used, 'round = 3');
    await retryable(late, "round = 2, expires_at = now() - interval '11 s'");
    await retryable(later, "round = 2, expires_at = now() + interval '1 h'");
    assert.equal(await mail(), 2);
    const [report] = await reports();
    assert.ok(report?.message.includes(used) && report.message.includes(late), report?.message);
    await timeGoesBy();
    await ledger.one.rows("UPDATE delivery SET expires_at = now() - interval '11 s' WHERE id = $1", [later]);
    assert.equal(await mail(), 1, 'it expired since, before its next round');
  });

  it('leaves for the next one what may have died in a statement that is not over yet', async () => {
    await begin();
    await die(1, 3);
    assert.equal(await mail(), 0);
    await ledger.one.rows("UPDATE delivery SET dead_at = dead_at - interval '10 s'");
    assert.equal(await mail(), 1);
  });

  it('is never about itself', async () => {
    await begin();
    await die(1);
    assert.equal(await mail(), 1);
    await timeGoesBy();
    await ledger.one.rows(
      `UPDATE delivery SET state = 'dead', failure = 'rejected', reason = '550', dead_at = now() - interval '11 s'
       WHERE state = 'queued'`,
    );
    assert.equal(await mail(), 0);
    assert.equal((await reports()).length, 1);
  });

  it('is written once, however many workers look at the same instant', async () => {
    await begin();
    await die(4);
    const told = await Promise.all(
      Array.from({ length: 12 }, (_, index) => mail(index % 2 === 0 ? ledger.one : ledger.two)),
    );
    assert.deepEqual(told.toSorted(), [...Array<number>(11).fill(0), 4]);
    assert.equal((await reports()).length, 1);
  });

  it('of a worker that dies before its commit is written by the next one, with the same count', async () => {
    await begin();
    await die(4);
    const dying: Database = {
      ...ledger.one,
      transaction: (work) =>
        ledger.one.transaction(async (transaction) => {
          await work(transaction);
          throw new Error('the process died');
        }),
    };
    await assert.rejects(mail(dying), /the process died/);
    assert.deepEqual(await reports(), []);
    assert.equal(await mail(ledger.two), 4);
  });

  it('tells of what died in the last interval when there is somebody to tell for the first time, and not of all history', async () => {
    await die(2, 40);
    await die(3, 100);
    assert.equal(await mail(), 0);
    await ledger.one.rows("UPDATE upkeep SET ran_at = ran_at - interval '10 s'");
    await ledger.one.rows("UPDATE delivery SET dead_at = dead_at - interval '10 s'");
    assert.equal(await mail(), 2);
  });

  it('tells of what died before a worker looked for the first time, however short the interval', async () => {
    await die(2, 15);
    assert.equal(await mail(ledger.one, 1_000), 2);
    assert.equal(await mail(ledger.one, 1_000), 0, 'once');
  });
});
