import { v7 } from 'uuid';

/** A new id: UUIDv7 (RFC 9562), so that ids sort by the time they were made and pages can be cut by id. */
export function newId(): string {
  return v7();
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

/** True for a UUID of any version in its usual spelling. */
export function isId(text: string): boolean {
  return UUID.test(text);
}

/** The name a job has in its queue: the delivery's id, and from the second generation on `-g2`, `-g3` …; never reused. */
export function jobId(deliveryId: string, generation: number): string {
  return generation <= 1 ? deliveryId : `${deliveryId}-g${generation}`;
}
