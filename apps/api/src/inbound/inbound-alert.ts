import type { AlertContent } from '@belfry/shared/domain/alert.js';
import { type FieldError, Refusal } from '@belfry/shared/domain/refusal.js';
import type { AlertSource } from '@belfry/shared/ledger/alert-sources.js';

/** What one alert of a payload says: that something began, or goes on; or that what has one of these keys is over. */
export type InboundAlert =
  | { readonly status: 'firing'; readonly content: InboundContent }
  | { readonly status: 'resolved'; readonly dedupKeys: readonly string[] };

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

/** What a source sent. */
export interface InboundPayload {
  /** How many alerts there are in it: `MOST_ALERTS` at most. */
  readonly count: number;
  /** Reads one of them, by its place: whoever stops has not read the others. */
  readonly entry: (index: number) => InboundEntry;
  /** How many more alerts there are that the source did not send. */
  readonly truncated: number;
}

/** Looks at the body of one kind of source. Throws `Refusal` 422 for what is no such payload, and 413 for one of too many alerts. */
export type ReadPayload = (source: Pick<AlertSource, 'name' | 'level'>, body: unknown) => InboundPayload;

/** Alerts in one call. */
export const MOST_ALERTS = 1_000;

/** The alerts of a payload, which are refused unread when there are too many. */
export function notTooMany(alerts: readonly unknown[]): readonly unknown[] {
  if (alerts.length > MOST_ALERTS) throw tooManyAlerts(alerts.length);
  return alerts;
}

export function tooManyAlerts(count: number): Refusal {
  return new Refusal(
    'too_large',
    `There are ${count} alerts in this call, and ${MOST_ALERTS} are taken: set max_alerts (Alertmanager) or maxAlerts (Grafana).`,
    { reason: 'too_many_alerts' },
  );
}

/** The key under which a source's alert is one alert: nobody else's. A name may have colons, and ends at the first one here. */
export function sourceKey(source: string, key: string): string {
  return `source:${source.replaceAll(':', '%3A')}:${key}`;
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
