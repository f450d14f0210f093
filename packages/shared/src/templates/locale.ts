import { kept } from './kept.js';

/** What everything falls back to: each event has all its files in it. */
export const FALLBACK_LOCALE = 'en';

const RIGHT_TO_LEFT = new Set([
  'Adlm',
  'Arab',
  'Hebr',
  'Mand',
  'Mend',
  'Nkoo',
  'Rohg',
  'Samr',
  'Syrc',
  'Thaa',
]);

const canonical = new Map<string, string | undefined>();
const directions = new Map<string, 'ltr' | 'rtl'>();

/**
 * `tag` in its canonical form without extensions (`AM-et-u-nu-ethi` is `am-ET`, `orm` is `om`), or undefined if it
 * is no BCP 47 tag.
 */
export function canonicalLocale(tag: string): string | undefined {
  return kept(canonical, tag, () => {
    try {
      return new Intl.Locale(tag).baseName;
    } catch {
      return undefined;
    }
  });
}

/** The language of a canonical tag: `am` for `am-ET`. */
export function languageOf(locale: string): string {
  return locale.split('-', 1)[0] ?? locale;
}

/**
 * The locales of `available` to look in for a reader of `locale`, best first: lookup by RFC 4647 §3.4 (`am-ET`, then
 * `am`), then any other variety of the same language, then English.
 */
export function* nearestLocales(locale: string, available: Iterable<string>): Generator<string> {
  const tags = [...available];
  const subtags = (canonicalLocale(locale) ?? FALLBACK_LOCALE).split('-');
  for (let length = subtags.length; length > 0; length -= 1) {
    const tag = subtags.slice(0, length).join('-');
    if (tags.includes(tag)) yield tag;
  }
  yield* tags.filter((tag) => languageOf(tag) === subtags[0]).sort();
  yield FALLBACK_LOCALE;
}

/**
 * The locale for amounts and dates inside a text that is written in `written`: the reader's own when it is the same
 * language (`en-GB` beside `en`), else the text's, so that no French date stands in an English sentence.
 */
export function formattingLocale(reader: string, written: string): string {
  const own = canonicalLocale(reader);
  return own !== undefined && languageOf(own) === languageOf(written) ? own : written;
}

/** Which way the letters of `locale` run, for the `dir` attribute of HTML. */
export function direction(locale: string): 'ltr' | 'rtl' {
  return kept(directions, locale, () =>
    RIGHT_TO_LEFT.has(new Intl.Locale(locale).maximize().script ?? '') ? 'rtl' : 'ltr',
  );
}
