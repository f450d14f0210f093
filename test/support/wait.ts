import { setTimeout as delay } from 'node:timers/promises';
import { inspect } from 'node:util';

/**
 * Waits until `condition` gives something truthy and returns that. What it throws counts as "not yet".
 * After `timeoutMs` (10 s) it fails, naming `what` was waited for and the last value or error that was seen.
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  { timeoutMs = 10_000, what = 'a condition', everyMs = 20 } = {},
): Promise<NonNullable<T>> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    let last: unknown;
    try {
      const value = await within(condition, deadline);
      if (value) return value;
      last = value;
    } catch (error) {
      last = error;
    }
    if (Date.now() >= deadline)
      throw new Error(`waited ${timeoutMs} ms for ${what}; last seen: ${show(last)}`);
    await delay(everyMs);
  }
}

// A condition that hangs is as good as one that never comes true.
function within<T>(condition: () => T | Promise<T>, deadline: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error('the condition did not answer')),
      Math.max(0, deadline - Date.now()),
    );
    Promise.resolve()
      .then(condition)
      .then(resolve, reject)
      .finally(() => clearTimeout(timer));
  });
}

function show(value: unknown): string {
  return value instanceof Error ? value.message : inspect(value, { depth: 6, breakLength: 120 });
}
