import type { Registry } from 'prom-client';
import type { Events } from './events.js';
import { LONG, metricsIn } from './make-metrics.js';

type Counted = Pick<
  Events,
  | 'alertRaised'
  | 'alertMoved'
  | 'inboundTaken'
  | 'heartbeatMoved'
  | 'nobodyToTell'
  | 'escalated'
  | 'escalationExhausted'
  | 'escalationFailed'
>;

/** What happens to alerts, heartbeats and escalations, counted. */
export function countAlerts(events: Counted, registry: Registry): Counted {
  const { counter, histogram } = metricsIn(registry);
  const alerts = counter(
    'belfry_alerts_raised_total',
    'Alerts that were raised, by level; `repeated` for one more of an alert that was not resolved.',
    'level',
    'kind',
  );
  const alertMoves = counter(
    'belfry_alert_moves_total',
    'Alerts that were acknowledged or resolved, and through which door.',
    'status',
    'via',
  );
  const acknowledged = histogram(
    'belfry_alert_acknowledge_seconds',
    'How long after it was opened an alert was acknowledged.',
    LONG,
    'level',
  );
  const inbound = counter(
    'belfry_inbound_alerts_total',
    'Alerts that sources have sent, by the kind of the source and by what came of them.',
    'kind',
    'outcome',
  );
  const heartbeats = counter(
    'belfry_heartbeat_moves_total',
    'Heartbeats that were missed, and those that were heard of again.',
    'state',
  );
  const nobody = counter('belfry_alerts_nobody_total', 'Times that an alert had nobody to tell.', 'level');
  const exhausted = counter(
    'belfry_alerts_exhausted_total',
    'Alerts whose escalation came to its end without anybody acknowledging them.',
    'level',
  );
  const escalated = counter(
    'belfry_escalation_steps_total',
    'Steps of escalations that were taken, by the level of the alert.',
    'level',
  );
  const late = histogram(
    'belfry_escalation_late_seconds',
    'How long after it was due a step of an escalation was taken.',
    LONG,
  );
  const escalationFailures = counter(
    'belfry_escalation_failures_total',
    'Steps of escalations that could not be taken, and were tried again.',
  );

  return {
    alertRaised(facts) {
      alerts.inc({ level: facts.level, kind: facts.opened ? 'opened' : 'repeated' });
      events.alertRaised(facts);
    },
    alertMoved(facts) {
      alertMoves.inc({ status: facts.status, via: facts.via });
      if (facts.afterMs !== undefined) acknowledged.observe({ level: facts.level }, facts.afterMs / 1_000);
      events.alertMoved(facts);
    },
    inboundTaken(facts) {
      for (const [outcome, count] of Object.entries(facts.outcomes))
        if (count > 0) inbound.inc({ kind: facts.kind, outcome }, count);
      events.inboundTaken(facts);
    },
    heartbeatMoved(facts) {
      heartbeats.inc({ state: facts.missed ? 'missed' : 'back' });
      events.heartbeatMoved(facts);
    },
    nobodyToTell(facts) {
      nobody.inc({ level: facts.level });
      events.nobodyToTell(facts);
    },
    escalationExhausted(facts) {
      exhausted.inc({ level: facts.level });
      events.escalationExhausted(facts);
    },
    escalated(facts) {
      escalated.inc({ level: facts.level });
      late.observe(facts.lateMs / 1_000);
      events.escalated(facts);
    },
    escalationFailed(facts) {
      escalationFailures.inc();
      events.escalationFailed(facts);
    },
  };
}
