import type { QuietHours } from './quiet-hours.js';

/** What a person said yes or no to for single events, by event and channel. */
export type EventPreferences = Readonly<Record<string, Readonly<Record<string, boolean>>>>;

/** How and when a person wants to be told. What is missing has its default. */
export interface Wishes {
  /** Yes or no by channel. */
  readonly preferences: Readonly<Record<string, boolean>>;
  /** The same for single events; it goes before what is said of the channel. */
  readonly eventPreferences: EventPreferences;
  readonly quietHours: QuietHours | null;
}

/** What is given of them; the rest stays as it is. */
export interface WishesChange {
  readonly preferences?: Readonly<Record<string, boolean>> | undefined;
  /** Null takes back what was said of a channel, so that its own switch holds again. */
  readonly eventPreferences?: Readonly<Record<string, Readonly<Record<string, boolean | null>>>> | undefined;
  /** Null for none at all. */
  readonly quietHours?: QuietHours | null | undefined;
}
