import { InvalidArgumentError } from 'commander';

const UNITS = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;
const SPAN = /^\+?(\d{1,6})([smhd])$/;

/** A moment before now: `2h` is two hours ago. What is no span is left to the server, which takes ISO 8601 and epoch seconds. */
export function before(given: string): string {
  return moved(given, -1);
}

/** The same as a date, for what is not left to the server. */
export function pastDate(given: string): Date {
  const at = new Date(/^\d{9,11}$/.test(given) ? Number(given) * 1_000 : before(given));
  if (Number.isNaN(at.getTime()))
    throw new InvalidArgumentError('It must be a span such as 10m, or a time in ISO 8601.');
  return at;
}

/** A moment after now: `10m` or `+10m` is in ten minutes. */
export function ahead(given: string): string {
  return moved(given, 1);
}

function moved(given: string, direction: 1 | -1): string {
  const [, count, unit] = SPAN.exec(given) ?? [];
  if (count === undefined || unit === undefined) return given;
  return new Date(Date.now() + direction * Number(count) * secondsOf(unit) * 1_000).toISOString();
}

function secondsOf(unit: string): number {
  return unit in UNITS ? UNITS[unit as keyof typeof UNITS] : 1;
}

/** A number of seconds from `least` to `most`, for an option. */
export function seconds(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isFinite(value) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be a number of seconds from ${least} to ${most}.`);
  };
}

/** A whole number from `least` to `most`, for an option. */
export function count(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
  };
}

/** The moment of an answer, in this machine's time zone: `2027-03-01 09:00:00`. Empty for what has no time yet. */
export function moment(iso: string | null | undefined): string {
  if (iso === null || iso === undefined) return '';
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** The same in eleven columns: the time of today, otherwise the day too. */
export function brief(iso: string | null | undefined, now = new Date()): string {
  const [day = '', time = ''] = moment(iso).split(' ');
  const [today] = moment(now.toISOString()).split(' ');
  return day === today ? time : `${day.slice(5)} ${time.slice(0, 5)}`.trim();
}

/** How long ago, or how far ahead, as people say it: `3 min ago`, `in 2 h`. */
export function fromNow(iso: string, now = Date.now()): string {
  const ms = new Date(iso).getTime() - now;
  const long = span(Math.abs(ms));
  return ms > 0 ? `in ${long}` : `${long} ago`;
}

/** Milliseconds as people say them: `12 s`, `3 min`. */
export function span(ms: number): string {
  const s = Math.round(ms / 1_000);
  if (s < 100) return `${s} s`;
  if (s < 100 * 60) return `${Math.round(s / 60)} min`;
  if (s < 48 * 3_600) return `${Math.round(s / 3_600)} h`;
  return `${Math.round(s / 86_400)} d`;
}

/** Milliseconds since something began, as the timeline shows them: `0.14 s`, `3 min 20 s`. */
export function since(ms: number): string {
  const s = Math.max(0, ms) / 1_000;
  if (s < 100) return `${s.toFixed(2)} s`;
  const minutes = Math.floor(s / 60);
  if (minutes < 100) return `${minutes} min ${Math.floor(s % 60)} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 100 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
