/** Who is on call for a type of which nothing was said, if this has been written: as with policies. */
export const DEFAULT_ON_CALL = 'default';

/** How long one turn of a rotation is: a day, a week, or so many hours. */
export type TurnLength =
  | { readonly every: 'day' }
  | { readonly every: 'week' }
  | { readonly every: 'hours'; readonly hours: number };

/**
 * People who take turns. Somebody is on call from one hand-off to the next, by the clock on the wall of the time zone for days
 * and weeks, and by time that has passed for hours.
 */
export interface OnCallLayer {
  readonly name: string;
  /** In the order of their turns; at least one. */
  readonly user_ids: readonly string[];
  readonly turn: TurnLength;
  /**
   * `HH:MM` of the hand-offs, in the time zone; those of hours are counted from this time on the day of `starts_at`. Null, which
   * only they may have: they are counted from `starts_at`.
   */
  readonly hand_off: string | null;
  /** IANA time zone. */
  readonly timezone: string;
  /** When the first person's first turn begins, ISO 8601; nobody of the layer is on call before it. */
  readonly starts_at: string;
  /** When the layer ends, ISO 8601; never when null. */
  readonly ends_at: string | null;
}

/** Somebody stands in for a while. */
export interface OnCallOverride {
  readonly id: string;
  /** Who is on call instead. */
  readonly user_id: string;
  /** For whom; for everybody when null. */
  readonly replaces: string | null;
  readonly starts_at: Date;
  /** The first moment at which it is over. */
  readonly ends_at: Date;
}

/** Who is on call for one type of alert: those who always are, and those whose turn it is. */
export interface OnCallSchedule {
  readonly user_ids: readonly string[];
  readonly layers: readonly OnCallLayer[];
  /** In the order in which they were made. */
  readonly overrides: readonly OnCallOverride[];
}
