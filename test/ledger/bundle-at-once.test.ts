import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { AlertLimit } from '@belfry/shared/domain/alert-limit.js';
import { openBundle } from '@belfry/shared/ledger/alert-pass.js';
import { keepListening, putHeartbeat } from '@belfry/shared/ledger/heartbeats.js';
import { putPerson } from '@belfry/shared/ledger/people.js';
import { missHeartbeats } from '@belfry/shared/notify/miss-heartbeats.js';
import { waitFor } from '../support/wait.js';
import { escalatingOn, writePolicy } from './escalating.js';
import { stormingOn } from './storming.js';
import { SILENT } from './with-engine.js';
import { OPS, rowOf, withLedger } from './with-ledger.js';

const LIMITS: readonly AlertLimit[] = [{ points: 3, seconds: 60 }];
/** What everybody is told of first. */
const DISK = { type: 'disk_full', source: 's0' };

describe('while a bundle is open', () => {
  const ledger = withLedger();
  const plain = escalatingOn();
  const { seeds, raise, step, partsOf } = escalatingOn({ alertLimits: { email: LIMITS } });
  const { only, claimsOf, storm, ask, bundlesOf, claimBundle, age } = stormingOn(ledger, plain.raise, LIMITS);
  before(() => putPerson(ledger.one, 'ops', { email: 'ops@example.org', roles: ['admin'] }, OPS));

  /** The person knows of `s0`, and a bundle is open that tells of three more of it. */
  async function inAStorm(personId: string) {
    await only(personId);
    await ask(personId, await storm(6, 1));
    const [bundle] = await bundlesOf(personId);
    assert.ok(bundle !== undefined);
    return bundle;
  }
  const mailOf = async (alertId: string) => {
    const [mail] = await ledger.one.rows<{ id: string; notification_id: string }>(
      `SELECT d.id, d.notification_id FROM delivery d JOIN notification n ON n.id = d.notification_id
       WHERE n.alert_id = $1 AND n.person_id IS NOT NULL AND d.channel = 'email' ORDER BY d.id DESC`,
      [alertId],
    );
    assert.ok(mail !== undefined);
    return { ...mail, row: await rowOf(ledger.one, mail.id) };
  };
  const hasJob = (deliveryId: string) => seeds.some((seed) => seed.deliveryId === deliveryId);

  it('what would only be held back ends in it in the commit that raises it, and needs no job', async () => {
    const bundle = await inAStorm('held');
    const { id } = await raise(ledger.one, DISK);
    const { id: deliveryId, notification_id, row } = await mailOf(id);
    assert.deepEqual(
      [row.state, row.reason, row.provider, row.provider_id, row.attempts, row.lease_owner],
      ['sent', `bundled_into:${bundle.id}`, 'bundle', bundle.delivery, 1, null],
    );
    assert.ok(row.sent_at instanceof Date);
    assert.equal(hasJob(deliveryId), false);
    assert.ok(
      seeds.some((seed) => seed.notificationId === notification_id && seed.channel === 'realtime'),
      'the inbox is not held back',
    );
    const attempts = await ledger.one.rows('SELECT outcome, code FROM attempt WHERE delivery_id = $1', [
      deliveryId,
    ]);
    assert.deepEqual(attempts, [{ outcome: 'sent', code: 'bundled' }]);
    const told = await ledger.one.rows(
      'SELECT notification_id FROM alert_bundled WHERE bundle_id = $1 AND alert_id = $2',
      [bundle.id, id],
    );
    assert.deepEqual(told, [{ notification_id }]);
  });

  it('a step of an escalation ends in it as well, and is what is answered', async () => {
    const bundle = await inAStorm('steps');
    const policy = await writePolicy(ledger.one, [{ after_ms: 10, notify: { admins: true } }]);
    const { id } = await raise(ledger.one, { ...DISK, policy: policy.name });
    await ledger.one.rows('UPDATE alert SET due_at = now() WHERE id = $1', [id]);
    assert.equal((await step(ledger.one, id)).kind, 'taken');
    const { id: deliveryId, notification_id, row } = await mailOf(id);
    assert.deepEqual([row.state, hasJob(deliveryId)], ['sent', false]);
    const told = await ledger.one.rows(
      'SELECT notification_id FROM alert_bundled WHERE bundle_id = $1 AND alert_id = $2',
      [bundle.id, id],
    );
    assert.deepEqual(told, [{ notification_id }], 'the newest of the two');
  });

  it('a worker looks at what may pass: another origin, another priority, or one that has not been told of for long', async () => {
    const { id: bundleId } = await inAStorm('first');
    const others = [
      { ...DISK, source: 'other' },
      { ...DISK, type: 'other' },
      { ...DISK, level: 'warning' as const },
    ];
    for (const given of others) {
      const { id, row } = await mailOf((await raise(ledger.one, given)).id);
      assert.deepEqual([row.state, hasJob(id)], ['queued', true], JSON.stringify(given));
    }
    await ledger.one.rows(
      `UPDATE alert_pass SET origins = jsonb_build_object('s0 disk_full', extract(epoch FROM now()) - 61) WHERE bundle_id = $1`,
      [bundleId],
    );
    assert.equal((await mailOf((await raise(ledger.one, DISK)).id)).row.state, 'queued');
  });

  it('a worker looks at what no bundle takes: it has gone out, will not be sent, or is not limited', async () => {
    const gone = await inAStorm('gone');
    await ledger.one.rows("UPDATE delivery SET state = 'cancelled' WHERE id = $1", [gone.delivery]);
    assert.equal((await mailOf((await raise(ledger.one, DISK)).id)).row.state, 'queued');
    await inAStorm('off');
    assert.equal((await mailOf((await plain.raise(ledger.one, DISK)).id)).row.state, 'queued');
    const opened = await inAStorm('opened');
    await age('opened', 61);
    const of = { personId: 'opened', channel: 'email', priority: 'critical' } as const;
    await openBundle(ledger.one, of, await claimBundle(opened.delivery), LIMITS);
    assert.equal((await mailOf((await raise(ledger.one, DISK)).id)).row.state, 'queued');
  });

  it('an alert waits half a second at most for the row of a person; a worker looks at it then, and the others are told in bundles', async () => {
    await inAStorm('free');
    await inAStorm('frozen');
    await ledger.one.rows("UPDATE person SET roles = '{admin}' WHERE id IN ('free', 'frozen')");
    await ledger.two.transaction(async ({ rows }) => {
      await rows("SELECT 1 FROM alert_pass WHERE person_id = 'frozen' FOR UPDATE");
      const startedAt = performance.now();
      const { id } = await raise(ledger.one, DISK);
      const tookMs = performance.now() - startedAt;
      // A row is waited for for 300 ms, and without a limit of its own for 5 s.
      assert.ok(tookMs < 3_000, `${tookMs} ms`);
      const mails = await ledger.one.rows(
        `SELECT n.person_id, d.state FROM delivery d JOIN notification n ON n.id = d.notification_id
         WHERE n.alert_id = $1 AND d.channel = 'email' ORDER BY 1`,
        [id],
      );
      assert.deepEqual(mails, [
        { person_id: 'free', state: 'sent' },
        { person_id: 'frozen', state: 'queued' },
      ]);
    });
  });

  it('a bundle that is called off while an alert waits for it takes nothing', async () => {
    const bundle = await inAStorm('called-off');
    let raised: ReturnType<typeof raise> | undefined;
    await ledger.two.transaction(async ({ rows }) => {
      await rows("SELECT 1 FROM alert_pass WHERE person_id = 'called-off' FOR UPDATE");
      raised = raise(ledger.one, DISK);
      await waitFor(
        async () =>
          (
            await ledger.two.rows(
              "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%alert_pass%'",
            )
          ).length > 0,
        { what: 'the alert to wait' },
      );
      await rows("UPDATE delivery SET state = 'cancelled' WHERE id = $1", [bundle.delivery]);
    });
    assert.ok(raised !== undefined);
    assert.equal((await mailOf((await raised).id)).row.state, 'queued');
  });

  it('a heartbeat that is missed is no other alert, and what moved is known', async () => {
    const bundle = await inAStorm('silent');
    await ledger.one.rows('TRUNCATE heartbeat');
    await putHeartbeat(
      ledger.one,
      'backup',
      { afterMs: 60_000, alertType: 'late', level: 'critical', message: null },
      OPS,
    );
    await ledger.one.rows("UPDATE heartbeat SET due_at = now() - interval '1 minute'");
    await keepListening(ledger.one);
    await ledger.one.rows(
      `UPDATE alert_pass SET origins = origins || jsonb_build_object('heartbeat:backup late', extract(epoch FROM now())) WHERE bundle_id = $1`,
      [bundle.id],
    );
    const moved: string[] = [];
    const events = {
      ...SILENT,
      moved: ({ deliveryId }: { deliveryId: string }) => void moved.push(deliveryId),
    };
    await missHeartbeats({ ...partsOf(ledger.one), events });
    const [alert] = await ledger.one.rows<{ id: string }>("SELECT id FROM alert WHERE type = 'late'");
    const { id, row } = await mailOf(String(alert?.id));
    assert.equal(row.reason, `bundled_into:${bundle.id}`);
    assert.deepEqual([moved, hasJob(id)], [[id], false]);
  });

  it('whatever is raised while bundles are opened and begun is told of by the bundle that has it, or is left to a worker', async () => {
    await inAStorm('races');
    const of = { personId: 'races', channel: 'email', priority: 'critical' } as const;
    const told = new Map<string, readonly unknown[]>();
    const both = (n: number) => (n % 2 === 0 ? ledger.one : ledger.two);
    const raised: string[] = [];
    const opening = (async () => {
      while (raised.length < 120) {
        await age('races', 61);
        for (const bundle of await bundlesOf('races')) {
          if (told.has(bundle.id)) continue;
          const opened = await openBundle(both(1), of, await claimBundle(bundle.delivery), LIMITS);
          assert.ok(opened.kind === 'tell');
          const rows = await ledger.one.rows<{ alert_id: string }>(
            'SELECT alert_id FROM alert_bundled WHERE bundle_id = $1',
            [bundle.id],
          );
          assert.equal(rows.length, opened.count, 'nothing is added once it is open');
          told.set(
            bundle.id,
            rows.map(({ alert_id }) => alert_id),
          );
        }
        // What passes uses up the limit, so that the rest begins the next bundle.
        const some = await Promise.all(Array.from({ length: 5 }, () => plain.raise(both(0), DISK)));
        await ask('races', (await Promise.all(some.map(({ id }) => claimsOf(id)))).flat());
      }
    })();
    await Promise.all(
      Array.from({ length: 4 }, async (_, lane) => {
        for (let n = 0; n < 30; n += 1) raised.push((await raise(both(lane), DISK)).id);
      }),
    );
    await opening;
    let bundled = 0;
    for (const id of raised) {
      const { row } = await mailOf(id);
      if (row.state === 'queued') continue;
      bundled += 1;
      const bundleId = String(row.reason).replace('bundled_into:', '');
      const [kept] = await ledger.one.rows(
        'SELECT 1 FROM alert_bundled WHERE bundle_id = $1 AND alert_id = $2',
        [bundleId, id],
      );
      assert.ok(kept !== undefined, 'it is in its bundle');
      const seen = told.get(bundleId);
      assert.ok(seen === undefined || seen.includes(id), 'a bundle that has gone out told of it');
    }
    assert.ok(told.size > 2, `${told.size} bundles were opened meanwhile`);
    assert.ok(bundled > 10, `${bundled} of ${raised.length} ended at once`);
  });
});
