import { OPEN_STATES, WAITING_STATES } from '../domain/delivery-state.js';

/*
 * The classes of states as SQL conditions on a column, made from the same lists as everything else, so that a state that
 * is added to one of them is in every statement.
 */

const listed = (states: readonly string[]) => states.map((state) => `'${state}'`).join(', ');

/** Something is still to be done. */
export function isOpen(column: string): string {
  return `${column} IN (${listed(OPEN_STATES)})`;
}

/** It waits for a worker, so a job must exist for it. */
export function isWaiting(column: string): string {
  return `${column} IN (${listed(WAITING_STATES)})`;
}
