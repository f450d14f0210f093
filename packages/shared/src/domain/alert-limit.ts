import type { Channel } from './channel.js';

/** How many messages about alerts may reach one person on a channel within how many seconds. */
export interface AlertLimit {
  readonly points: number;
  readonly seconds: number;
}

/** By channel; there is no limit on a channel that is not here. */
export type AlertLimits = Readonly<Partial<Record<Channel, readonly AlertLimit[]>>>;

/** What is known of one person, channel and priority. Times are epoch seconds. */
export interface PassBook {
  /** The notifications that passed, with the time. */
  readonly passes: Readonly<Record<string, number>>;
  /** When alerts of each origin were last told of by a message of their own. */
  readonly origins: Readonly<Record<string, number>>;
}

/** A notification that asks to pass. */
export interface Asking {
  readonly notificationId: string;
  /** What noticed it, and what: its source and type. */
  readonly origin: string;
}

/**
 * Of so many origins the first alert passes whatever the limits are. Somebody who makes up a new one for each alert, such as
 * with the token of a source that became known, gets no further.
 */
export const MOST_FIRSTS = 10;

/** The longest of the windows, in seconds; 0 without any limit. */
export function longestWindow(limits: readonly AlertLimit[]): number {
  return Math.max(0, ...limits.map(({ seconds }) => seconds));
}

/** When another message may pass, in epoch seconds: `now` when it may at once. All limits hold. */
export function freeAt(limits: readonly AlertLimit[], { passes }: PassBook, now: number): number {
  const newest = Object.values(passes).toSorted((one, other) => other - one);
  const times = limits.map(
    ({ points, seconds }) => (newest[points - 1] ?? Number.NEGATIVE_INFINITY) + seconds,
  );
  return Math.max(now, ...times);
}

/** Leaves out what no limit looks back to any more. */
export function withoutOld(book: PassBook, limits: readonly AlertLimit[], now: number): PassBook {
  const since = now - longestWindow(limits);
  const young = (times: Readonly<Record<string, number>>) =>
    Object.fromEntries(Object.entries(times).filter(([, at]) => at > since));
  return { passes: young(book.passes), origins: young(book.origins) };
}

/**
 * Who of those who ask may pass, in their order. Who has passed before passes again: on the next device, or on the next try.
 * What is of an origin that the person has not been told of within the longest window passes as well, as long as they were told
 * of fewer than `MOST_FIRSTS` in it. Everything else passes while the limits allow it and nothing is being held back; what is held
 * back goes first.
 *
 * @param bundling whether something is being held back already.
 */
export function letPass(
  book: PassBook,
  asking: readonly Asking[],
  { limits, bundling, now }: { limits: readonly AlertLimit[]; bundling: boolean; now: number },
): { readonly book: PassBook; readonly passed: ReadonlySet<string> } {
  let { passes, origins } = withoutOld(book, limits, now);
  let held = bundling;
  const passed = new Set<string>();
  for (const { notificationId, origin } of asking) {
    const again = Object.hasOwn(passes, notificationId);
    const first = !Object.hasOwn(origins, origin) && Object.keys(origins).length < MOST_FIRSTS;
    const may = again || first || (!held && freeAt(limits, { passes, origins }, now) <= now);
    if (!may) held = true;
    else {
      passed.add(notificationId);
      if (!again) passes = { ...passes, [notificationId]: now };
      origins = { ...origins, [origin]: now };
    }
  }
  return { book: { passes, origins }, passed };
}
