/*
 * What the clocks on the walls of the world show. A time zone knows its summer time from the ICU data of Node: no library
 * does it faster or in fewer lines, and what they do with a time that is skipped is not what is wanted here
 * (docs/decisions/0026).
 */

export const MINUTE_MS = 60_000;
export const DAY_MS = 24 * 60 * MINUTE_MS;

/** Milliseconds from midnight to a time of the day, `HH:MM`. */
export function sinceMidnight(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return (hours * 60 + minutes) * MINUTE_MS;
}

/** The midnight with which the day of a wall clock's time began. */
export function dayOf(wall: number): number {
  return Math.floor(wall / DAY_MS) * DAY_MS;
}

/** A time zone. What its wall clock shows is written as the milliseconds of the same time in UTC. */
export interface Zone {
  /** What the wall clock shows at a moment. */
  wallAt(time: number): number;
  /**
   * The first moment at which the wall clock shows `wall` or later: the change itself for a time that is skipped in spring, the
   * first one of a time that comes twice in autumn.
   */
  firstAt(wall: number): number;
}

/** A fleet needs few zones, and each costs as much to make as a hundred uses of it; the bound is against odd spellings. */
const MOST_ZONES = 1_000;
const zones = new Map<string, Zone>();

/** The zone with an IANA name; UTC for one that this process does not know: it was known when it was written down. */
export function zoneOf(timezone: string): Zone {
  const known = zones.get(timezone);
  if (known !== undefined) return known;
  if (zones.size >= MOST_ZONES) zones.clear();
  const made = open(timezone);
  zones.set(timezone, made);
  return made;
}

function open(timezone: string): Zone {
  try {
    return new IntlZone(timezone);
  } catch {
    return new IntlZone('UTC');
  }
}

/** Further from UTC than this no clock is; one more minute, so that both sides of a change are seen. */
const AHEAD_MS = 14 * 60 * MINUTE_MS + MINUTE_MS;
const BEHIND_MS = 12 * 60 * MINUTE_MS + MINUTE_MS;

/** Almost every question is about a day of which the one before asked as well. */
const MOST_DAYS = 2_000;

class IntlZone implements Zone {
  readonly #format: Intl.DateTimeFormat;
  /** What the clock was ahead by when days of UTC began. */
  readonly #days = new Map<number, number>();

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

  wallAt(time: number): number {
    return time + this.#offsetAt(time);
  }

  firstAt(wall: number): number {
    let [before, after] = [wall - AHEAD_MS, wall + BEHIND_MS];
    const offset = this.#offsetAt(before);
    if (this.#offsetAt(after) === offset) return wall - offset;
    // The clock is changed in between, at `after` when this is done: no zone does it twice in a day.
    while (after - before > 1) {
      const middle = Math.floor((before + after) / 2);
      if (this.#offsetAt(middle) === offset) before = middle;
      else after = middle;
    }
    return wall - offset < after ? wall - offset : Math.max(after, wall - this.#offsetAt(after));
  }

  /** How far the wall clock is ahead of UTC at a moment, in milliseconds. */
  #offsetAt(time: number): number {
    const day = dayOf(time);
    const offset = this.#offsetOn(day);
    return this.#offsetOn(day + DAY_MS) === offset ? offset : this.#ask(time);
  }

  #offsetOn(day: number): number {
    const known = this.#days.get(day);
    if (known !== undefined) return known;
    if (this.#days.size >= MOST_DAYS) this.#days.clear();
    const asked = this.#ask(day);
    this.#days.set(day, asked);
    return asked;
  }

  #ask(time: number): number {
    const second = Math.floor(time / 1000) * 1000;
    const shown: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
    for (const { type, value } of this.#format.formatToParts(second)) shown[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0 } = shown;
    return Date.UTC(year, month - 1, day, hour, minute, shown.second ?? 0) - second;
  }
}
