import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { forEachEngine } from '../support/engines.js';
import { useFleet } from '../support/fleet.js';
import { type Answer, items } from '../support/http.js';
import { writesNothing } from './ledger-rows.js';
import { assertProblem } from './problem.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const EVERYWHERE = { realtime: true, email: true, sms: true, push: true };

forEachEngine((engine) => {
  const fleet = useFleet({ engine, workers: [] });
  const send = (body: unknown) => fleet().call('POST', '/notifications/send', body);

  before(async () => {
    await fleet().person('abebe', { email: 'abebe@example.org', phone: '+251911000001' });
    await fleet().person('sms', {
      email: 'sms@example.org',
      phone: '+251911000002',
      preferences: EVERYWHERE,
    });
    await fleet().person('bare');
  });

  test('a message is answered with 202, its id, its channels and a delivery for every channel', async () => {
    const answer = await send({ user_id: 'abebe', message: 'Your keys are ready.', priority: 'high' });
    assert.equal(answer.status, 202, answer.text);
    assert.match(answer.headers.get('content-type') ?? '', /^application\/json/);
    assert.equal(answer.body.status, 'queued');
    assert.match(String(answer.body.notification_id), UUID);
    assert.deepEqual(answer.body.channels, ['realtime', 'email']);
    const deliveries = items(answer.body.deliveries);
    assert.deepEqual(
      deliveries.map(({ channel, state, reason }) => ({ channel, state, reason })),
      [
        { channel: 'realtime', state: 'queued', reason: undefined },
        { channel: 'email', state: 'queued', reason: undefined },
        { channel: 'sms', state: 'skipped', reason: 'priority_too_low' },
        { channel: 'push', state: 'skipped', reason: 'no_device' },
        { channel: 'webhook', state: 'skipped', reason: 'not_by_default' },
      ],
    );
    for (const delivery of deliveries) assert.match(String(delivery.id), UUID);
    const stored = await fleet().call('GET', `/notifications/${answer.body.notification_id}`);
    assert.deepEqual(
      items(stored.body.deliveries).map(({ id }) => String(id)),
      deliveries.map(({ id }) => String(id)),
      'what was answered is what is on disk',
    );
    assert.equal(stored.body.message, 'Your keys are ready.');
    assert.equal(stored.body.title, 'Notification');
  });

  test('an event is accepted with its context, and unknown variables are kept', async () => {
    const context = { property_title: 'Bole 4B', amount: 1250.5, currency: 'ETB', floor: 4 };
    const answer = await send({ user_id: 'sms', event_type: 'payment_success', context, data: { a: [1] } });
    assert.equal(answer.status, 202, answer.text);
    assert.deepEqual(answer.body.channels, ['realtime', 'email', 'sms'], 'events go by email and SMS too');
    const stored = await fleet().call('GET', `/notifications/${answer.body.notification_id}`);
    assert.deepEqual(stored.body.context, context);
    assert.deepEqual(stored.body.data, { a: [1] });
    assert.equal(stored.body.event_type, 'payment_success');
    assert.equal(stored.body.template_version, 1);
    assert.equal(stored.body.user_id, 'sms');
  });

  test('all four events that ship are accepted', async () => {
    const contexts = {
      payment_success: { property_title: 'Flat', amount: 1 },
      payment_failed: { property_title: 'Flat', amount: 1 },
      listing_approved: { property_title: 'Flat' },
      tenant_update: { property_title: 'Flat', update: 'A new key.' },
    };
    for (const [event_type, context] of Object.entries(contexts)) {
      const answer = await send({ user_id: 'abebe', event_type, context });
      assert.equal(answer.status, 202, answer.text);
      assert.deepEqual(answer.body.channels, ['realtime', 'email'], event_type);
      assert.equal(reasons(answer).sms, 'preference_off');
    }
  });

  test('without channels the priority decides: realtime always, email from high, SMS from critical', async () => {
    const wanted = {
      critical: ['realtime', 'email', 'sms'],
      high: ['realtime', 'email'],
      normal: ['realtime'],
      low: ['realtime'],
    };
    for (const [priority, channels] of Object.entries(wanted)) {
      const answer = await send({ user_id: 'sms', message: 'x', priority });
      assert.deepEqual(answer.body.channels, channels, priority);
    }
    const usual = await send({ user_id: 'sms', message: 'x' });
    assert.deepEqual(usual.body.channels, wanted.normal, 'the priority is normal when none is given');
  });

  test('channels that are asked for are the only ones, in the usual order and once each', async () => {
    const answer = await send({ user_id: 'sms', message: 'x', channels: ['sms', 'email', 'sms'] });
    assert.deepEqual(answer.body.channels, ['email', 'sms']);
    assert.equal(reasons(answer).realtime, 'not_requested');
  });

  test('a channel that was not used says why', async () => {
    const bare = await send({ user_id: 'bare', message: 'x', priority: 'critical' });
    assert.deepEqual(reasons(bare), {
      email: 'no_address',
      sms: 'preference_off',
      push: 'no_device',
      webhook: 'not_by_default',
    });
    await fleet().person('quiet', { email: 'quiet@example.org', preferences: { email: false } });
    const quiet = await send({ user_id: 'quiet', message: 'x', priority: 'critical' });
    assert.deepEqual(quiet.body.channels, ['realtime']);
    assert.equal(reasons(quiet).email, 'preference_off');
    await fleet().database.query(
      `INSERT INTO suppression (channel, address, reason) VALUES ('email', 'gone@example.org', 'rejected')`,
    );
    await fleet().person('gone', { email: 'gone@example.org' });
    assert.equal(
      reasons(await send({ user_id: 'gone', message: 'x', priority: 'high' })).email,
      'suppressed',
    );
  });

  test('a notification that reaches nobody is accepted and counts as failed', async () => {
    await fleet().person('away', { email: 'away@example.org', active: false });
    const answer = await send({ user_id: 'away', message: 'x', priority: 'critical' });
    assert.equal(answer.status, 202);
    assert.deepEqual(answer.body.channels, []);
    assert.equal(reasons(answer).email, 'person_inactive');
    const stored = await fleet().call('GET', `/notifications/${answer.body.notification_id}`);
    assert.equal(stored.body.status, 'FAILED');
    assert.equal(stored.body.reason, 'no_channel');
  });

  test('an unknown person gets 404 in words, and exactly one FAILED notification is recorded', async () => {
    const answer = await send({ user_id: 'user-nobody', message: 'x' });
    assertProblem(answer, 404, { detail: 'User with ID user-nobody not found.', code: 'unknown_person' });
    const list = await fleet().call('GET', '/notifications?user_id=user-nobody');
    assert.equal(items(list.body).length, 1);
    assert.equal(items(list.body)[0]?.status, 'FAILED');
    assert.deepEqual(items(list.body)[0]?.channels, []);
    const whole = await fleet().call('GET', `/notifications/${items(list.body)[0]?.id}`);
    assert.equal(whole.body.reason, 'unknown_person');
    assert.deepEqual(whole.body.deliveries, []);
  });

  test('an unknown event and a wrong context are refused with 422 that names them, and nothing is written', async () => {
    await writesNothing(fleet(), async () => {
      const unknown = await send({ user_id: 'abebe', event_type: 'payment_lost', context: {} });
      assertProblem(unknown, 422, { detail: /payment_lost/, code: 'unknown_event' });
      for (const event_type of ['_message', '_layouts', '..', 'constructor', '__proto__'])
        assertProblem(await send({ user_id: 'abebe', event_type, context: {} }), 422);
      const missing = await send({
        user_id: 'abebe',
        event_type: 'payment_success',
        context: { property_title: 'Flat' },
      });
      assertProblem(missing, 422, { detail: /amount/, path: 'context.amount', code: 'invalid_context' });
      const wrong = await send({
        user_id: 'abebe',
        event_type: 'payment_success',
        context: { property_title: 'Flat', amount: 'much', currency: 'XX' },
      });
      assertProblem(wrong, 422, { detail: /amount.*currency/s, path: 'context.currency' });
      const empty = await send({ user_id: 'abebe', event_type: 'listing_approved' });
      assertProblem(empty, 422, { path: 'context.property_title' });
      const both = await send({ user_id: 'nobody', event_type: 'listing_approved', message: 'x' });
      assertProblem(both, 422, { path: 'message' });
      const unknownTwice = await send({ user_id: 'nobody', event_type: 'payment_lost', context: {} });
      assertProblem(unknownTwice, 422, { code: 'unknown_event' });
    });
  });

  test('explain gives the same channels and reasons as a send, with the rules in words, and writes nothing', async () => {
    const bodies = [
      { user_id: 'sms', message: 'x', priority: 'critical' },
      { user_id: 'bare', message: 'x', priority: 'high' },
      { user_id: 'abebe', event_type: 'listing_approved', context: { property_title: 'Flat' } },
      { user_id: 'abebe', message: 'x', channels: ['webhook', 'email'] },
    ];
    for (const body of bodies) {
      let explained: Answer | undefined;
      await writesNothing(fleet(), async () => {
        explained = await fleet().call('POST', '/notifications/explain', body);
        assert.equal(explained.status, 200, explained.text);
      });
      const sent = await send(body);
      assert.deepEqual(explained?.body.channels, sent.body.channels);
      for (const decision of items(explained?.body.decisions)) {
        assert.match(String(decision.rule), /^[A-Z].*\.$/);
        if (String(decision.used) === 'false')
          assert.equal(decision.reason, reasons(sent)[String(decision.channel)]);
      }
    }
    await writesNothing(fleet(), async () => {
      const unknown = await fleet().call('POST', '/notifications/explain', {
        user_id: 'nobody',
        message: 'x',
      });
      assertProblem(unknown, 404, { detail: 'User with ID nobody not found.' });
      assertProblem(await fleet().call('POST', '/notifications/explain', { user_id: 'abebe' }), 422);
    });
  });
});

/** Why each channel that was not used was not. */
function reasons(answer: Answer): Record<string, unknown> {
  const skipped = items(answer.body.deliveries).filter(({ state }) => String(state) === 'skipped');
  return Object.fromEntries(skipped.map(({ channel, reason }) => [String(channel), reason]));
}
