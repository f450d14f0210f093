import type { Priority } from '../domain/channel.js';
import type { QuietHours } from '../domain/quiet-hours.js';

/** What waits for the end of somebody's quiet hours, or is never sent because it would expire before. */
export interface Quiet {
  readonly until: Date;
  readonly expires: boolean;
}

/** Whose quiet hours are asked for. */
export interface Sleeper {
  readonly quietHours: QuietHours | null;
  /** IANA time zone. */
  readonly timezone: string;
}

/** Null when a person may be told at `at`: they have no quiet hours then, or it is critical. */
export function quietFor(
  { quietHours, timezone }: Sleeper,
  { priority, at, expiresAt }: { priority: Priority; at: Date; expiresAt: Date | null },
): Quiet | null {
  if (quietHours === null || priority === 'critical') return null;
  const until = endOfQuiet(quietHours, timezone, at);
  return until === null ? null : { until, expires: expiresAt !== null && expiresAt <= until };
}

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/**
 * When the quiet hours end in which `at` lies; null when it lies in none.
 *
 * A time of the day means the first moment at which the clock on the wall shows it, or a later one. So a time that is
 * skipped in spring is the moment of the change, and of one that comes twice in autumn the first counts: one night has one
 * beginning and one end, whatever the clock does meanwhile. `from` belongs to the quiet hours and `to` does not.
 */
export function endOfQuiet({ from, to }: QuietHours, timezone: string, at: Date): Date | null {
  const zone = zoneOf(timezone);
  const [begins, ends] = [minutesOf(from) * MINUTE_MS, minutesOf(to) * MINUTE_MS];
  const length = ends > begins ? 0 : DAY_MS;
  const time = at.getTime();
  const today = Math.floor((time + zone.offsetAt(time)) / DAY_MS) * DAY_MS;
  let end: number | null = null;
  // Yesterday's may last until today. Tomorrow's may have begun: at the end of summer time midnight can come twice. Where
  // the day of the change leaves nothing between two of them, they are one.
  for (const day of [today - DAY_MS, today, today + DAY_MS]) {
    const moment = end ?? time;
    if (zone.firstAt(day + begins) > moment) break;
    const over = zone.firstAt(day + length + ends);
    if (over > moment) end = over;
  }
  return end === null ? null : new Date(end);
}

function minutesOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * 60 + minutes;
}

/** Further from UTC than this no clock is; one more minute, so that both sides of a change are seen. */
const AHEAD_MS = 14 * 60 * MINUTE_MS + MINUTE_MS;
const BEHIND_MS = 12 * 60 * MINUTE_MS + MINUTE_MS;

/** A time zone. What its wall clock shows is written as the milliseconds of the same time in UTC. */
class Zone {
  readonly #format: Intl.DateTimeFormat;

  constructor(timezone: string) {
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone: timezone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  }

  /** How far the wall clock is ahead of UTC at a moment, in milliseconds. */
  offsetAt(time: number): number {
    const second = Math.floor(time / 1000) * 1000;
    const shown: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
    for (const { type, value } of this.#format.formatToParts(second)) shown[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0 } = shown;
    return Date.UTC(year, month - 1, day, hour, minute, shown.second ?? 0) - second;
  }

  /** The first moment at which the wall clock shows `wall` or later. */
  firstAt(wall: number): number {
    let [before, after] = [wall - AHEAD_MS, wall + BEHIND_MS];
    const offset = this.offsetAt(before);
    if (this.offsetAt(after) === offset) return wall - offset;
    // The clock is changed in between, at `after` when this is done: no zone does it twice in a day.
    while (after - before > 1) {
      const middle = Math.floor((before + after) / 2);
      if (this.offsetAt(middle) === offset) before = middle;
      else after = middle;
    }
    return wall - offset < after ? wall - offset : Math.max(after, wall - this.offsetAt(after));
  }
}

/** A fleet needs few zones, and each costs as much to make as a hundred uses of it; the bound is against odd spellings. */
const MOST_ZONES = 1_000;
const zones = new Map<string, Zone>();

function zoneOf(timezone: string): Zone {
  const known = zones.get(timezone);
  if (known !== undefined) return known;
  if (zones.size >= MOST_ZONES) zones.clear();
  const made = open(timezone);
  zones.set(timezone, made);
  return made;
}

/** A zone was known when it was written down. A process that does not know it must deliver all the same. */
function open(timezone: string): Zone {
  try {
    return new Zone(timezone);
  } catch {
    return new Zone('UTC');
  }
}
