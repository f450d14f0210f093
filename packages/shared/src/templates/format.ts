import { kept } from './kept.js';
import { FALLBACK_LOCALE, languageOf } from './locale.js';

/** How much of a moment is written. */
export const DATE_STYLES = ['date', 'time', 'datetime'] as const;
export type DateStyle = (typeof DATE_STYLES)[number];

/**
 * The languages of Ethiopia, whose readers may count the hours from six in the morning: "9:30 before noon" is six
 * hours away from what is meant, 0–23 is read in one way only.
 */
const WITHOUT_HALF_DAYS = new Set(['am', 'om', 'ti']);

const numbers = new Map<string, Intl.NumberFormat>();
const dates = new Map<string, (moment: Date) => string>();

/** `value` as an amount of `currency` (ISO 4217), with as many decimals as the currency has. */
export function formatMoney(value: number, currency: string, locale: string): string {
  return kept(numbers, `${locale} ${currency}`, () =>
    Intl.NumberFormat([locale, FALLBACK_LOCALE], { style: 'currency', currency }),
  ).format(value);
}

/** `value` with the digit groups of the locale. */
export function formatNumber(value: number, locale: string): string {
  return kept(numbers, locale, () => Intl.NumberFormat([locale, FALLBACK_LOCALE])).format(value);
}

/**
 * `moment` as seen in `timezone` (IANA), in the Gregorian calendar: the month names that ICU has for the Ethiopian
 * one are wrong in Afaan Oromo. A zone that this machine does not know is read as UTC.
 */
export function formatDate(moment: Date, style: DateStyle, locale: string, timezone: string): string {
  return kept(dates, `${locale} ${timezone} ${style}`, () => dateFormat(style, locale, timezone))(moment);
}

function dateFormat(style: DateStyle, locale: string, timezone: string): (moment: Date) => string {
  const fixed = { calendar: 'gregory', timeZone: isTimezone(timezone) ? timezone : 'UTC' } as const;
  const format = (options: Intl.DateTimeFormatOptions) => {
    const formatter = Intl.DateTimeFormat([locale, FALLBACK_LOCALE], { ...fixed, ...options });
    return (moment: Date) => formatter.format(moment);
  };
  const wholeDay = WITHOUT_HALF_DAYS.has(languageOf(locale));
  const date = format({ dateStyle: 'long' });
  const time = format({ timeStyle: 'short', ...(wholeDay ? { hourCycle: 'h23' } : {}) });
  if (style === 'date') return date;
  if (style === 'time') return time;
  // Joined by hand: asked for both with 0–23, ICU turns the parts of an Amharic date around.
  return wholeDay
    ? (moment) => `${date(moment)}, ${time(moment)}`
    : format({ dateStyle: 'medium', timeStyle: 'short' });
}

function isTimezone(name: string): boolean {
  try {
    Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
