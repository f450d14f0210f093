import type { Logger } from './log.js';

/** The same complaint is repeated in the log at most this often; what came in between is counted. */
const QUIET_MS = 30_000;

/** Warns of something: `about` says whether it is the same as before. */
export type Complain = (about: string, line: Record<string, unknown>, sentence: string) => void;

/** Complaints that do not fill the log: one about the same thing is repeated every half minute at most. */
export function quietly(log: Logger): Complain {
  const spoken = new Map<string, { at: number; since: number }>();
  return (about, line, sentence) => {
    const before = spoken.get(about);
    const now = Date.now();
    if (before !== undefined && now - before.at < QUIET_MS) {
      before.since += 1;
      return;
    }
    spoken.set(about, { at: now, since: 0 });
    log.warn(
      { ...line, ...(before === undefined || before.since === 0 ? {} : { repeated: before.since }) },
      sentence,
    );
  };
}
