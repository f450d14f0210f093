import { within } from '@belfry/shared/service/within.js';

/** The newest answer to a question; null when it could not be had. */
export type Glance<Answer> = () => Promise<Answer | null>;

export interface GlanceTimes {
  /** An answer is good for this long, however many ask. */
  readonly freshMs: number;
  /** Nobody waits longer than this for one: the usual time limit of a scrape is ten seconds. */
  readonly patienceMs: number;
  /** An older answer is better than none while a slow one is on its way. */
  readonly usableMs: number;
}

const TIMES: GlanceTimes = { freshMs: 5_000, patienceMs: 2_500, usableMs: 40_000 };

/**
 * Asks for an answer at most once at a time and keeps it for a while. A question that takes longer than patience lasts, as
 * counting a very large backlog does, goes on, and whoever asks next gets its answer; it must have a deadline of its own.
 * One that fails leaves no answer at all.
 */
export function glanceAt<Answer>(ask: () => Promise<Answer>, times: GlanceTimes = TIMES): Glance<Answer> {
  let kept: { readonly answer: Answer; readonly at: number } | undefined;
  let asking: Promise<void> | undefined;

  async function renew(): Promise<void> {
    try {
      const at = performance.now();
      kept = { answer: await ask(), at };
    } catch {
      kept = undefined;
    } finally {
      asking = undefined;
    }
  }

  const youngerThan = (ms: number) =>
    kept !== undefined && performance.now() - kept.at < ms ? kept.answer : null;
  return async () => {
    const known = youngerThan(times.freshMs);
    if (known !== null) return known;
    asking ??= renew();
    await within(times.patienceMs, asking);
    return youngerThan(times.usableMs);
  };
}
