import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { moveAlertRow } from '@belfry/shared/ledger/alerts.js';
import { erasePerson } from '@belfry/shared/ledger/erase.js';
import { findPolicy, removePolicy } from '@belfry/shared/ledger/escalation-policies.js';
import { addMember } from '@belfry/shared/ledger/groups.js';
import { putPerson } from '@belfry/shared/ledger/people.js';
import { findAlert } from '@belfry/shared/ledger/read-alerts.js';
import { raiseAlert } from '@belfry/shared/notify/raise-alert.js';
import { takeOverdueSteps } from '@belfry/shared/upkeep/escalations.js';
import { ALERT, escalatingOn, timelineOf, writePolicy } from './escalating.js';
import { OPS, withLedger } from './with-ledger.js';

const ANNA = { name: 'anna', via: 'api' } as const;

describe('an escalation', () => {
  const ledger = withLedger();
  const { raise, step, alarms, partsOf } = escalatingOn();
  before(async () => {
    await putPerson(ledger.one, 'admin', { email: 'admin@example.org', roles: ['admin'] }, OPS);
    for (const id of ['anna', 'ben', 'cat'])
      await putPerson(ledger.one, id, { email: `${id}@example.org`, phone: `+25191100000${id.length}` }, OPS);
    await addMember(ledger.one, 'crew', 'ben', OPS);
    await addMember(ledger.one, 'crew', 'cat', OPS);
  });
  const due = (id: string, agoMs = 0) =>
    ledger.one.rows("UPDATE alert SET due_at = now() - $2 * interval '1 ms' WHERE id = $1", [id, agoMs]);
  const standing = async (id: string) =>
    (
      await ledger.one.rows<{ steps: number; in_ms: number | null }>(
        'SELECT steps, (extract(epoch FROM due_at - now()) * 1000)::float8 AS in_ms FROM alert WHERE id = $1',
        [id],
      )
    )[0];
  const toldAt = async (id: string, at: number) =>
    (await timelineOf(ledger.one, id))
      .filter(({ kind, step }) => kind === 'notified' && step === at)
      .map(({ person_id }) => person_id);
  const channelsAt = (id: string, at: number) =>
    ledger.one.rows<{ person_id: string; channel: string }>(
      `SELECT n.person_id, d.channel FROM notification n JOIN delivery d ON d.notification_id = n.id
       WHERE n.alert_id = $1 AND n.alert_step = $2 AND d.state <> 'skipped' ORDER BY n.person_id, d.channel`,
      [id, at],
    );

  it('takes its steps in order, each once, with its name, its people and its channels, and begins again as often as it repeats', async () => {
    const policy = await writePolicy(
      ledger.one,
      [
        { name: 'the crew', after_ms: 50, notify: { groups: ['crew'] } },
        { after_ms: 0, notify: { users: ['anna'], groups: ['crew'] }, channels: ['email'] },
      ],
      { repeat: 1 },
    );
    alarms.length = 0;
    const { id } = await raise(ledger.one, { policy: policy.name });
    for (let taken = 1; taken <= 4; taken += 1) {
      await due(id);
      assert.deepEqual(await step(ledger.one, id), { kind: 'taken', step: taken });
    }
    assert.deepEqual(await step(ledger.one, id), { kind: 'over' });
    assert.deepEqual(await standing(id), { steps: 4, in_ms: null });
    assert.deepEqual(
      alarms.map(({ step, delayMs }) => [step, delayMs]),
      [
        [1, 50],
        [2, 0],
        [3, 50],
        [4, 0],
      ],
    );
    const line = (await timelineOf(ledger.one, id)).filter(({ kind }) => kind === 'escalated');
    assert.deepEqual(
      line.map(({ step, details }) => [step, details]),
      [
        [1, { name: 'the crew' }],
        [2, { channels: ['email'] }],
        [3, { name: 'the crew' }],
        [4, { channels: ['email'] }],
      ],
    );
    for (const first of [1, 3]) assert.deepEqual(await toldAt(id, first), ['ben', 'cat']);
    for (const second of [2, 4]) assert.deepEqual(await toldAt(id, second), ['anna', 'ben', 'cat']);
    assert.deepEqual(
      (await channelsAt(id, 1)).map(({ channel }) => channel),
      ['email', 'realtime', 'sms', 'email', 'realtime', 'sms'],
      'a step without channels has those of the level',
    );
    assert.deepEqual(
      (await channelsAt(id, 2)).map(({ person_id, channel }) => `${person_id} ${channel}`),
      ['anna email', 'ben email', 'cat email'],
    );
  });

  it('is put off by one that rings early, and by none that rings for a step that was taken', async () => {
    const { id } = await raise(ledger.one);
    const early = await step(ledger.one, id, 1);
    assert.ok(early.kind === 'early' && early.waitMs > 58_000 && early.waitMs <= 60_000);
    await due(id);
    const at = 1;
    const rung = await Promise.all([1, 2, 3, 4].map((n) => step(n % 2 ? ledger.one : ledger.two, id, at)));
    assert.deepEqual(rung.map(({ kind }) => kind).toSorted(), ['over', 'over', 'over', 'taken']);
    await due(id);
    assert.deepEqual(await step(ledger.one, id, at), { kind: 'over' });
    assert.equal((await standing(id))?.steps, 1);
  });

  it('counts its times from when a step was taken, so that a late one does not bring the others along', async () => {
    const { id } = await raise(ledger.one);
    await due(id, 3_600_000);
    await step(ledger.one, id);
    const { in_ms } = (await standing(id)) ?? {};
    assert.ok((in_ms ?? 0) > 58_000, `the next one is due in ${in_ms} ms`);
  });

  it('goes on by the policy it was opened with, whatever becomes of that', async () => {
    const steps = [
      { after_ms: 10, notify: { users: ['anna'] } },
      { after_ms: 10, notify: { users: ['ben'] } },
    ];
    const { name } = await writePolicy(ledger.one, steps, { name: 'kept' });
    const { id } = await raise(ledger.one, { policy: name });
    await writePolicy(ledger.one, [{ after_ms: 10, notify: { users: ['cat'] } }], { name });
    await due(id);
    await step(ledger.one, id);
    await removePolicy(ledger.one, name, OPS);
    await due(id);
    await step(ledger.one, id);
    assert.deepEqual([await toldAt(id, 1), await toldAt(id, 2)], [['anna'], ['ben']]);
  });

  it('names nobody any more who was erased, neither in policies nor in alerts, and tells the others', async () => {
    await putPerson(ledger.one, 'gone', {}, OPS);
    const { name } = await writePolicy(ledger.one, [
      { after_ms: 10, notify: { admins: true } },
      { after_ms: 10, notify: { users: ['anna', 'gone'] } },
    ]);
    const { id } = await raise(ledger.one, { policy: name });
    await erasePerson(ledger.one, 'gone', OPS);
    const left = { after_ms: 10, notify: { users: ['anna'] } };
    assert.deepEqual((await findPolicy(ledger.one, name))?.steps[1], left);
    const [alert] = await ledger.one.rows<{ step: unknown }>(
      "SELECT policy#>'{steps,1}' AS step FROM alert WHERE id = $1",
      [id],
    );
    assert.deepEqual(alert?.step, left);
    for (const _ of [1, 2]) {
      await due(id);
      await step(ledger.one, id);
    }
    assert.deepEqual(await toldAt(id, 2), ['anna']);
  });

  it('ends with an acknowledgement, which calls off what has not left yet', async () => {
    const { id } = await raise(ledger.one);
    await due(id);
    await step(ledger.one, id);
    await moveAlertRow(ledger.one, 'acknowledge', id, ANNA);
    assert.deepEqual(await step(ledger.one, id), { kind: 'over' });
    assert.equal((await standing(id))?.in_ms, null);
    const states = await ledger.one.rows<{ state: string; reason: string }>(
      'SELECT DISTINCT d.state, d.reason FROM notification n JOIN delivery d ON d.notification_id = n.id WHERE n.alert_id = $1 AND d.state <> $2',
      [id, 'skipped'],
    );
    assert.deepEqual(states, [{ state: 'cancelled', reason: 'alert_acknowledged' }]);
  });

  it('that nobody has taken in time is taken by the upkeep, unless somebody holds it', async () => {
    const [late, held, fresh] = [await raise(ledger.one), await raise(ledger.one), await raise(ledger.one)];
    await due(late.id, 5_000);
    await due(held.id, 5_000);
    await due(fresh.id, -60_000);
    await ledger.two.transaction(async (transaction) => {
      await transaction.rows('SELECT 1 FROM alert WHERE id = $1 FOR UPDATE', [held.id]);
      await takeOverdueSteps(partsOf(ledger.one));
    });
    const steps = await Promise.all([late, held, fresh].map(async ({ id }) => (await standing(id))?.steps));
    assert.deepEqual(steps, [1, 0, 0]);
    await takeOverdueSteps(partsOf(ledger.one));
    assert.equal((await standing(held.id))?.steps, 1);
  });

  it('that cannot be taken is reported with its alert, and keeps no other from being taken', async () => {
    const [broken, other] = [await raise(ledger.one), await raise(ledger.one)];
    await ledger.one.rows('UPDATE alert SET policy = NULL WHERE id = $1', [broken.id]);
    await due(broken.id, 9_000);
    await due(other.id, 5_000);
    const parts = partsOf(ledger.one);
    const failed: string[] = [];
    const events = {
      ...parts.events,
      escalationFailed: ({ alertId }: { alertId: string }) => failed.push(alertId),
    };
    await assert.rejects(takeOverdueSteps({ ...parts, events }), /does not have/);
    assert.deepEqual(new Set(failed), new Set([broken.id]));
    assert.equal((await standing(other.id))?.steps, 1);
    await ledger.one.rows('DELETE FROM alert WHERE id = $1', [broken.id]);
  });

  it('tells whoever is on call by default where nothing was said of the type; nobody is somebody', async () => {
    await ledger.one.rows(
      "INSERT INTO on_call (alert_type, user_ids) VALUES ('default', '{ben}'), ('silent', '{}')",
    );
    const told = async (type: string) => toldAt((await raise(ledger.one, { type })).id, 0);
    assert.deepEqual(await told('never_heard_of'), ['admin', 'ben']);
    assert.deepEqual(await told('silent'), ['admin']);
    await ledger.one.rows("DELETE FROM on_call WHERE alert_type = 'default'");
  });

  it('tells 500 people at most, of a large group those who are left, and says how many it left out', async () => {
    await ledger.one.rows(
      `WITH many AS (INSERT INTO person (id) SELECT 'a' || lpad(n::text, 4, '0') FROM generate_series(1, 501) AS n RETURNING id)
       INSERT INTO group_member (group_id, person_id) SELECT 'many', id FROM many`,
    );
    for (const id of ['zoe-on-call', 'zoe-named', 'zoe-admin'])
      await putPerson(ledger.one, id, { email: `${id}@example.org` }, OPS);
    await putPerson(ledger.one, 'zoe-admin', { roles: ['admin'] }, OPS);
    await ledger.one.rows("INSERT INTO on_call (alert_type, user_ids) VALUES ('wide', '{zoe-on-call}')");
    const notify = { users: ['zoe-named'], groups: ['many'], on_call: true, admins: true };
    const { name } = await writePolicy(ledger.one, [{ after_ms: 10, notify, channels: ['email'] }]);
    const { id } = await raise(ledger.one, { type: 'wide', policy: name });
    await due(id);
    await step(ledger.one, id);
    const told = await toldAt(id, 1);
    assert.equal(told.length, 500);
    const loud = ['admin', 'zoe-admin', 'zoe-named', 'zoe-on-call'];
    assert.deepEqual(told.filter((one) => !/^a\d/.test(String(one))).toSorted(), loud);
    const [line] = (await timelineOf(ledger.one, id)).filter(
      ({ kind, step }) => kind === 'notified' && step === 1,
    );
    assert.deepEqual(line?.details, { left_out: 5 });
    await putPerson(ledger.one, 'zoe-admin', { roles: [] }, OPS);
  });

  it('that reaches nobody who was named falls through to the admins', async () => {
    await putPerson(ledger.one, 'mute', {}, OPS);
    await putPerson(ledger.one, 'off', { active: false }, OPS);
    const { name } = await writePolicy(ledger.one, [
      { after_ms: 10, notify: { on_call: true } },
      { after_ms: 10, notify: { users: ['off'] } },
      { after_ms: 10, notify: { users: ['mute'] }, channels: ['sms', 'email'] },
    ]);
    const { id } = await raise(ledger.one, { policy: name });
    for (const _ of [1, 2, 3]) {
      await due(id);
      await step(ledger.one, id);
    }
    assert.deepEqual(await toldAt(id, 1), ['admin']);
    assert.deepEqual(await toldAt(id, 2), ['admin']);
    assert.deepEqual(await toldAt(id, 3), ['mute', 'admin']);
    const instead = (await timelineOf(ledger.one, id)).filter(
      ({ kind, step }) => kind === 'notified' && step !== 0,
    );
    assert.deepEqual(
      instead.map(({ details }) => details),
      [{ instead: 'admins' }, { instead: 'admins' }, {}, { instead: 'admins' }],
    );
  });

  it('counts what is raised again in one line at the end of the timeline, with times of the database alone', async () => {
    const { id } = await raise(ledger.one, { dedupKey: 'again' });
    await moveAlertRow(ledger.one, 'acknowledge', id, ANNA);
    for (const message of ['two', 'three'])
      await raiseAlert(partsOf(ledger.one), { ...ALERT, dedupKey: 'again', message }, () => null);
    const found = await findAlert(ledger.one, id);
    assert.deepEqual([found?.timeline[0]?.kind, found?.leftOut], ['opened', 0]);
    const last = found?.timeline.at(-1);
    const { times, message, first_at } = last?.details ?? {};
    assert.deepEqual([last?.kind, times, message], ['repeated', 2, 'three']);
    assert.match(String(first_at), /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.ok(Date.parse(String(first_at)) <= (last?.at.getTime() ?? 0));
  });

  it('has a timeline of a thousand lines at most, which begins with the opening and says what is left out', async () => {
    const { id } = await raise(ledger.one);
    const before = (await findAlert(ledger.one, id))?.timeline.length ?? 0;
    await ledger.one.rows(
      `INSERT INTO alert_event (alert_id, kind, details) SELECT $1, 'nobody', jsonb_build_object('n', n)
       FROM generate_series(1, 1500) AS n`,
      [id],
    );
    const { timeline, leftOut } = (await findAlert(ledger.one, id)) ?? { timeline: [], leftOut: 0 };
    assert.equal(timeline.length, 1_000);
    assert.deepEqual([timeline[0]?.kind, timeline.at(-1)?.details.n], ['opened', 1_500]);
    assert.equal(leftOut, before + 1_500 - 1_000);
  });
});
