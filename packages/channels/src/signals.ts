import { setMaxListeners } from 'node:events';

/** The reason of a signal that has aborted, as an outcome's code: its deadline passed, or somebody called the attempt off. */
export function whyAborted(signal: AbortSignal): 'timeout' | 'aborted' {
  return signal.reason instanceof DOMException && signal.reason.name === 'TimeoutError'
    ? 'timeout'
    : 'aborted';
}

/** What comes of `work`, or of `onAbort` as soon as `signal` aborts: for work that does not listen to a signal itself. */
export async function orAborted<T>(work: Promise<T>, signal: AbortSignal, onAbort: () => T): Promise<T> {
  let stop = () => {};
  const aborted = new Promise<T>((resolve) => {
    const listener = () => resolve(onAbort());
    if (signal.aborted) listener();
    else signal.addEventListener('abort', listener, { once: true });
    stop = () => signal.removeEventListener('abort', listener);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    stop();
  }
}

/** A signal for one call: it aborts with `outer`, or with a TimeoutError after `ms`. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Frees the timer and the listener. To be called when the call is over, whatever its end. */
  release(): void;
}

/**
 * Gives a call `ms` milliseconds. Made by hand because `AbortSignal.any` holds on to every derived signal for as long
 * as the outer one lives, and a worker's outer signal lives as long as the worker.
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
