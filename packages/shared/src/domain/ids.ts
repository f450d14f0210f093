import { v7 } from 'uuid';

/** A new id: UUIDv7 (RFC 9562), so that ids sort by the time they were made and pages can be cut by id. */
export function newId(): string {
  return v7();
}

/** A UUID of any version in its usual spelling, in any case. */
export const UUID = /^[\da-fA-F]{8}-[\da-fA-F]{4}-[1-8][\da-fA-F]{3}-[89abAB][\da-fA-F]{3}-[\da-fA-F]{12}$/;

/** True for a UUID of any version in its usual spelling. */
export function isId(text: string): boolean {
  return UUID.test(text);
}

/**
 * The smallest id that could be made at a moment, in milliseconds since the epoch: a UUIDv7 begins with them, in 48 bits.
 * Not an id itself; whoever looks for a span of time compares ids with it, and so is served by their index.
 */
export function firstIdOf(ms: number): string {
  const time = Math.max(0, ms).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-0000-0000-000000000000`;
}

/** The name a job has in its queue: the delivery's id, and from the second generation on `-g2`, `-g3` …; never reused. */
export function jobId(deliveryId: string, generation: number): string {
  return generation <= 1 ? deliveryId : `${deliveryId}-g${generation}`;
}
