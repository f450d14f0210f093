import type { Priority } from '../domain/channel.js';
import { newId } from '../domain/ids.js';
import type { NewNotification } from '../ledger/accept.js';

/** What the operator is told by mail. */
export interface NoteToOperator {
  /** What kind of a note it is, as the type of its notification. */
  readonly type: string;
  readonly title: string;
  readonly lines: readonly string[];
  readonly priority: Priority;
}

/** A mail of the fleet itself: an ordinary notification to a bare address, by the caller `belfry`. */
export function noteToOperator(
  to: string,
  { type, title, lines, priority }: NoteToOperator,
): NewNotification {
  return {
    id: newId(),
    personId: null,
    eventType: null,
    templateVersion: null,
    type,
    title,
    message: lines.join('\n'),
    html: null,
    context: {},
    data: {},
    priority,
    caller: 'belfry',
    reason: null,
    sendAt: null,
    expiresAt: null,
    deliveries: [{ id: newId(), channel: 'email', address: to, state: 'queued', reason: null }],
  };
}
