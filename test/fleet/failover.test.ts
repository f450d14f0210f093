import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setInterval } from 'node:timers/promises';
import { startSandbox } from '@belfry/sandbox/app.js';
import { forEachEngine } from '../support/engines.js';
import { type Fleet, withFleet } from '../support/fleet.js';
import { readiness } from '../support/ready.js';
import { sandboxClient } from '../support/sandbox-client.js';
import { sms } from './sending.js';

/** The promise is about what comes after the first minute. The pauses have only grown by then, so a third of it is the harder case. */
const SETTLING_MS = 20_000;
const MEASURED_MS = 25_000;
const EVERY_MS = 100;

// Most of it is waiting, so both engines wait at the same time.
describe('a provider that fails every second time', { concurrency: true }, () => {
  forEachEngine((engine) => {
    test('keeps less than a tenth of the traffic soon, while every delivery arrives by the second one', async (t) => {
      const second = await startSandbox({ host: '127.0.0.1', httpPort: 0, smtpPort: 0 });
      const other = sandboxClient(second.httpUrl);
      const env = {
        TWILIO_ACCOUNT_SID_2: `AC${'2'.repeat(32)}`,
        TWILIO_AUTH_TOKEN_2: 'the-sandbox-takes-any',
        TWILIO_FROM_2: '+15005550007',
        TWILIO_BASE_URL_2: second.httpUrl,
      };
      try {
        await withFleet({ engine, workers: [{}, {}], env }, async (fleet) => {
          const { sandbox, untilSettled, database, logs } = fleet;
          await sandbox.fault({
            channel: 'sms',
            action: { kind: 'status', status: 500 },
            probability: 0.5,
            seed: 7,
          });
          const tries = async () => [(await sandbox.calls()).sms.tries, (await other.calls()).sms.tries];

          let sent = await stream(fleet, SETTLING_MS, 0);
          const before = await tries();
          assert.ok((before[0] ?? 0) >= 8, 'it was used at first');
          const ready = await readiness(fleet);
          assert.deepEqual([ready.status, ready.failing], ['degraded', ['providers']]);
          assert.deepEqual(
            ready.providers.map(({ account, channel, state, code }) => [account, channel, state, code]),
            [['twilio', 'sms', 'open', 'http-500']],
          );
          sent = await stream(fleet, MEASURED_MS, sent);
          await untilSettled();
          const after = await tries();
          const [asked = 0, gone = 0] = after.map((count, index) => count - (before[index] ?? 0));
          t.diagnostic(`${engine}: ${asked} of ${asked + gone} after the settling`);
          assert.ok(gone > 40, `${gone} went by the second`);
          assert.ok(asked < (asked + gone) / 10, `${asked} of ${asked + gone}`);

          const { rows } = await database.query(
            'SELECT state, count(*)::int AS count FROM delivery GROUP BY state',
          );
          assert.deepEqual(rows, [{ state: 'sent', count: sent }]);
          // A line may break in mid-send for reasons of its own; a 500 never costs a second attempt.
          const again = await database.query(
            `SELECT id FROM delivery d WHERE attempts > 1
             AND NOT EXISTS (SELECT FROM attempt a WHERE a.delivery_id = d.id AND a.outcome = 'ambiguous')`,
          );
          assert.deepEqual(again.rows, []);
          const arrived = [sandbox, other].map(async (one) => (await one.stats()).total);
          assert.equal(
            (await Promise.all(arrived)).reduce((sum, count) => sum + count),
            sent,
          );
          const told = logs().filter((line) => line.includes('"event":"provider_changed"'));
          assert.ok(told.length <= 2, `once by each worker:\n${told.join('\n')}`);
        });
      } finally {
        await second.stop();
      }
    });
  });
});

/** Sends ten text messages a second for so long. Returns how many there are then. */
async function stream(fleet: Fleet, forMs: number, already: number): Promise<number> {
  const began = performance.now();
  let sent = already;
  const sending: Promise<string>[] = [];
  for await (const _ of setInterval(EVERY_MS)) {
    if (performance.now() - began > forMs) break;
    sending.push(sms(fleet, `+2519${String(11_000_000 + sent)}`));
    sent += 1;
  }
  await Promise.all(sending);
  return sent;
}
