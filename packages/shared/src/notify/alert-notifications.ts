import { type AlertLevel, type AlertNote, LEVEL_RULES } from '../domain/alert.js';
import type { Channel } from '../domain/channel.js';
import { newId } from '../domain/ids.js';
import type { NewNotification } from '../ledger/accept.js';
import type { Addressee } from '../ledger/addressees.js';
import type { AlertRow } from '../ledger/alerts.js';
import { mandatoryFor } from '../routing/guard.js';
import { type Decision, route } from '../routing/route.js';
import { deliveriesFor } from './prepare.js';

/** One telling of an alert: its opening, or a step of its escalation. */
export interface Telling {
  /** 0 for the opening. */
  readonly step: number;
  /** The channels of the level when absent. */
  readonly channels?: readonly Channel[] | undefined;
}

/** The notification that tells one person of an alert. */
export function alertNotification(alert: AlertRow, person: Addressee, telling: Telling): NewNotification {
  const decisions = decideOn(alert.level, person, telling.channels);
  const note = noteOf(alert, telling.step);
  const { timestamp: _, ...context } = note;
  return {
    id: newId(),
    personId: person.id,
    eventType: null,
    templateVersion: null,
    type: `${alert.level}_alert`,
    title: alertTitle(alert),
    message: alert.message,
    html: null,
    context,
    data: { alert: note, requires_acknowledgment: alert.level === 'critical' },
    priority: LEVEL_RULES[alert.level].priority,
    caller: alert.caller,
    reason: decisions.some(({ used }) => used) ? null : 'no_channel',
    sendAt: null,
    expiresAt: null,
    alertId: alert.id,
    alertStep: telling.step,
    deliveries: decisions.flatMap((decision) => deliveriesFor(decision, false)),
  };
}

/** `CRITICAL ALERT: disk_full`, as the subject of a mail and the title of a note. */
export function alertTitle({ level, type }: Pick<AlertRow, 'level' | 'type'>): string {
  return `${level.toUpperCase()} ALERT: ${type}`;
}

function decideOn(level: AlertLevel, person: Addressee, channels?: readonly Channel[]): Decision[] {
  const { priority, channels: usual } = LEVEL_RULES[level];
  return route(
    {
      priority,
      channels: channels ?? usual,
      eventType: null,
      eventChannels: [],
      mandatory: mandatoryFor(level),
      at: person.readAt,
    },
    person,
  );
}

/** The alert as receivers get it. */
function noteOf(alert: AlertRow, step: number): AlertNote {
  return {
    id: alert.id,
    type: alert.type,
    level: alert.level,
    severity: alert.severity,
    message: alert.message,
    source: alert.source,
    affected_systems: alert.affectedSystems,
    code: String(alert.code),
    timestamp: alert.openedAt.toISOString(),
    acknowledged: alert.status !== 'open',
    step,
  };
}
