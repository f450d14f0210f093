import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  byHttpStatus,
  byMissingAnswer,
  bySmtpReply,
  byTwilioCode,
  type Failure,
  MAX_RETRY_AFTER_MS,
  parseRetryAfter,
} from '@belfry/channels/classify.js';
import fc from 'fast-check';

const NOW = new Date('2026-03-01T10:00:00.000Z');
const STAGES = ['session', 'sender', 'message'] as const;

describe('the table of outcomes', () => {
  it('calls each HTTP status what it is', () => {
    const kinds: Record<string, number[]> = {
      ambiguous: [100, 102, 200, 204, 504],
      misconfigured: [301, 302, 307, 401, 402, 403, 404, 405, 407, 426, 511],
      retry: [408, 409, 421, 423, 425, 500, 501, 502, 503, 505, 599],
      rejected: [400, 410, 413, 414, 418, 422, 431, 451],
      throttled: [429],
    };
    for (const [kind, statuses] of Object.entries(kinds)) {
      for (const status of statuses) assert.equal(byHttpStatus(status).kind, kind, String(status));
    }
  });

  it('has an outcome for every HTTP status, and for what is none', () => {
    fc.assert(
      fc.property(fc.oneof(fc.integer({ min: 100, max: 599 }), fc.integer(), fc.double()), (status) => {
        wellFormed(byHttpStatus(status));
      }),
    );
  });

  it('has an outcome for every SMTP refusal at every stage, whatever else is in the reply', () => {
    const reply = fc.tuple(fc.integer({ min: 400, max: 599 }), fc.constantFrom(' ', '-'), fc.string());
    fc.assert(
      fc.property(reply, fc.constantFrom(...STAGES), ([code, mark, rest], stage) => {
        const failure = bySmtpReply(`${code}${mark}${rest}`, stage);
        assert.ok(failure);
        wellFormed(failure);
        assert.notEqual(failure.kind, 'ambiguous');
        if (code < 500) assert.notEqual(failure.kind, 'rejected');
      }),
    );
  });

  it('takes nothing but a refusal for a refusal', () => {
    fc.assert(
      fc.property(fc.string(), fc.constantFrom(...STAGES), (text, stage) => {
        if (!/^[45]\d\d([ -]|$)/.test(text)) assert.equal(bySmtpReply(text, stage), undefined);
      }),
    );
  });

  it('blames the session or the sender, never the message, for a refusal that came before it', () => {
    for (let code = 500; code < 600; code++) {
      for (const stage of ['session', 'sender'] as const) {
        const failure = bySmtpReply(`${code} no`, stage);
        if (code !== 552 && code !== 556) assert.notEqual(failure?.kind, 'rejected', `${code} ${stage}`);
      }
    }
  });

  it('passes on codes and no other text', () => {
    const code = fc.oneof(
      fc.string(),
      fc.constantFrom('ECONNREFUSED', 'timeout', 'secret@reader.example', '__proto__'),
    );
    fc.assert(
      fc.property(code, fc.boolean(), (text, handedOver) => {
        const failure = byMissingAnswer(text, handedOver);
        wellFormed(failure);
        assert.equal(failure.kind, handedOver ? 'ambiguous' : 'retry');
      }),
    );
  });

  it('judges a Twilio error whatever its code is', () => {
    fc.assert(
      fc.property(fc.anything(), fc.integer({ min: 300, max: 599 }), (code, status) => {
        wellFormed(byTwilioCode(code, status));
      }),
    );
  });
});

describe('Retry-After', () => {
  for (const [header, ms] of [
    ['0', 0],
    ['7', 7_000],
    [' 120 ', 120_000],
    ['3600', 3_600_000],
    ['999999', 3_600_000],
    ['Sun, 01 Mar 2026 10:00:30 GMT', 30_000],
    ['Sun, 01 Mar 2026 09:00:00 GMT', 0],
    ['Sun, 01 Mar 2027 10:00:00 GMT', 3_600_000],
    ['', undefined],
    ['-5', undefined],
    ['1.5', undefined],
    ['soon', undefined],
    ['1e3', undefined],
    ['2026-03-01', undefined],
    ['Sun, 99 Foo 2026 10:00:30 GMT', undefined],
  ] as const) {
    it(`reads "${header}" as ${ms ?? 'nothing'}`, () => {
      assert.equal(parseRetryAfter(header, NOW), ms);
    });
  }

  it('is never below zero or above an hour', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.nat().map(String),
          fc.date({ noInvalidDate: true }).map((d) => d.toUTCString()),
        ),
        (header) => {
          const ms = parseRetryAfter(header, NOW);
          assert.ok(ms === undefined || (ms >= 0 && ms <= MAX_RETRY_AFTER_MS));
        },
      ),
    );
  });

  it('is passed on with 429 and 503, and not with what is never tried again', () => {
    assert.deepEqual(byHttpStatus(429, '3', NOW), { ...byHttpStatus(429), afterMs: 3_000 });
    assert.deepEqual(byHttpStatus(503, '3', NOW), { ...byHttpStatus(503), afterMs: 3_000 });
    assert.deepEqual(byHttpStatus(400, '3', NOW), byHttpStatus(400));
  });
});

function wellFormed(failure: Failure): void {
  assert.match(failure.code, /^[\w-]{2,45}( \d\.\d{1,3}\.\d{1,3})?$/, failure.code);
  assert.match(failure.error, /^[A-Z].{5,100}\.$/);
}
