import { FALLBACK_LOCALE, languageOf } from './locale.js';

/** How much of a moment is written. */
export const DATE_STYLES = ['date', 'time', 'datetime'] as const;
export type DateStyle = (typeof DATE_STYLES)[number];

const STYLES: { readonly [S in DateStyle]: Intl.DateTimeFormatOptions } = {
  date: { dateStyle: 'long' },
  time: { timeStyle: 'short' },
  // Not long: Afaan Oromo's long form has a stray suffix behind the time.
  datetime: { dateStyle: 'medium', timeStyle: 'short' },
};

/**
 * Amharic and Afaan Oromo readers may count the hours from six in the morning, where "9:30 before noon" is three
 * hours away from what is meant; 0–23 is read in one way only.
 */
const WITHOUT_HALF_DAYS = new Set(['am', 'om']);

/** Making an Intl formatter costs as much as a hundred uses, and a fleet needs few; the bound is against odd ones. */
const KEPT = 1_000;
const numbers = new Map<string, Intl.NumberFormat>();
const dates = new Map<string, Intl.DateTimeFormat>();

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
  return kept(dates, `${locale} ${timezone} ${style}`, () => dateFormat(style, locale, timezone)).format(
    moment,
  );
}

function dateFormat(style: DateStyle, locale: string, timezone: string): Intl.DateTimeFormat {
  const clock = WITHOUT_HALF_DAYS.has(languageOf(locale)) ? ({ hourCycle: 'h23' } as const) : {};
  const options: Intl.DateTimeFormatOptions = { calendar: 'gregory', ...clock, ...STYLES[style] };
  try {
    return Intl.DateTimeFormat([locale, FALLBACK_LOCALE], { ...options, timeZone: timezone });
  } catch {
    return Intl.DateTimeFormat([locale, FALLBACK_LOCALE], { ...options, timeZone: 'UTC' });
  }
}

function kept<T>(store: Map<string, T>, key: string, make: () => T): T {
  let value = store.get(key);
  if (value === undefined) {
    if (store.size >= KEPT) store.clear();
    value = make();
    store.set(key, value);
  }
  return value;
}
