import type { OnCallLayer, TurnLength } from './on-call.js';
import { DAY_MS, dayOf, MINUTE_MS, sinceMidnight, zoneOf } from './zone.js';

/** A time in which nothing changes in a layer: one turn of one person, or the time before the first and after the last. */
export interface Stretch {
  /** Null when nobody of the layer is on call. */
  readonly user_id: string | null;
  /** In milliseconds since the epoch; `-Infinity` before the layer starts. */
  readonly since: number;
  /** The first moment after it; `Infinity` when nothing comes any more. */
  readonly until: number;
}

/**
 * The turns of a layer. The time of the hand-off on the day on which the layer starts begins the first turn, whose person is
 * also on call from the start until then; each hand-off after it is a day, a week or so many hours later. Where the layer starts
 * later on that day, the first turn is what is left of it.
 */
export class Rotation {
  readonly #people: readonly string[];
  readonly #starts: number;
  readonly #ends: number;
  readonly #length: number;
  /** The moment of the n-th hand-off; the 0th begins the first turn. */
  readonly #handOff: (n: number) => number;
  /** How many hand-offs have come by a moment, or a few less. */
  readonly #estimate: (time: number) => number;
  /** How many had come when the layer started. */
  readonly #before: number;

  constructor({ user_ids, turn, hand_off, timezone, starts_at, ends_at }: OnCallLayer) {
    this.#people = user_ids;
    this.#starts = Date.parse(starts_at);
    this.#ends = ends_at === null ? Number.POSITIVE_INFINITY : Date.parse(ends_at);
    this.#length = lengthOf(turn);
    const zone = zoneOf(timezone);
    const first = hand_off === null ? null : dayOf(zone.wallAt(this.#starts)) + sinceMidnight(hand_off);
    if (turn.every === 'hours' || first === null) {
      const origin = first === null ? this.#starts : zone.firstAt(first);
      this.#handOff = (n) => origin + n * this.#length;
      this.#estimate = (time) => Math.floor((time - origin) / this.#length);
    } else {
      this.#handOff = (n) => zone.firstAt(first + n * this.#length);
      this.#estimate = (time) => Math.floor((zone.wallAt(time) - first) / this.#length);
    }
    this.#before = this.#passed(this.#starts);
  }

  /** The turn, or the time without one, in which a moment lies. */
  at(time: number): Stretch {
    if (time >= this.#ends) return { user_id: null, since: this.#ends, until: Number.POSITIVE_INFINITY };
    if (time < this.#starts)
      return { user_id: null, since: Number.NEGATIVE_INFINITY, until: Math.min(this.#starts, this.#ends) };
    const passed = this.#passed(time);
    const turns = passed - this.#before;
    return {
      user_id: this.#people[turns % this.#people.length] ?? null,
      since: turns === 0 ? this.#starts : this.#handOff(passed),
      until: Math.min(this.#ends, this.#handOff(passed + 1)),
    };
  }

  /** How many hand-offs have come by a moment, without the 0th. */
  #passed(time: number): number {
    let passed = this.#estimate(time);
    // A clock that was put back shows a time before a hand-off that has been.
    while (this.#handOff(passed + 1) <= time) passed += 1;
    return Math.max(0, passed);
  }
}

function lengthOf(turn: TurnLength): number {
  switch (turn.every) {
    case 'day':
      return DAY_MS;
    case 'week':
      return 7 * DAY_MS;
    case 'hours':
      return turn.hours * 60 * MINUTE_MS;
  }
}
