import type { AlertVerb } from '../domain/alert.js';
import { type AlertActor, type AlertMove, type AlertRow, moveAlertRow } from '../ledger/alerts.js';
import type { Database } from '../ledger/database.js';
import type { Events } from '../service/events.js';

/** Acknowledges or resolves an alert, and gives it as it is now, whoever was first; null for an unknown one. */
export async function moveAlert(
  { database, events }: { readonly database: Database; readonly events: Events },
  verb: AlertVerb,
  id: string,
  actor: AlertActor,
): Promise<AlertRow | null> {
  const outcome = await moveAlertRow(database, verb, id, actor);
  if (outcome === null) return null;
  announceMove(events, outcome, actor);
  return outcome.alert;
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
