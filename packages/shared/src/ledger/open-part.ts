import { isOpen } from './states.js';

/**
 * True while anything of a broadcast is still to be done. It reads the index of the open deliveries and not the broadcast's
 * notifications: those are as many as its people, and the open ones are kept few. `b` is the broadcast's row.
 */
export function hasOpenPart(b: string): string {
  return `EXISTS (SELECT 1 FROM delivery d JOIN notification n ON n.id = d.notification_id
    WHERE ${isOpen('d.state')} AND d.channel = ANY(${b}.channels) AND d.priority = ${b}.priority AND n.broadcast_id = ${b}.id)`;
}
