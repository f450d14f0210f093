import type { AlertContent } from '@belfry/shared/domain/alert.js';
import type { FieldError } from '@belfry/shared/domain/refusal.js';
import type { AlertSource } from '@belfry/shared/ledger/alert-sources.js';

/** What one alert of a payload says: that something began, or goes on; or that what has this key is over. */
export type InboundAlert =
  | { readonly status: 'firing'; readonly content: InboundContent }
  | { readonly status: 'resolved'; readonly dedupKey: string };

/** Whatever a source raises has a key, so that it can be repeated and resolved. */
export interface InboundContent extends AlertContent {
  readonly dedupKey: string;
  /** The escalation policy that it asks for; null for the one of its type. */
  readonly policy: string | null;
}

/** One entry of a payload: an alert, or everything that is wrong with it. Paths begin at the payload. */
export type InboundEntry =
  | { readonly ok: true; readonly alert: InboundAlert }
  | { readonly ok: false; readonly errors: readonly FieldError[] };

/** What a source sent, in its order. */
export interface InboundPayload {
  readonly entries: readonly InboundEntry[];
  /** How many more alerts there are that the source did not send. */
  readonly truncated: number;
}

/** Reads the body of one kind of source. Throws `Refusal` 422 for what is no such payload. */
export type ReadPayload = (source: Pick<AlertSource, 'name' | 'level'>, body: unknown) => InboundPayload;

/** The key under which a source's alert is one alert: nobody else's. */
export function sourceKey(source: string, key: string): string {
  return `source:${source}:${key}`;
}

/** Text of at most so many characters, cut with an ellipsis, of what PostgreSQL can store. */
export function cut(text: string, most: number): string {
  const stored = text.replaceAll('\u0000', '').toWellFormed();
  if (stored.length <= most) return stored;
  // Half a character at the end would be no text.
  return `${stored.slice(0, most - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

/** The same on one line. */
export function cutLine(text: string, most: number): string {
  return cut(text.replace(/[\s\p{Cc}]+/gu, ' ').trim(), most);
}
