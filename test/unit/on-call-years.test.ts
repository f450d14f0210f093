import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { OnCallLayer, OnCallSchedule } from '@belfry/shared/domain/on-call.js';
import { onCallAt, onCallSpans, turnsAt } from '@belfry/shared/domain/on-call-at.js';
import fc from 'fast-check';
import { type SeenTurn, watchedAt, watchTurns } from './rotation-watch.js';
import { DAY_MS, MINUTE_MS, written } from './wall-clock.js';

/** No summer time, with half and three quarters of an hour, summer time of an hour and of half an hour, and winter time in Ramadan. */
const ZONES = [
  'Africa/Addis_Ababa',
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'Africa/Casablanca',
] as const;
/** Changes at midnight, and others that are seldom; looked at when more runs are asked for. */
const MORE_ZONES = [
  'America/Havana',
  'Asia/Beirut',
  'America/St_Johns',
  'Antarctica/Troll',
  'Pacific/Chatham',
];
/** Rotations for each zone, each watched over three years; `ON_CALL_RUNS=200 npm test -- unit/on-call` takes minutes. */
const RUNS = Number(process.env.ON_CALL_RUNS ?? 4);

const FIRST = Date.parse('2026-01-01T00:00:00Z');
const LAST = Date.parse('2029-01-01T00:00:00Z');

describe('over three years, a watchman who looks at the clock every minute agrees', () => {
  const anyTurn: fc.Arbitrary<OnCallLayer['turn']> = fc.oneof(
    fc.constant({ every: 'day' as const }),
    fc.constant({ every: 'week' as const }),
    fc.integer({ min: 1, max: 400 }).map((hours) => ({ every: 'hours' as const, hours })),
  );
  /** Clocks are changed at night. */
  const anyTime = fc
    .oneof(fc.integer({ min: 0, max: 4 * 60 }), fc.integer({ min: 0, max: 24 * 60 - 1 }))
    .map(written);
  const anyMinute = fc
    .integer({ min: 0, max: (LAST - FIRST) / MINUTE_MS - 1 })
    .map((n) => FIRST + n * MINUTE_MS);
  const anyPerson = fc.constantFrom('ada', 'ben', 'cat', 'dan', 'eve');
  const anyPeople = fc.array(anyPerson, { minLength: 1, maxLength: 5 });
  const anyLayer = (timezone: string): fc.Arbitrary<OnCallLayer> =>
    fc
      .record({
        user_ids: anyPeople,
        turn: anyTurn,
        time: anyTime,
        counted: fc.boolean(),
        // In the first days, so that three years are watched, and every minute of a week can be the first.
        start: fc.integer({ min: 0, max: 10 * 24 * 60 }),
        lasts: fc.option(fc.integer({ min: 1, max: 1200 * 24 * 60 }), { freq: 5 }),
      })
      .map(({ user_ids, turn, time, counted, start, lasts }) => ({
        name: 'any',
        user_ids,
        turn,
        hand_off: turn.every === 'hours' && counted ? null : time,
        timezone,
        starts_at: new Date(FIRST + start * MINUTE_MS).toISOString(),
        ends_at: lasts === null ? null : new Date(FIRST + (start + lasts) * MINUTE_MS).toISOString(),
      }));
  const anyOverride = fc
    .record({
      user_id: anyPerson,
      replaces: fc.option(anyPerson),
      start: anyMinute,
      lasts: fc.integer({ min: 1, max: 60 * 24 * 60 }),
    })
    .map(({ user_id, replaces, start, lasts }) => ({
      id: '',
      user_id,
      replaces,
      starts_at: new Date(start),
      ends_at: new Date(start + lasts * MINUTE_MS),
    }));

  for (const zone of RUNS > 4 ? [...ZONES, ...MORE_ZONES] : ZONES)
    it(`in ${zone}`, () => {
      fc.assert(
        fc.property(
          fc.array(anyPerson, { maxLength: 2 }),
          fc.array(anyLayer(zone), { minLength: 1, maxLength: 2 }),
          fc.array(anyOverride, { maxLength: 8 }),
          fc.array(anyMinute, { minLength: 300, maxLength: 300 }),
          (user_ids, layers, overrides, minutes) => {
            const schedule = { user_ids, layers, overrides };
            const seen = layers.map((layer) => watchTurns(layer, LAST));
            for (const [index, layer] of layers.entries()) sameTurns(layer, seen[index] ?? []);
            for (const minute of minutes)
              for (const time of [minute, minute - 1, minute + 59_999])
                assert.deepEqual(
                  onCallAt(schedule, new Date(time)).user_ids,
                  watchedAt(schedule, seen, time),
                );
            sameSpans(schedule, seen, minutes[0] ?? FIRST);
          },
        ),
        { numRuns: RUNS },
      );
    });
});

/** From hand-off to hand-off nothing is left out, and nobody's turn is cut. */
function sameTurns(layer: OnCallLayer, seen: readonly SeenTurn[]): void {
  assert.ok(seen.length > 0);
  for (const turn of seen)
    for (const time of [turn.since, turn.until - 1]) {
      const { now } = turnsAt(layer, new Date(time));
      const found = now === null ? 'nobody' : spelled(now.user_id, +now.since, Math.min(+now.until, LAST));
      const wanted = spelled(turn.user_id, turn.since, turn.until);
      // There are a hundred thousand of them.
      if (found !== wanted) assert.equal(found, wanted, JSON.stringify(layer));
    }
}

function spelled(...turn: readonly (string | number)[]): string {
  return turn.join(' ');
}

/** The calendar has the same people at any minute of a month, and two spans that touch differ. */
function sameSpans(schedule: OnCallSchedule, seen: readonly (readonly SeenTurn[])[], from: number): void {
  const to = Math.min(LAST, from + 30 * DAY_MS);
  const spans = onCallSpans(schedule, new Date(from), new Date(to));
  assert.deepEqual([spans[0]?.starts_at.getTime(), spans.at(-1)?.ends_at.getTime()], [from, to]);
  for (const [index, { starts_at, ends_at, user_ids }] of spans.entries()) {
    const before = spans[index - 1];
    if (before !== undefined) assert.deepEqual(before.ends_at, starts_at);
    assert.notDeepEqual(before?.user_ids, user_ids);
    const [first, last] = [starts_at.getTime(), ends_at.getTime() - 1];
    for (const time of [first, Math.floor((first + last) / 2), last])
      assert.deepEqual(user_ids, watchedAt(schedule, seen, time));
  }
}
