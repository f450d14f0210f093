import { type AlertActor, type AlertRow, acknowledgeAlert, resolveAlert } from '../ledger/alerts.js';
import type { Database } from '../ledger/database.js';
import type { Events } from '../service/events.js';

/** What can be done to an alert, through whichever door. */
export const ALERT_VERBS = ['acknowledge', 'resolve'] as const;
export type AlertVerb = (typeof ALERT_VERBS)[number];

const MOVES = { acknowledge: acknowledgeAlert, resolve: resolveAlert } as const;

/** Acknowledges or resolves an alert, and gives it as it is now, whoever was first; null for an unknown one. */
export async function moveAlert(
  { database, events }: { readonly database: Database; readonly events: Events },
  verb: AlertVerb,
  id: string,
  actor: AlertActor,
): Promise<AlertRow | null> {
  const outcome = await MOVES[verb](database, id, actor);
  if (outcome === null) return null;
  const { alert, moved } = outcome;
  if (moved) events.alertMoved({ alertId: id, ...movedAs(alert), via: actor.via });
  return alert;
}

function movedAs({ level, status, openedAt, acknowledgedAt }: AlertRow) {
  const acknowledged = status === 'acknowledged' && acknowledgedAt !== null;
  return { level, status, ...(acknowledged ? { afterMs: +acknowledgedAt - +openedAt } : {}) };
}
