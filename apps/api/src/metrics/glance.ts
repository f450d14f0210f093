import { within } from '@belfry/shared/service/within.js';

/** The newest answer to a question; null when it could not be had in time. */
export type Glance<Answer> = () => Promise<Answer | null>;

/** An answer is good for this long, however many ask. */
const FRESH_MS = 5_000;
/** Nobody waits longer than this for one: the usual time limit of a scrape is ten seconds. */
const PATIENCE_MS = 2_500;

/**
 * Asks for an answer at most once at a time and keeps it for a while. An `ask` that is still on its way when patience ends
 * is waited for by whoever comes next; it must have a deadline of its own.
 */
export function glanceAt<Answer>(ask: () => Promise<Answer>): Glance<Answer> {
  let kept: { readonly answer: Answer; readonly at: number } | undefined;
  let asking: Promise<void> | undefined;

  async function renew(): Promise<void> {
    try {
      kept = { answer: await ask(), at: performance.now() };
    } catch {
      kept = undefined;
    } finally {
      asking = undefined;
    }
  }

  const fresh = () => (kept !== undefined && performance.now() - kept.at < FRESH_MS ? kept.answer : null);
  return async () => {
    const known = fresh();
    if (known !== null) return known;
    asking ??= renew();
    await within(PATIENCE_MS, asking);
    return fresh();
  };
}
