import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachEngine } from '../support/engines.js';
import { useFleet } from '../support/fleet.js';
import { items } from '../support/http.js';

forEachEngine((engine) => {
  const fleet = useFleet({ engine, env: { MAX_ATTEMPTS: '2' } });
  const retry = () => fleet().call('POST', '/notifications/retry', undefined, { as: 'internal' });
  const mailTo = async (to: string) => {
    const answer = await fleet().call('POST', '/notifications/email/send', { to, subject: 'x', body: 'x' });
    return String(answer.body.email_id);
  };

  test('retry takes up what failed and may still work, and never what failed for good', async () => {
    assert.deepEqual((await retry()).body, { retried: 0 });
    await fleet().sandbox.fault({
      channel: 'email',
      recipient: 'full@example.org',
      action: { kind: 'smtp', code: 452 },
      times: 2,
    });
    await fleet().sandbox.fault({
      channel: 'email',
      recipient: 'gone@example.org',
      action: { kind: 'smtp', code: 550 },
    });
    const [full, gone, fine] = [
      await mailTo('full@example.org'),
      await mailTo('gone@example.org'),
      await mailTo('fine@example.org'),
    ];
    await fleet().untilStatus(full, 'FAILED');
    await fleet().untilStatus(gone, 'FAILED');
    await fleet().untilStatus(fine, 'SENT');

    const answer = await retry();
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(answer.body, { retried: 1 });
    await fleet().untilStatus(full, 'SENT');
    assert.deepEqual((await retry()).body, { retried: 0 });
    assert.equal((await fleet().call('GET', `/email/${gone}`)).body.status, 'FAILED');

    const [delivery] = items((await fleet().call('GET', `/email/${full}`)).body.deliveries);
    assert.deepEqual(
      items(delivery?.attempts).map(({ n, provider, outcome, code }) => ({ n, provider, outcome, code })),
      [
        { n: 1, provider: 'smtp', outcome: 'retry', code: '452' },
        { n: 2, provider: 'smtp', outcome: 'retry', code: '452' },
        { n: 3, provider: 'smtp', outcome: 'sent', code: '250' },
      ],
    );
    for (const { started_at, finished_at } of items(delivery?.attempts))
      assert.ok(String(started_at) <= String(finished_at));
  });
});
