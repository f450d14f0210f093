import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { AlertLimit } from '@belfry/shared/domain/alert-limit.js';
import { openBundle } from '@belfry/shared/ledger/alert-pass.js';
import { moveAlertRow } from '@belfry/shared/ledger/alerts.js';
import type { Claimed } from '@belfry/shared/ledger/claim.js';
import { putDevice } from '@belfry/shared/ledger/devices.js';
import { erasePerson } from '@belfry/shared/ledger/erase.js';
import { putPerson } from '@belfry/shared/ledger/people.js';
import { escalatingOn, writePolicy } from './escalating.js';
import { stormingOn } from './storming.js';
import { OPS, rowOf, withLedger } from './with-ledger.js';

const LIMITS: readonly AlertLimit[] = [{ points: 3, seconds: 60 }];

describe('a storm of alerts', () => {
  const ledger = withLedger();
  const { raise } = escalatingOn();
  const { only, claimsOf, storm, ask, bundlesOf, claimBundle, age } = stormingOn(ledger, raise, LIMITS);
  before(() => putPerson(ledger.one, 'ops', { email: 'ops@example.org', roles: ['admin'] }, OPS));

  it('lets as many pass as may and the first of each source, however many come at once, and has one bundle tell of the others', async () => {
    await only('many');
    const claims = await storm(30, 5);
    const pieces = Array.from({ length: 10 }, (_, n) => claims.slice(n * 3, n * 3 + 3));
    const asked = await Promise.all(pieces.map((piece, n) => ask('many', piece, { n })));
    const passages = asked.flatMap(({ passages }) => passages);
    const passing = claims.filter((_, n) => passages[n]?.kind === 'pass');
    assert.equal(passing.length, 5);
    assert.equal(new Set(passing.map(({ notification }) => notification.alert?.origin)).size, 5);
    const [bundle, ...others] = await bundlesOf('many');
    assert.deepEqual([others, bundle?.open_count, bundle?.priority], [[], 1, 'critical']);
    assert.equal(asked.flatMap(({ seeds }) => seeds).length, 1);
    assert.ok((bundle?.due_in ?? 0) > 0 && (bundle?.due_in ?? 0) <= 60);
    for (const [n, claim] of claims.entries()) {
      const row = await rowOf(ledger.one, claim.deliveryId);
      if (passages[n]?.kind === 'pass') assert.equal(row.state, 'sending');
      else
        assert.deepEqual(
          [row.state, row.reason, row.provider, row.provider_id, row.lease_owner],
          ['sent', `bundled_into:${bundle?.id}`, 'bundle', bundle?.delivery, null],
        );
    }
    const again = await ask('many', passing);
    assert.ok(
      again.passages.every(({ kind }) => kind === 'pass'),
      'who has passed passes again',
    );
    const carrier = await claimBundle(String(bundle?.delivery));
    const early = await openBundle(
      ledger.one,
      { personId: 'many', channel: 'email', priority: 'critical' },
      carrier,
      LIMITS,
    );
    assert.ok(early.kind === 'early' && early.waitMs > 0 && early.waitMs <= 60_000);
    await age('many', 61);
    const told = await openBundle(
      ledger.one,
      { personId: 'many', channel: 'email', priority: 'critical' },
      carrier,
      LIMITS,
    );
    assert.ok(told.kind === 'tell' && told.count === 25 && told.items.length === 25);
    assert.deepEqual(
      told.items.map(({ notificationId }) => notificationId).toSorted(),
      claims
        .filter((_, n) => passages[n]?.kind === 'bundled')
        .map(({ notificationId }) => notificationId)
        .toSorted(),
      'each is answered by what was to tell of it',
    );
  });

  it('is told of by what is open when the bundle goes out, each alert once, and not at all when nothing is', async () => {
    await only('open');
    const { name } = await writePolicy(ledger.one, [{ after_ms: 10, notify: { admins: true } }]);
    const first = await raise(ledger.one, { policy: name });
    await ask('open', [...(await claimsOf(first.id)), ...(await storm(4, 1))]);
    const held = await raise(ledger.one, { policy: name, source: 'db01', message: 'Slow' });
    await ask('open', await claimsOf(held.id));
    await ledger.one.rows('UPDATE alert SET due_at = now() WHERE id = $1', [held.id]);
    await escalatingOn().step(ledger.one, held.id);
    await ask('open', await claimsOf(held.id));
    const [bundle] = await bundlesOf('open');
    const carrier = await claimBundle(String(bundle?.delivery));
    await age('open', 61);
    const of = { personId: 'open', channel: 'email', priority: 'critical' } as const;
    const open = async () => {
      const opening = await openBundle(ledger.one, of, carrier, LIMITS);
      return opening.kind === 'tell' ? opening.items.map(({ context }) => context.message) : opening.kind;
    };
    const told = await open();
    assert.ok(Array.isArray(told));
    assert.equal(told[0], 'Slow', 'the newest comes first');
    assert.equal(new Set(told).size, told.length);
    assert.deepEqual(await open(), told, 'twice is as once');
    await moveAlertRow(ledger.one, 'acknowledge', held.id, { name: 'ops', via: 'api' });
    assert.deepEqual(await open(), told.slice(1));
    await ledger.one.rows("UPDATE alert SET status = 'acknowledged'");
    assert.equal(await open(), 'empty');
    const next = await raise(ledger.one, { source: 'db01' });
    const [passage] = (await ask('open', await claimsOf(next.id))).passages;
    assert.equal(passage?.kind, 'pass', 'the bundle is closed, and the limit allows another');
  });

  it('holds back nothing that is in other hands by now, and leaves no empty bundle', async () => {
    await only('lost');
    const claims = await storm(6, 1);
    await ledger.one.rows('UPDATE delivery SET claim = claim + 1 WHERE id = ANY($1::uuid[])', [
      claims.slice(3).map(({ deliveryId }) => deliveryId),
    ]);
    const { passages, seeds } = await ask('lost', claims);
    assert.deepEqual(
      passages.map(({ kind }) => kind),
      ['pass', 'pass', 'pass', 'lost', 'lost', 'lost'],
    );
    assert.deepEqual([seeds, await bundlesOf('lost')], [[], []]);
  });

  it('goes to every device, but to one address otherwise, and what is louder is neither counted with it nor held back for it', async () => {
    await only('devices');
    const tokens = ['one', 'two'].map((name) => `dGVzdA:APA91b${name}OfARegistrationToken`);
    for (const token of tokens)
      await putDevice(ledger.one, 'devices', { platform: 'android', address: token, keys: null }, OPS);
    const { name } = await writePolicy(ledger.one, [
      { after_ms: 10, notify: { admins: true }, channels: ['push'] },
    ]);
    const pushes = async (level: 'critical' | 'warning') => {
      const { id } = await raise(ledger.one, { policy: name, level });
      await ledger.one.rows('UPDATE alert SET due_at = now() WHERE id = $1', [id]);
      await escalatingOn().step(ledger.one, id);
      return claimsOf(id, 'push');
    };
    const kinds = async (claims: readonly Claimed[]) =>
      (
        await ask('devices', claims, { channel: 'push', priority: claims[0]?.priority ?? 'critical' })
      ).passages.map(({ kind }) => kind);
    for (let n = 0; n < 3; n += 1) assert.deepEqual(await kinds(await pushes('warning')), ['pass', 'pass']);
    const [one, two] = await pushes('warning');
    assert.ok(one && two);
    assert.deepEqual(await kinds([one]), ['bundled']);
    assert.deepEqual(await kinds([two]), ['bundled']);
    const low = await bundlesOf('devices');
    assert.deepEqual(low.map(({ address }) => address).toSorted(), tokens.toSorted());
    assert.deepEqual(
      low.map(({ priority, open_count }) => [priority, open_count]),
      [
        ['high', 2],
        ['high', 2],
      ],
    );
    assert.deepEqual(await kinds(await pushes('critical')), ['pass', 'pass'], 'the first of its kind');
    assert.deepEqual(await kinds(await pushes('critical')), ['pass', 'pass'], 'the limit is its own');
    assert.deepEqual(
      (await bundlesOf('devices')).map(({ delivery, priority }) => [delivery, priority]),
      low.map(({ delivery }) => [delivery, 'high']),
    );
  });

  it('is another thing for each type of one source', async () => {
    await only('types');
    const raised = [];
    for (const type of ['a', 'a', 'a', 'a', 'b', 'b'])
      raised.push(await raise(ledger.one, { type, source: 'prom' }));
    const claims = (await Promise.all(raised.map(({ id }) => claimsOf(id)))).flat();
    const { passages } = await ask('types', claims);
    assert.deepEqual(
      passages.map(({ kind }) => kind),
      ['pass', 'pass', 'pass', 'bundled', 'pass', 'bundled'],
    );
  });

  it('begins another bundle once one will not be sent, and goes with the person', async () => {
    await only('gone');
    const claims = await storm(7, 1);
    await ask('gone', claims.slice(0, 5));
    const [first] = await bundlesOf('gone');
    await ledger.one.rows("UPDATE delivery SET state = 'cancelled' WHERE id = $1", [first?.delivery]);
    await ask('gone', claims.slice(5, 6));
    assert.equal(new Set((await bundlesOf('gone')).map(({ id }) => id)).size, 2);
    await erasePerson(ledger.one, 'gone', OPS);
    const { passages } = await ask('gone', claims.slice(6));
    assert.deepEqual(passages, [{ kind: 'lost' }]);
    assert.deepEqual(await ledger.one.rows("SELECT * FROM alert_pass WHERE person_id = 'gone'"), []);
  });

  it('waits for others no longer than the longest window, whatever they have used up', async () => {
    await only('patient');
    await ask('patient', await storm(5, 1));
    const [bundle] = await bundlesOf('patient');
    const carrier = await claimBundle(String(bundle?.delivery));
    const old = {
      ...carrier,
      notification: { ...carrier.notification, createdAt: new Date(Date.now() - 61_000) },
    };
    const of = { personId: 'patient', channel: 'email', priority: 'critical' } as const;
    assert.equal((await openBundle(ledger.one, of, carrier, LIMITS)).kind, 'early');
    assert.equal((await openBundle(ledger.one, of, old, LIMITS)).kind, 'tell');
  });
});
