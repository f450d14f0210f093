import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { forEachEngine } from '../support/engines.js';
import { useFleet } from '../support/fleet.js';
import { readiness } from '../support/ready.js';
import { waitFor } from '../support/wait.js';
import { raiseAlert, stepsOf, tellingsOf, writePolicy } from './alerting.js';

forEachEngine((engine) => {
  const fleet = useFleet({
    engine,
    workers: [{}, {}],
    push: true,
    env: { OPERATOR_EMAIL: 'operator@steps.test', OPERATOR_EMAIL_EVERY_MS: '1000' },
  });
  before(async () => {
    const { person, call } = fleet();
    await person('boss', { email: 'boss@steps.test', phone: '+251911000701', roles: ['admin'] });
    await person('ada', { email: 'ada@steps.test', groups: ['crew'] });
    await person('ben', { email: 'ben@steps.test', phone: '+251911000702', groups: ['crew'] });
    const device = await call('POST', '/users/ben/devices', {
      platform: 'android',
      token: `dGVzdA:APA91b${engine}OfARegistrationToken`,
    });
    assert.equal(device.status, 201, device.text);
  });
  const mailsTo = async (to: string) => (await fleet().sandbox.messages({ to })).length;

  test('an alert goes from step to step, to whom each names and on its channels, and again as often as it repeats', async () => {
    await writePolicy(fleet(), 'stepwise', {
      steps: [
        { name: 'the crew', after_ms: 300, notify: { groups: ['crew'] }, channels: ['email'] },
        { name: 'ben', after_ms: 300, notify: { users: ['ben'] }, channels: ['sms', 'push'] },
      ],
      repeat: 1,
    });
    const id = await raiseAlert(fleet(), 'stepwise');
    await waitFor(async () => (await stepsOf(fleet(), id)).length === 4, {
      timeoutMs: 60_000,
      what: 'four steps',
    });
    await fleet().untilSettled();
    assert.deepEqual(
      (await stepsOf(fleet(), id)).map(({ step, name }) => `${step} ${name}`),
      ['1 the crew', '2 ben', '3 the crew', '4 ben'],
    );
    assert.deepEqual(await tellingsOf(fleet(), id), [
      '0 boss email,realtime,sms',
      '1 ada email',
      '1 ben email',
      '2 ben push,sms',
      '3 ada email',
      '3 ben email',
      '4 ben push,sms',
    ]);
    assert.deepEqual([await mailsTo('ada@steps.test'), await mailsTo('+251911000702')], [2, 2]);
    await fleet().sandbox.expectEmail(
      'operator@steps.test',
      /^NOBODY HAS ACKNOWLEDGED: CRITICAL ALERT: stepwise$/,
    );
    await waitFor(async () => (await readiness(fleet())).exhausted === 1);
    await fleet().call('POST', `/alerts/${id}/acknowledge`);
    await waitFor(async () => (await readiness(fleet())).status === 'ready');
  });

  test('acknowledging it in the middle ends it', async () => {
    const again = { after_ms: 400, notify: { admins: true }, channels: ['email'] };
    await writePolicy(fleet(), 'taken', { steps: [again], repeat: 20 });
    const id = await raiseAlert(fleet(), 'taken');
    await waitFor(async () => (await stepsOf(fleet(), id)).length >= 2, {
      timeoutMs: 60_000,
      what: 'two steps',
    });
    const taken = await fleet().call('POST', `/alerts/${id}/acknowledge`);
    assert.equal(taken.status, 200, taken.text);
    const { length } = await stepsOf(fleet(), id);
    // One that is raised now takes as long as the next step of the other would have.
    const other = await raiseAlert(fleet(), 'taken');
    await waitFor(async () => (await stepsOf(fleet(), other)).length >= 2, {
      timeoutMs: 60_000,
      what: 'two more',
    });
    await fleet().call('POST', `/alerts/${other}/acknowledge`);
    assert.equal((await stepsOf(fleet(), id)).length, length);
  });

  test('operators see the clock that rings next, and one that somebody takes away rings all the same', async () => {
    await writePolicy(fleet(), 'seen', { steps: [{ after_ms: 2_500, notify: { admins: true } }] });
    const id = await raiseAlert(fleet(), 'seen');
    const queue = fleet().queues.queue('escalation');
    const job = await waitFor(() => queue.getJob(`${id}-1`));
    assert.deepEqual(job.data, { v: 1, alert_id: id, step: 1 });
    assert.equal(await job.getState(), 'delayed');
    await job.remove();
    await waitFor(async () => (await stepsOf(fleet(), id)).length === 1, {
      timeoutMs: 60_000,
      what: 'the step',
    });
    await fleet().call('POST', `/alerts/${id}/acknowledge`);
  });

  test('with nobody to tell the operator gets a mail, and the API says that it is degraded', async () => {
    await fleet().person('boss', { email: 'boss@steps.test', roles: [] });
    const id = await raiseAlert(fleet(), 'nobody');
    const toOperator = () => fleet().sandbox.messages({ to: 'operator@steps.test' });
    const told = /^NOBODY WAS TOLD: CRITICAL ALERT: nobody$/;
    await waitFor(async () => (await toOperator()).some(({ subject }) => told.test(String(subject))), {
      timeoutMs: 60_000,
      what: 'the mail to the operator',
    });
    const { status, failing, untold } = await waitFor(async () => {
      const answer = await readiness(fleet());
      return (answer.untold ?? 0) > 0 ? answer : undefined;
    });
    assert.deepEqual([status, failing, untold], ['degraded', ['alerts'], 1]);
    await fleet().call('POST', `/alerts/${id}/acknowledge`);
    await waitFor(async () => (await readiness(fleet())).status === 'ready');
  });
});
