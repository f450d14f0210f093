import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { moveAlertRow } from '@belfry/shared/ledger/alerts.js';
import { putPerson } from '@belfry/shared/ledger/people.js';
import { countUnheard } from '@belfry/shared/ledger/unheard-alerts.js';
import { mailNobodyLater } from '@belfry/shared/notify/nobody-mail.js';
import type { RaisedAlert } from '@belfry/shared/notify/raise-alert.js';
import { escalatingOn, OPERATOR, timelineOf, writePolicy } from './escalating.js';
import { OPS, withLedger } from './with-ledger.js';

const ANNA = { name: 'anna', via: 'api' } as const;

describe('an alert that there is nobody to tell of', () => {
  const ledger = withLedger();
  const { raise, step } = escalatingOn();
  const mails = (id: string) =>
    ledger.one.rows<{ step: number; priority: string; title: string; message: string; state: string }>(
      `SELECT n.alert_step AS step, n.priority, n.title, n.message, d.state FROM notification n
       JOIN delivery d ON d.notification_id = n.id AND d.address = $2 AND d.channel = 'email'
       WHERE n.alert_id = $1 AND n.person_id IS NULL ORDER BY n.alert_step`,
      [id, OPERATOR],
    );

  it('is told to the operator, once for each step, in the commit of the alert; until somebody is there, or has taken it', async () => {
    assert.equal((await countUnheard(ledger.one)).untold, 0);
    const { id } = await raise(ledger.one);
    const other = await raise(ledger.one, { level: 'warning' });
    assert.equal((await countUnheard(ledger.one)).untold, 2);
    await moveAlertRow(ledger.one, 'acknowledge', other.id, ANNA);
    assert.equal((await countUnheard(ledger.one)).untold, 1);
    assert.deepEqual(
      (await mails(other.id)).map(({ state }) => state),
      ['cancelled'],
    );
    const next = async () => {
      await ledger.one.rows('UPDATE alert SET due_at = now() WHERE id = $1', [id]);
      await step(ledger.one, id);
    };
    await next();
    const sent = await mails(id);
    assert.deepEqual(
      sent.map(({ step, priority, state }) => `${step} ${priority} ${state}`),
      ['0 critical queued', '1 critical queued'],
    );
    assert.match(sent[0]?.title ?? '', /^NOBODY WAS TOLD: CRITICAL ALERT: disk_full$/);
    assert.match(
      sent[0]?.message ?? '',
      /The disk is full\.\n\nType: disk_full\nSeverity: critical\nSource: db01\n/,
    );
    await putPerson(ledger.one, 'late', { roles: ['admin'], email: 'late@example.org' }, OPS);
    await next();
    assert.equal((await mails(id)).length, 2);
    assert.equal((await countUnheard(ledger.one)).untold, 0);
    const kinds = (await timelineOf(ledger.one, id)).map(({ kind, step }) => `${kind} ${step}`);
    assert.deepEqual(kinds, [
      'opened null',
      'nobody 0',
      'escalated 1',
      'nobody 1',
      'escalated 2',
      'notified 2',
    ]);
  });

  it('is told of in one mail with all that come until the next may be written, but for informations', async () => {
    await ledger.one.rows("UPDATE alert SET status = 'resolved'");
    await ledger.one.rows("UPDATE person SET roles = '{}'");
    await ledger.one.rows("UPDATE upkeep SET ran_at = to_timestamp(0) WHERE task = 'alert-mail'");
    const hourly = escalatingOn({ everyMs: 3_600_000 });
    const { enqueuer, operatorMail } = hourly.partsOf(ledger.one);
    const parts = { database: ledger.one, enqueuer };
    const written = () =>
      ledger.one.rows<{ title: string; message: string; alert_id: string | null }>(
        `SELECT title, message, alert_id FROM notification WHERE type = 'alert_without_receiver' AND created_at > $1 ORDER BY id`,
        [since],
      );
    const [{ since } = { since: null }] = await ledger.one.rows<{ since: Date }>('SELECT now() AS since');
    await hourly.raise(ledger.one, { level: 'info' });
    await mailNobodyLater(parts, operatorMail);
    assert.deepEqual(await written(), []);
    const first = await hourly.raise(ledger.one);
    const storm = Array.from({ length: 25 }, (_, n) =>
      hourly.raise(n % 2 ? ledger.one : ledger.two, {
        message: `Fault ${n}`,
        level: n ? 'critical' : 'warning',
      }),
    );
    const [warning] = await Promise.all(storm);
    const taken = await hourly.raise(ledger.one, { message: 'Taken' });
    await moveAlertRow(ledger.one, 'acknowledge', taken.id, ANNA);
    await mailNobodyLater(parts, operatorMail);
    assert.deepEqual(
      (await written()).map(({ alert_id }) => alert_id),
      [first.id],
    );
    await ledger.one.rows("UPDATE upkeep SET ran_at = now() - interval '1 hour' WHERE task = 'alert-mail'");
    hourly.seeds.length = 0;
    await Promise.all(
      [parts, { database: ledger.two, enqueuer }].map((one) => mailNobodyLater(one, operatorMail)),
    );
    const [, mail, ...others] = await written();
    assert.deepEqual([others, mail?.title, mail?.alert_id], [[], 'NOBODY WAS TOLD: 25 alerts', null]);
    assert.equal(hourly.seeds.length, 1);
    const lines = mail?.message.split('\n') ?? [];
    assert.equal(lines.filter((line) => line.startsWith('CRITICAL disk_full (db01) Fault ')).length, 20);
    assert.ok(lines.includes('and 5 others: GET /api/v1/alerts?status=open') && warning !== undefined);
    assert.doesNotMatch(mail?.message ?? '', /Taken|WARNING/);
  });

  it('is as one whose escalation has come to its end: the operator hears of it, and it is counted until somebody takes it', async () => {
    await ledger.one.rows("UPDATE alert SET status = 'resolved'");
    await putPerson(ledger.one, 'silent', { email: 'silent@example.org' }, OPS);
    const { name } = await writePolicy(ledger.one, [{ after_ms: 10, notify: { users: ['silent'] } }]);
    const end = async (level: 'critical' | 'warning' | 'info') => {
      const { id } = await raise(ledger.one, { policy: name, level });
      await ledger.one.rows('UPDATE alert SET due_at = now() WHERE id = $1', [id]);
      await step(ledger.one, id);
      return id;
    };
    const ended = [await end('warning'), await end('info'), await end('critical')];
    const critical = ended[2] ?? '';
    const kinds = (await timelineOf(ledger.one, critical)).map(({ kind, step }) => `${kind} ${step}`);
    assert.deepEqual(kinds.slice(-3), ['escalated 1', 'notified 1', 'exhausted 1']);
    const { exhausted } = await countUnheard(ledger.one);
    assert.equal(exhausted, 1, 'the critical one');
    const titles = await Promise.all(
      ended.map(async (id) => (await mails(id)).filter((mail) => mail.step === 1).map(({ title }) => title)),
    );
    assert.deepEqual(titles, [
      ['NOBODY HAS ACKNOWLEDGED: WARNING ALERT: disk_full'],
      [],
      ['NOBODY HAS ACKNOWLEDGED: CRITICAL ALERT: disk_full'],
    ]);
    await moveAlertRow(ledger.one, 'acknowledge', critical, ANNA);
    assert.deepEqual(await countUnheard(ledger.one), { untold: 0, exhausted: 0 });
  });

  it('is one whose people have nothing but an inbox, unless it is to be told nowhere else', async () => {
    await ledger.one.rows("UPDATE person SET roles = '{}'");
    await putPerson(ledger.one, 'inbox', { roles: ['admin'] }, OPS);
    const kindsOf = async (given: Partial<RaisedAlert>) => {
      const { id } = await raise(ledger.one, given);
      return (await timelineOf(ledger.one, id)).map(({ kind }) => kind);
    };
    for (const level of ['critical', 'warning'] as const)
      assert.deepEqual(await kindsOf({ level }), ['opened', 'notified', 'nobody'], level);
    assert.deepEqual(await kindsOf({ level: 'info' }), ['opened', 'notified']);
    const { name } = await writePolicy(ledger.one, [
      { after_ms: 10, notify: { users: ['inbox'] } },
      { after_ms: 10, notify: { users: ['inbox'] }, channels: ['realtime'] },
    ]);
    const { id } = await raise(ledger.one, { policy: name });
    for (const _ of [1, 2]) {
      await ledger.one.rows('UPDATE alert SET due_at = now() WHERE id = $1', [id]);
      await step(ledger.one, id);
    }
    const told = (await timelineOf(ledger.one, id)).map(({ kind, step }) => `${kind} ${step}`);
    assert.deepEqual(told.slice(1), [
      'notified 0',
      'nobody 0',
      'escalated 1',
      'notified 1',
      'nobody 1',
      'escalated 2',
      'notified 2',
      'exhausted 2',
    ]);
  });
});
