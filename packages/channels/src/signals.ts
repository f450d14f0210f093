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
