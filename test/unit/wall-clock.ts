export const MINUTE_MS = 60_000;
export const DAY_MS = 24 * 60 * MINUTE_MS;

/** A minute of any day as `HH:MM`. */
export function written(minute: number): string {
  const of = ((minute % (24 * 60)) + 24 * 60) % (24 * 60);
  return [Math.floor(of / 60), of % 60].map((part) => String(part).padStart(2, '0')).join(':');
}

const HALF_HOUR_MS = 30 * MINUTE_MS;
const clocks = new Map<string, (time: number) => number>();

/** What the wall clock of a zone shows, as if it were UTC. Asked once for each half of an hour: no zone changes in between. */
export function clock(zone: string): (time: number) => number {
  const known = clocks.get(zone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone: zone,
    dateStyle: 'short',
    timeStyle: 'medium',
  });
  const asked = new Map<number, number>();
  let [half, shown] = [Number.NaN, Number.NaN];
  const look = () => {
    shown = asked.get(half) ?? Date.parse(`${format.format(half).replace(' ', 'T')}Z`);
    asked.set(half, shown);
  };
  const made = (time: number) => {
    const its = Math.floor(time / HALF_HOUR_MS) * HALF_HOUR_MS;
    if (its !== half) {
      half = its;
      look();
    }
    return shown + time - half;
  };
  clocks.set(zone, made);
  return made;
}

/** When the clock of a zone was put forward or back, to the minute. */
export function changesOf(zone: string): number[] {
  const show = clock(zone);
  const changes: number[] = [];
  const first = Date.parse('2025-01-01T00:00:00Z');
  for (let hour = first; hour < first + 5 * 365 * DAY_MS; hour += 60 * MINUTE_MS) {
    if (show(hour + 60 * MINUTE_MS) - show(hour) === 60 * MINUTE_MS) continue;
    for (let at = hour; at < hour + 60 * MINUTE_MS; at += 15 * MINUTE_MS)
      if (show(at + 15 * MINUTE_MS) - show(at) !== 15 * MINUTE_MS) changes.push(at + 15 * MINUTE_MS);
  }
  return changes;
}
