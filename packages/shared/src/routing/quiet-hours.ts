import type { Priority } from '../domain/channel.js';
import type { QuietHours } from '../domain/quiet-hours.js';
import { DAY_MS, dayOf, sinceMidnight, zoneOf } from '../domain/zone.js';

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

/**
 * When the quiet hours end in which `at` lies; null when it lies in none.
 *
 * A time of the day means the first moment at which the clock on the wall shows it, or a later one. So a time that is
 * skipped in spring is the moment of the change, and of one that comes twice in autumn the first counts: one night has one
 * beginning and one end, whatever the clock does meanwhile. `from` belongs to the quiet hours and `to` does not.
 */
export function endOfQuiet({ from, to }: QuietHours, timezone: string, at: Date): Date | null {
  const zone = zoneOf(timezone);
  const [begins, ends] = [sinceMidnight(from), sinceMidnight(to)];
  const length = ends > begins ? 0 : DAY_MS;
  const time = at.getTime();
  const today = dayOf(zone.wallAt(time));
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
