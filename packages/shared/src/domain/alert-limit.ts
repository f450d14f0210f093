/** How many messages about alerts may reach one person on a channel within how many seconds. */
export interface AlertLimit {
  readonly points: number;
  readonly seconds: number;
}

/** What is known of one person and channel. Times are epoch seconds. */
export interface PassBook {
  /** The notifications that passed, with the time. */
  readonly passes: Readonly<Record<string, number>>;
  /** When each source was last told of by a message of its own. */
  readonly sources: Readonly<Record<string, number>>;
}

/** A notification that asks to pass. */
export interface Asking {
  readonly notificationId: string;
  readonly source: string;
}

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
  return { passes: young(book.passes), sources: young(book.sources) };
}

/**
 * Who of those who ask may pass, in their order. Who has passed before passes again: on the next device, or on the next try.
 * What comes from a source that the person has not been told of within the longest window always passes. Everything else
 * passes while the limits allow it and nothing is being held back; what is held back goes first.
 *
 * @param bundling whether something is being held back already.
 */
export function letPass(
  book: PassBook,
  asking: readonly Asking[],
  { limits, bundling, now }: { limits: readonly AlertLimit[]; bundling: boolean; now: number },
): { readonly book: PassBook; readonly passed: ReadonlySet<string> } {
  let { passes, sources } = withoutOld(book, limits, now);
  let held = bundling;
  const passed = new Set<string>();
  for (const { notificationId, source } of asking) {
    const again = Object.hasOwn(passes, notificationId);
    const may =
      again || !Object.hasOwn(sources, source) || (!held && freeAt(limits, { passes, sources }, now) <= now);
    if (!may) held = true;
    else {
      passed.add(notificationId);
      if (!again) passes = { ...passes, [notificationId]: now };
      sources = { ...sources, [source]: now };
    }
  }
  return { book: { passes, sources }, passed };
}
