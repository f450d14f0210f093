import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { forEachEngine } from '../support/engines.js';
import { useFleet } from '../support/fleet.js';
import { waitFor } from '../support/wait.js';
import { email, only, outcomes, sms } from './sending.js';

forEachEngine((engine) => {
  // Nothing is swept here: whatever is tried again has a time of its own, or is asked for.
  const fleet = useFleet({ engine, env: { RETRY_SWEEP_MS: '3600000' } });
  afterEach(() => fleet().sandbox.clearFaults());

  test('a mail that the server turned away twice for now is sent at the third attempt', async () => {
    const { sandbox, untilStatus, queues } = fleet();
    const to = 'busy@example.org';
    await sandbox.fault({ channel: 'email', recipient: to, action: { kind: 'smtp', code: 451 }, times: 2 });
    const id = await email(fleet(), to);
    await untilStatus(id, 'SENT');
    const delivery = await only(fleet(), id);
    assert.deepEqual(outcomes(delivery), ['retry 451', 'retry 451', 'sent 250']);
    assert.equal(delivery.attempts, 3);
    const job = await waitFor(() => queues.queue('email.normal').getJob(delivery.id));
    assert.equal(job.attemptsMade, 3, 'BullMQ counts the attempts too, for operators');
    assert.equal((await sandbox.messages({ to })).length, 1);
  });

  test('a provider that is asked too often is left alone for its Retry-After, which costs no attempt', async () => {
    const { sandbox, untilStatus } = fleet();
    const phone = '+251911000201';
    const throttled = { kind: 'status', status: 429 } as const;
    await sandbox.fault({
      channel: 'sms',
      recipient: phone,
      action: { ...throttled, retryAfter: 1 },
      times: 1,
    });
    await sandbox.fault({
      channel: 'sms',
      recipient: phone,
      action: { ...throttled, retryAfter: 0 },
      times: 3,
    });
    const id = await sms(fleet(), phone);
    await untilStatus(id, 'SENT');
    const delivery = await only(fleet(), id);
    assert.deepEqual(outcomes(delivery), [
      ...Array<string>(4).fill('throttled twilio-20429'),
      'sent http-201',
    ]);
    assert.equal(delivery.attempts, 1, 'more 429s than MAX_ATTEMPTS, and one attempt');
    const [first, second] = delivery.tried;
    const pause = Date.parse(second?.started_at ?? '') - Date.parse(first?.finished_at ?? '');
    assert.ok(pause >= 1_000, `the second try came ${pause} ms after the first`);
  });

  for (const [name, channel, to, action, code] of [
    [
      'a mailbox that is not there',
      'email',
      'nobody@example.org',
      { kind: 'smtp', code: 550, enhanced: '5.1.1' },
      '550 5.1.1',
    ],
    [
      'a number that is none',
      'sms',
      '+251911000202',
      { kind: 'status', status: 400, twilioCode: 21211 },
      'twilio-21211',
    ],
    [
      'a person who opted out with STOP',
      'sms',
      '+251911000203',
      { kind: 'status', status: 400, twilioCode: 21610 },
      'twilio-21610',
    ],
  ] as const) {
    test(`${name} (${code}) is final, and never tried again`, async () => {
      const { sandbox, call, untilStatus, queues } = fleet();
      await sandbox.fault({ channel, recipient: to, action });
      const id = await (channel === 'email' ? email(fleet(), to) : sms(fleet(), to));
      await untilStatus(id, 'FAILED');
      const delivery = await only(fleet(), id);
      assert.deepEqual(
        [delivery.state, delivery.reason, outcomes(delivery)],
        ['dead', code, [`rejected ${code}`]],
      );
      const job = await waitFor(async () =>
        (await queues.queue(`${channel}.normal`).getFailed()).find((one) => one.id === delivery.id),
      );
      assert.equal(job.failedReason, code, 'operators see it among the failed jobs, with its reason');

      await sandbox.clearFaults();
      assert.deepEqual((await call('POST', '/notifications/retry', {}, { as: 'internal' })).body, {
        retried: 0,
      });
      const next = await (channel === 'email' ? email(fleet(), to) : sms(fleet(), to));
      await untilStatus(next, 'FAILED');
      const { rows } = await fleet().database.query(
        'SELECT state, reason FROM delivery WHERE notification_id = $1',
        [next],
      );
      assert.deepEqual(rows, [{ state: 'skipped', reason: 'suppressed' }]);
      assert.deepEqual(await sandbox.messages({ to }), []);
    });
  }

  for (const [channel, action, code] of [
    ['email', { kind: 'smtp', code: 535, at: 'mail', enhanced: '5.7.8' }, '535 5.7.8'],
    ['sms', { kind: 'status', status: 401 }, 'twilio-20003'],
  ] as const) {
    test(`while the credentials for ${channel} are wrong messages are kept, the operator is told once, and a retry sends them`, async () => {
      const { sandbox, call, untilStatus, logs } = fleet();
      await sandbox.fault({ channel, action });
      const addresses =
        channel === 'email'
          ? ['kept-1@example.org', 'kept-2@example.org']
          : ['+251911000211', '+251911000212'];
      const ids = await Promise.all(
        addresses.map((to) => (channel === 'email' ? email(fleet(), to) : sms(fleet(), to))),
      );
      const tried: string[] = [];
      for (const id of ids) {
        const delivery = await waitFor(async () => {
          const [one] = await fleet().deliveries(id);
          return one?.state === 'retrying' ? one : undefined;
        });
        assert.deepEqual([delivery.reason, delivery.attempts], ['misconfigured', 0]);
        tried.push(...outcomes(delivery));
      }
      assert.match(
        tried.join(),
        new RegExp(`^misconfigured ${code}(,misconfigured ${code})?$`),
        'nobody asks twice',
      );
      const told = await waitFor(() => {
        const lines = logs().filter(
          (line) => line.includes('"level":"error"') && line.includes(`"code":"${code}"`),
        );
        return lines.length > 0 ? lines : undefined;
      });
      assert.equal(told.length, 1, told.join('\n'));

      await sandbox.clearFaults();
      assert.deepEqual((await call('POST', '/notifications/retry', {}, { as: 'internal' })).body, {
        retried: 2,
      });
      for (const id of ids) await untilStatus(id, 'SENT');
      for (const to of addresses) assert.equal((await sandbox.messages({ to })).length, 1);
    });
  }

  test('a text message whose answer was lost is looked for at the provider, and not sent twice', async () => {
    const { sandbox, untilStatus } = fleet();
    const phone = '+251911000221';
    const before = (await sandbox.calls()).sms.lookups;
    await sandbox.fault({ channel: 'sms', recipient: phone, action: { kind: 'accept-and-drop' }, times: 1 });
    const id = await sms(fleet(), phone);
    await untilStatus(id, 'SENT');
    const delivery = await only(fleet(), id);
    assert.deepEqual(outcomes(delivery), ['ambiguous ECONNRESET', 'sent found']);
    const [message, ...more] = await sandbox.messages({ to: phone });
    assert.deepEqual(more, []);
    assert.equal(delivery.provider_id, message?.details?.sid);
    assert.equal((await sandbox.calls()).sms.lookups, before + 1);
  });

  test('a text message that the provider surely does not have is sent again', async () => {
    const { sandbox, untilStatus } = fleet();
    const phone = '+251911000222';
    await sandbox.fault({ channel: 'sms', recipient: phone, action: { kind: 'drop' }, times: 1 });
    const id = await sms(fleet(), phone);
    await untilStatus(id, 'SENT');
    assert.deepEqual(outcomes(await only(fleet(), id)), ['ambiguous ECONNRESET', 'sent http-201']);
    assert.equal((await sandbox.messages({ to: phone })).length, 1);
  });

  test('a mail whose answer was lost is sent again under the same Message-ID', async () => {
    const { sandbox, untilStatus } = fleet();
    const to = 'doubt@example.org';
    await sandbox.fault({ channel: 'email', recipient: to, action: { kind: 'accept-and-drop' }, times: 1 });
    const id = await email(fleet(), to);
    await untilStatus(id, 'SENT');
    const delivery = await only(fleet(), id);
    assert.deepEqual(
      delivery.tried.map(({ outcome }) => outcome),
      ['ambiguous', 'sent'],
    );
    const mails = await sandbox.messages({ to });
    assert.deepEqual(
      mails.map(({ message_id }) => message_id),
      Array(2).fill(`<${delivery.id}@belfry.test>`),
    );
    assert.equal(new Set(mails.map(({ headers }) => headers?.date)).size, 1, 'and with the same date');
  });

  test('a job that nobody understands is kept among the failed ones, and holds nothing up', async () => {
    const { queues, untilStatus } = fleet();
    const job = await queues.queue('email.normal').add('strange', { v: 99 }, { attempts: 1 });
    const failed = await waitFor(async () =>
      (await queues.queue('email.normal').getFailed()).find(({ id }) => id === job.id),
    );
    assert.match(failed.failedReason, /./);
    await untilStatus(await email(fleet(), 'after-strange@example.org'), 'SENT');
  });
});
