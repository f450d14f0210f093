import type { AlertRow } from '@belfry/shared/ledger/alerts.js';
import type { AlertRecord, TimelineEvent } from '@belfry/shared/ledger/read-alerts.js';

/** An alert in a list. */
export function shownAlert(alert: AlertRow) {
  return {
    id: alert.id,
    type: alert.type,
    level: alert.level,
    severity: alert.severity,
    message: alert.message,
    source: alert.source,
    affected_systems: alert.affectedSystems,
    details: alert.details,
    dedup_key: alert.dedupKey,
    code: String(alert.code),
    status: alert.status,
    acknowledged: alert.acknowledgedAt !== null,
    count: alert.count,
    caller: alert.caller,
    opened_at: alert.openedAt,
    last_at: alert.lastAt,
    acknowledged_at: alert.acknowledgedAt,
    acknowledged_by: alert.acknowledgedBy,
    acknowledged_via: alert.acknowledgedVia,
    resolved_at: alert.resolvedAt,
    resolved_by: alert.resolvedBy,
    resolved_via: alert.resolvedVia,
    escalation: escalationOf(alert),
  };
}

function escalationOf({ policy, steps, dueAt }: AlertRow) {
  if (policy === null) return null;
  return {
    policy: policy.name,
    steps_taken: steps,
    steps: policy.steps.length * (policy.repeat + 1),
    next_at: dueAt,
  };
}

/** An alert with its timeline. */
export function alertDetails({ alert, told, timeline, leftOut }: AlertRecord) {
  return {
    ...shownAlert(alert),
    notified_users: told,
    timeline: timeline.map(shownEvent),
    timeline_left_out: leftOut,
  };
}

function shownEvent(event: TimelineEvent) {
  const { at, kind, actor, via, step, personId, notificationId, details, deliveries } = event;
  const told = notificationId === null ? {} : { notification_id: notificationId, deliveries };
  return { at, kind, actor, via, step, user_id: personId, ...told, details };
}
