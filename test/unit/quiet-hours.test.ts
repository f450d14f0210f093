import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { endOfQuiet } from '@belfry/shared/routing/quiet-hours.js';
import fc from 'fast-check';
import { changesOf, clock, DAY_MS, MINUTE_MS, written } from './wall-clock.js';

/** Zones with every kind of change: an hour, half an hour, two hours, at midnight, backwards in winter, and none. */
const ZONES = [
  'UTC',
  'Africa/Addis_Ababa',
  'Asia/Kathmandu',
  'Europe/Berlin',
  'America/New_York',
  'America/St_Johns',
  'Australia/Lord_Howe',
  'Pacific/Chatham',
  'Antarctica/Troll',
  'Asia/Beirut',
  'Africa/Cairo',
  'America/Santiago',
  'America/Havana',
  'Africa/Casablanca',
] as const;

function end(from: string, to: string, timezone: string, at: string): string | null {
  return endOfQuiet({ from, to }, timezone, new Date(at))?.toISOString().replace('.000Z', 'Z') ?? null;
}

describe('quiet hours', () => {
  for (const [claim, from, to, zone, at, until] of [
    [
      'begin with their first minute',
      '22:00',
      '07:00',
      'UTC',
      '2026-11-25T22:00:00Z',
      '2026-11-26T07:00:00Z',
    ],
    ['have not begun a moment before', '22:00', '07:00', 'UTC', '2026-11-25T21:59:59.999Z', null],
    [
      'last to their last moment',
      '22:00',
      '07:00',
      'UTC',
      '2026-11-26T06:59:59.999Z',
      '2026-11-26T07:00:00Z',
    ],
    ['are over when they end', '22:00', '07:00', 'UTC', '2026-11-26T07:00:00Z', null],
    ['may lie in one day', '12:00', '14:30', 'UTC', '2026-11-25T13:00:00Z', '2026-11-25T14:30:00Z'],
    ['may end at midnight', '12:00', '00:00', 'UTC', '2026-11-25T23:59:59Z', '2026-11-26T00:00:00Z'],
    ['may begin at midnight', '00:00', '07:00', 'UTC', '2026-11-25T00:00:00Z', '2026-11-25T07:00:00Z'],
    [
      'go by the clock of the person',
      '22:00',
      '07:00',
      'Asia/Kathmandu',
      '2026-11-25T17:00:00Z',
      '2026-11-26T01:15:00Z',
    ],
    [
      'are an hour shorter when the clock is put forward',
      '22:00',
      '07:00',
      'Europe/Berlin',
      '2026-03-28T22:00:00Z',
      '2026-03-29T05:00:00Z',
    ],
    [
      'are an hour longer when it is put back',
      '22:00',
      '07:00',
      'Europe/Berlin',
      '2026-10-24T22:00:00Z',
      '2026-10-25T06:00:00Z',
    ],
    [
      'end with the change when their end is skipped',
      '22:00',
      '02:30',
      'Europe/Berlin',
      '2026-03-28T23:00:00Z',
      '2026-03-29T01:00:00Z',
    ],
    [
      'begin with the change when their beginning is skipped',
      '02:30',
      '07:00',
      'Europe/Berlin',
      '2026-03-29T01:00:00Z',
      '2026-03-29T05:00:00Z',
    ],
    ['have not begun before such a change', '02:30', '07:00', 'Europe/Berlin', '2026-03-29T00:59:59Z', null],
    [
      'end at the first of two',
      '22:00',
      '02:30',
      'Europe/Berlin',
      '2026-10-25T00:00:00Z',
      '2026-10-25T00:30:00Z',
    ],
    [
      'do not begin again when their end comes again',
      '22:00',
      '02:30',
      'Europe/Berlin',
      '2026-10-25T01:00:00Z',
      null,
    ],
    [
      'begin at the first of two',
      '02:30',
      '07:00',
      'Europe/Berlin',
      '2026-10-25T00:30:00Z',
      '2026-10-25T06:00:00Z',
    ],
    [
      'go on when the clock is put back behind their beginning',
      '02:30',
      '07:00',
      'Europe/Berlin',
      '2026-10-25T01:10:00Z',
      '2026-10-25T06:00:00Z',
    ],
    [
      'are one where the change leaves nothing between two',
      '03:00',
      '02:00',
      'Europe/Berlin',
      '2026-03-28T12:00:00Z',
      '2026-03-30T00:00:00Z',
    ],
    [
      'know a day that a country left out',
      '22:00',
      '07:00',
      'Pacific/Apia',
      '2011-12-30T09:30:00Z',
      '2011-12-30T17:00:00Z',
    ],
    [
      'go by UTC in a zone that nobody knows',
      '22:00',
      '07:00',
      'Mars/Olympus',
      '2026-11-25T23:00:00Z',
      '2026-11-26T07:00:00Z',
    ],
  ] as const) {
    it(claim, () => assert.equal(end(from, to, zone, at), until));
  }

  const anyTime = fc.integer({ min: 0, max: 24 * 60 - 1 });
  const anyHours = fc
    .tuple(anyTime, fc.integer({ min: 1, max: 23 * 60 }))
    .map(([from, length]) => ({ from: written(from), to: written((from + length) % (24 * 60)) }));
  const FIRST = Date.parse('2025-01-01T00:00:00Z');
  const anyMoment = fc.integer({ min: 0, max: 5 * 365 * DAY_MS - 1 }).map((ms) => FIRST + ms);

  it('agree at any moment of five years with a watchman who looks at the clock every minute', () => {
    const found = { quiet: 0, awake: 0 };
    fc.assert(
      fc.property(fc.constantFrom(...ZONES), anyHours, anyMoment, (zone, hours, time) => {
        const ends = endOfQuiet(hours, zone, new Date(time));
        found[ends === null ? 'awake' : 'quiet'] += 1;
        assert.equal(ends?.toISOString(), watched(hours, zone, time)?.toISOString());
      }),
      { numRuns: 400 },
    );
    assert.ok(found.quiet > 50 && found.awake > 50, JSON.stringify(found));
  });

  it('agree with the watchman around every change of the clock in these years', () => {
    const changes = ZONES.flatMap((zone) => changesOf(zone).map((at) => ({ zone, at })));
    assert.ok(changes.length > 100, `${changes.length} changes`);
    const near = fc.integer({ min: -26 * 60, max: 26 * 60 });
    /** Times near the change are the ones that are skipped or come twice. */
    const closely = fc.integer({ min: -150, max: 150 });
    fc.assert(
      fc.property(
        fc.constantFrom(...changes),
        near,
        closely,
        closely,
        anyHours,
        (change, minutes, a, b, any) => {
          const wall = clock(change.zone)(change.at) / MINUTE_MS;
          const [from, to] = [written(wall + a), written(wall + b)];
          for (const hours of from === to ? [any] : [any, { from, to }]) {
            const time = change.at + minutes * MINUTE_MS + 1;
            const ends = endOfQuiet(hours, change.zone, new Date(time));
            const wanted = watched(hours, change.zone, time);
            assert.equal(
              ends?.toISOString(),
              wanted?.toISOString(),
              JSON.stringify({ ...change, hours, time }),
            );
          }
        },
      ),
      { numRuns: 400 },
    );
  });
});

