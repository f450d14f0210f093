import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { workerSettings } from '@belfry/shared/config/settings.js';
import { DELIVERY_QUEUES } from '@belfry/shared/queue/topology.js';
import { concurrencyFor, loadOf } from '@belfry/workers/concurrency.js';

const settings = (given: Record<string, string>) =>
  workerSettings.parse({ DATABASE_URL: 'postgres://u@h/db', ...given });

describe('the concurrency of a worker', () => {
  it('is the one of the channel, or the common one, shared out 8:4:2:1', () => {
    const given = settings({ WORKER_CONCURRENCY: '15', WORKER_CONCURRENCY_SMS: '30' });
    const of = (channel: 'email' | 'sms') =>
      (['critical', 'high', 'normal', 'low'] as const).map((one) =>
        concurrencyFor(`${channel}.${one}`, given),
      );
    assert.deepEqual(of('email'), [8, 4, 2, 1]);
    assert.deepEqual(of('sms'), [16, 8, 4, 2]);
  });

  it('is told to the providers as the sum over the queues that are served', () => {
    const given = settings({ WORKER_CONCURRENCY: '15' });
    assert.deepEqual(loadOf(['email.critical', 'email.low', 'sms.high'], given), { email: 9, sms: 4 });
    assert.equal(
      loadOf(DELIVERY_QUEUES, settings({ WORKER_CONCURRENCY: '1' })).email,
      4,
      'each at least one',
    );
  });
});
