import type { IBackoff, IBreaker } from 'cockatiel';

/*
 * How an account that failed is let in again: after a pause that grows while it goes on failing, and on trial at first. So one
 * that fails every second time, and now and then looks well, gets a few messages a minute and not half of them.
 */

/** After a failing account was let in again, so many calls must go well in a row before one more failure is forgiven. */
const PROBATION = 10;
/** How long it is left alone: twice as long each time it fails again soon, and one step less for each minute that it holds. */
const SHORTEST_MS = 2_000;
const LONGEST_MS = 60_000;
const STEP_BACK_MS = 60_000;

/** A breaker that is strict for a while after the account was let in again. */
export function onTrial(window: IBreaker): IBreaker & { begin(): void; running(): boolean } {
  let left = 0;
  return {
    get state() {
      return window.state;
    },
    set state(state) {
      window.state = state;
    },
    success(state) {
      left = Math.max(0, left - 1);
      window.success(state);
    },
    failure(state) {
      const opens = window.failure(state);
      return opens || left > 0;
    },
    begin() {
      left = PROBATION;
    },
    running: () => left > 0,
  };
}

/** The length of each pause, in the shape that the library asks for. */
export function growingPause(random: () => number): IBackoff<unknown> & { isOver(): boolean } {
  let step = -1;
  let until = Number.NEGATIVE_INFINITY;
  let duration = 0;
  const pause = {
    get duration() {
      return duration;
    },
    next() {
      const now = Date.now();
      const held = Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, now - until));
      step = Math.max(0, step + 1 - Math.floor(held / STEP_BACK_MS));
      const full = Math.min(LONGEST_MS, SHORTEST_MS * 2 ** step);
      // Not all processes at the same moment.
      duration = full * (0.8 + 0.4 * random());
      until = now + duration;
      return pause;
    },
    isOver: () => Date.now() >= until,
  };
  return pause;
}
