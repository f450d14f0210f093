import { setMaxListeners } from 'node:events';

/** A signal for one call: it aborts with `outer`, or with a TimeoutError after `ms`. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Frees the timer and the listener. To be called when the call is over, whatever its end. */
  release(): void;
}

/**
 * Gives a call `ms` milliseconds. Made by hand because `AbortSignal.any` of Node.js 20 is wrong both ways: it holds on to every
 * derived signal for as long as the outer one lives, as long as the worker; and it does not hold on to an
 * `AbortSignal.timeout`, which is collected as garbage and never fires.
 */
export function withDeadline(outer: AbortSignal, ms: number): Deadline {
  const inner = new AbortController();
  const onAbort = () => inner.abort(outer.reason);
  const timer = setTimeout(
    () => inner.abort(new DOMException('The deadline has passed', 'TimeoutError')),
    ms,
  );
  // Many calls under one signal are no leak: each takes its listener away again.
  setMaxListeners(0, outer);
  if (outer.aborted) onAbort();
  else outer.addEventListener('abort', onAbort, { once: true });
  return {
    signal: inner.signal,
    release: () => {
      clearTimeout(timer);
      outer.removeEventListener('abort', onAbort);
    },
  };
}
