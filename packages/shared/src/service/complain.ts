import type { Logger } from './log.js';

/** The same complaint is repeated in the log at most this often; what came in between is counted. */
const QUIET_MS = 30_000;
/** Who has not complained for so long is forgotten, with what was counted: many complain once, each of something else. */
const FORGOTTEN_MS = 10 * QUIET_MS;

/** Says what is wrong with something, in one sentence. */
export type Complain = (about: string, line: Record<string, unknown>, sentence: string) => void;

/** Says it, and repeats the same complaint only now and then, with how often it came meanwhile. */
export function complainQuietly(log: Logger, level: 'warn' | 'error' = 'warn'): Complain {
  /** Who spoke last is last. */
  const spoken = new Map<string, { at: number; since: number }>();
  const forget = (now: number) => {
    for (const [about, { at }] of spoken) {
      if (now - at < FORGOTTEN_MS) break;
      spoken.delete(about);
    }
  };
  return (about, line, sentence) => {
    const before = spoken.get(about);
    const now = Date.now();
    if (before !== undefined && now - before.at < QUIET_MS) {
      before.since += 1;
      return;
    }
    spoken.delete(about);
    spoken.set(about, { at: now, since: 0 });
    forget(now);
    log[level](
      { ...line, ...(before === undefined || before.since === 0 ? {} : { repeated: before.since }) },
      sentence,
    );
  };
}
