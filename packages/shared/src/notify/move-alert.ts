import {
  type AlertActor,
  type AlertMove,
  type AlertRow,
  acknowledgeAlert,
  acknowledgeWithin,
  resolveAlert,
  resolveWithin,
} from '../ledger/alerts.js';
import type { Database, Statements } from '../ledger/database.js';
import type { Events } from '../service/events.js';

/** What can be done to an alert, through whichever door. */
export const ALERT_VERBS = ['acknowledge', 'resolve'] as const;
export type AlertVerb = (typeof ALERT_VERBS)[number];

const MOVES = { acknowledge: acknowledgeAlert, resolve: resolveAlert } as const;
const MOVES_WITHIN = { acknowledge: acknowledgeWithin, resolve: resolveWithin } as const;

/** Acknowledges or resolves an alert, and gives it as it is now, whoever was first; null for an unknown one. */
export async function moveAlert(
  { database, events }: { readonly database: Database; readonly events: Events },
  verb: AlertVerb,
  id: string,
  actor: AlertActor,
): Promise<AlertRow | null> {
  const outcome = await MOVES[verb](database, id, actor);
  if (outcome === null) return null;
  announceMove(events, outcome, actor);
  return outcome.alert;
}

/** The same in a transaction of the caller's. `announceMove` has to follow the commit. */
export function moveAlertWithin(
  transaction: Statements,
  verb: AlertVerb,
  id: string,
  actor: AlertActor,
): Promise<AlertMove | null> {
  return MOVES_WITHIN[verb](transaction, id, actor);
}

/** Says that an alert was moved, if this is what moved it. */
export function announceMove(
  events: Events,
  { alert, moved }: AlertMove,
  { via }: Pick<AlertActor, 'via'>,
): void {
  if (moved) events.alertMoved({ alertId: alert.id, ...movedAs(alert), via });
}

function movedAs({ level, status, openedAt, acknowledgedAt }: AlertRow) {
  const acknowledged = status === 'acknowledged' && acknowledgedAt !== null;
  return { level, status, ...(acknowledged ? { afterMs: +acknowledgedAt - +openedAt } : {}) };
}
