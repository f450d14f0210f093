import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ReadPayload } from '@belfry/api/inbound/inbound-alert.js';
import { readJson } from '@belfry/api/inbound/json-alert.js';
import { readPrometheus } from '@belfry/api/inbound/prometheus.js';
import { Refusal } from '@belfry/shared/domain/refusal.js';
import fc from 'fast-check';
import { firing, problems } from '../support/inbound-payload.js';

const SOURCE = { name: 'prom', level: 'warning' } as const;

describe('whatever a source sends', () => {
  it('is refused unread when there are more than a thousand', () => {
    const refused = (error: unknown) => error instanceof Refusal && error.reason === 'too_many_alerts';
    for (const reader of [readPrometheus, readJson]) {
      assert.equal(reader(SOURCE, { alerts: Array(1_000).fill(0) }).count, 1_000);
      assert.throws(() => reader(SOURCE, { alerts: Array(1_001).fill(0) }), refused);
    }
  });

  it('is not told of a million mistakes of one alert', () => {
    const alert = { type: 'a', message: 'b', affected_systems: Array(1_000_000).fill(0) };
    assert.deepEqual(problems(readJson(SOURCE, alert)), [' must have at most 65536 characters as JSON']);
  });

  for (const [kind, reader] of Object.entries({ prometheus: readPrometheus, json: readJson }) as [
    string,
    ReadPayload,
  ][])
    it(`as ${kind} is read, or refused as no payload`, () => {
      const alerts = fc.array(
        fc.oneof(
          fc.jsonValue({ maxDepth: 3 }),
          fc.record(
            {
              status: fc.constantFrom('firing', 'resolved', 'ok', 7, null),
              type: fc.string({ unit: 'binary', maxLength: 5 }),
              message: fc.string({ unit: 'binary', maxLength: 5 }),
              labels: fc.dictionary(
                fc.string({ unit: 'binary', maxLength: 5 }),
                fc.jsonValue({ maxDepth: 1 }),
              ),
              annotations: fc.jsonValue({ maxDepth: 2 }),
              fingerprint: fc.string({ unit: 'binary', maxLength: 300 }),
            },
            { requiredKeys: [] },
          ),
        ),
        { maxLength: 4 },
      );
      fc.assert(
        fc.property(fc.oneof(fc.jsonValue(), fc.record({ alerts })), (body) => {
          try {
            for (const content of firing(reader(SOURCE, body))) {
              assert.match(content.type, /^[A-Za-z0-9._\-:@]{1,128}$/);
              assert.ok(content.message.length >= 1 && content.message.length <= 2_000);
              assert.doesNotMatch(JSON.stringify(content), /\\u0000|\\ud[89a-f]/);
            }
          } catch (error) {
            assert.ok(error instanceof Refusal && error.code === 'invalid', String(error));
          }
        }),
        { numRuns: 200 },
      );
    });
});
