import type { Priority } from '@belfry/shared/domain/channel.js';
import type { Message } from '@belfry/shared/domain/message.js';

/** Every push service takes so many bytes, and no more. */
export const MOST_BYTES = 4_096;
/** The longest that a push service keeps a message, in seconds: four weeks, as FCM has it and browsers' services do at most. */
const LONGEST_TTL_S = 28 * 24 * 60 * 60;

/** How long a push service is to keep a message for a device that is not there, in whole seconds; 0 is now or never. */
export function ttlOf({ expiresInMs }: Message<'push'>): number {
  if (expiresInMs === undefined) return LONGEST_TTL_S;
  return Math.min(LONGEST_TTL_S, Math.max(0, Math.floor(expiresInMs / 1_000)));
}

/** True for what may wake a device that saves its battery. */
export function isUrgent(priority: Priority): boolean {
  return priority === 'critical' || priority === 'high';
}

/** A payload that is short enough. */
export interface Fitted<Value> {
  readonly value: Value;
  /** True when a part of the text had to go. */
  readonly shortened: boolean;
}

/**
 * Makes the payload of a push with as much of the text as there is room for. Undefined when title and data alone are too
 * long: what an app counts on in its data is never cut.
 *
 * @param most bytes of its JSON.
 */
export function fitted<Value>(
  text: string,
  most: number,
  make: (text: string, shortened: boolean) => Value,
): Fitted<Value> | undefined {
  const fits = (value: Value) => Buffer.byteLength(JSON.stringify(value)) <= most;
  const whole = make(text, false);
  if (fits(whole)) return { value: whole, shortened: false };
  const letters = [...text];
  const cut = (count: number) => make(`${letters.slice(0, count).join('')}…`, true);
  let [enough, tooMany] = [0, letters.length];
  while (tooMany - enough > 1) {
    const middle = Math.floor((enough + tooMany) / 2);
    if (fits(cut(middle))) enough = middle;
    else tooMany = middle;
  }
  return enough === 0 ? undefined : { value: cut(enough), shortened: true };
}

/** The outcome's code of a message that was taken, which says when a part of its text was left out. */
export function takenCode(status: number, shortened: boolean): string {
  return `http-${status}${shortened ? '-shortened' : ''}`;
}

/** What is said of a message that no service would take. */
export const TOO_LONG = {
  kind: 'rejected',
  code: 'too-long',
  error: `Its title and data leave no room for text in the ${MOST_BYTES} bytes of a push.`,
} as const;