/**
 * Goes through the minutes from three days before, with the clock on the wall in sight. Quiet begins at the first minute that
 * shows a day's `from` or later, and ends at the first that shows the `to` after it or later.
 */
function watched({ from, to }: { from: string; to: string }, zone: string, time: number): Date | null {
  const show = clock(zone);
  const [begins, ends] = [from, to].map((text) => {
    const [hours = 0, minutes = 0] = text.split(':').map(Number);
    return (hours * 60 + minutes) * MINUTE_MS;
  }) as [number, number];
  const start = Math.floor((time - 3 * DAY_MS) / MINUTE_MS) * MINUTE_MS;
  const firstDay = Math.floor(show(start) / DAY_MS) * DAY_MS + 2 * DAY_MS;
  const nights = [-1, 0, 1, 2, 3].map((n) => {
    const day = firstDay + n * DAY_MS;
    return { begins: day + begins, ends: day + ends + (ends > begins ? 0 : DAY_MS), began: 0, ended: 0 };
  });
  for (let minute = start; minute < time + 3 * DAY_MS; minute += MINUTE_MS) {
    const wall = show(minute);
    for (const night of nights) {
      if (night.began === 0 && wall >= night.begins) night.began = minute;
      if (night.ended === 0 && wall >= night.ends) night.ended = minute;
    }
  }
  let over: number | null = null;
  for (const { began, ended } of nights) {
    const moment = over ?? time;
    if (began !== 0 && began <= moment && ended > moment) over = ended;
  }
  return over === null ? null : new Date(over);
}
