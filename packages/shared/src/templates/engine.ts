import { type Context, Liquid, type Template } from 'liquidjs';
import { DATE_STYLES, formatDate, formatMoney, formatNumber } from './format.js';
import { shorten } from './plain-text.js';

/** The longest template that is accepted, in UTF-16 units, with nothing included. */
const PARSE_LIMIT = 200_000;
/** More partials and layouts than this are parsed again when they are needed. */
const KEPT_PARTIALS = 1_000;

/** What every template can read besides its event's variables. */
export interface Surroundings {
  readonly locale: string;
  readonly language: string;
  readonly direction: 'ltr' | 'rtl';
  readonly timezone: string;
  readonly at: Date;
  readonly subject: string;
}

/** How much one rendering may use: milliseconds of wall clock, and liquidjs' count of made characters and elements. */
export interface Limits {
  readonly renderLimit: number;
  readonly memoryLimit: number;
}

/** The two ways of writing a value: as it is, or escaped for HTML. */
export interface Engines {
  readonly text: Liquid;
  readonly html: Liquid;
}

/**
 * Engines that know the files of `layouts` (name → source, for `layout`, `render` and `include`) and nothing else:
 * no file system, no prototype, no unknown filter.
 */
export function createEngines(layouts: ReadonlyMap<string, string>): Engines {
  const options = {
    templates: Object.assign(Object.create(null), Object.fromEntries(layouts)),
    cache: KEPT_PARTIALS,
    ownPropertyOnly: true,
    strictFilters: true,
    parseLimit: PARSE_LIMIT,
  };
  return {
    text: withFilters(new Liquid(options), (value) => value),
    html: withFilters(new Liquid({ ...options, outputEscape: 'escape' }), escapeHtml),
  };
}

/** One template with its context; throws what liquidjs throws, also when a limit is reached. */
export function run(
  engine: Liquid,
  template: Template[],
  context: Readonly<Record<string, unknown>>,
  surroundings: Surroundings,
  limits: Limits,
): string {
  // A copy without prototype: `increment` writes into it, and `constructor` must not be in it.
  const scope = Object.assign(Object.create(null), context);
  return String(engine.renderSync(template, scope, { globals: surroundings, ...limits }));
}

function withFilters(engine: Liquid, written: (value: string) => string): Liquid {
  engine.registerFilter('money', function (value: unknown, currency: unknown) {
    const { locale } = surroundingsOf(this.context);
    return typeof value === 'number' && typeof currency === 'string'
      ? formatMoney(value, currency, locale)
      : (value ?? '');
  });
  engine.registerFilter('number', function (value: unknown) {
    return typeof value === 'number'
      ? formatNumber(value, surroundingsOf(this.context).locale)
      : (value ?? '');
  });
  engine.registerFilter('date', function (value: unknown, wanted: unknown) {
    const { locale, timezone } = surroundingsOf(this.context);
    const moment =
      value instanceof Date ? value : new Date(typeof value === 'number' ? value : String(value));
    const style = DATE_STYLES.find((name) => name === wanted) ?? 'datetime';
    return Number.isNaN(moment.getTime()) ? (value ?? '') : formatDate(moment, style, locale, timezone);
  });
  engine.registerFilter('shorten', (value: unknown, limit: unknown) =>
    shorten(asText(value), typeof limit === 'number' ? limit : 80),
  );
  // Line ends are kept as the medium writes them. It escapes by itself, hence raw.
  const lineEnd = written === escapeHtml ? '<br>\n' : '\n';
  engine.registerFilter('lines', {
    handler: (value: unknown) => written(asText(value)).replace(/\r\n?|\n/g, lineEnd),
    raw: true,
  });
  return engine;
}

function surroundingsOf(context: Context): Surroundings {
  return context.globals as Surroundings;
}

function asText(value: unknown): string {
  return value === undefined || value === null ? '' : String(value);
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&#34;',
  "'": '&#39;',
};

function escapeHtml(value: string): string {
  return value.replace(/[&<>"']/g, (letter) => ENTITIES[letter] ?? letter);
}
