import { Gauge, type Registry } from 'prom-client';
import { PACED } from '../domain/outcome.js';
import { countAlerts } from './alert-metrics.js';
import type { Events } from './events.js';
import { LONG, metricsIn } from './make-metrics.js';

/** One call of a provider, in seconds: none takes longer than its deadline. */
const SHORT = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30];

/**
 * Events that are also counted. Names and units follow the Prometheus conventions ("Metric and label naming"). No label
 * holds an id, an address or a text: each has as many values as there are channels, queues, providers or classes.
 */
export function countEvents(events: Events, registry: Registry): Events {
  const { counter, histogram } = metricsIn(registry);

  const accepted = counter(
    'belfry_notifications_accepted_total',
    'Notifications that were committed, by priority and by what they are.',
    'priority',
    'kind',
  );
  const attempts = counter(
    'belfry_attempts_total',
    'What providers said, one for each try.',
    'channel',
    'provider',
    'outcome',
  );
  const attemptSeconds = histogram(
    'belfry_attempt_duration_seconds',
    'How long a provider took to answer.',
    SHORT,
    'channel',
    'provider',
  );
  const acceptedToSent = histogram(
    'belfry_accept_to_provider_seconds',
    "From when a notification was accepted, or was due, to its provider's yes. By the database's clock.",
    LONG,
    'channel',
    'priority',
  );
  const moves = counter(
    'belfry_delivery_moves_total',
    'Deliveries that came into a state: an end, or another try later.',
    'channel',
    'state',
  );
  const dead = counter(
    'belfry_deliveries_dead_total',
    'Deliveries that were given up, by channel and class of failure.',
    'channel',
    'class',
  );
  const throttled = counter(
    'belfry_deliveries_throttled_total',
    'Deliveries that were put back because a provider, or our own limit for it, asked to go slower.',
    'channel',
    'reason',
  );
  const broadcasts = counter(
    'belfry_broadcast_moves_total',
    'Broadcasts that came into a status, the first one when they were accepted.',
    'status',
  );
  const fanOutFailures = counter(
    'belfry_fan_out_failures_total',
    'Chunks of broadcasts that failed, and were tried again.',
  );
  const brokenRecords = counter(
    'belfry_broken_records_total',
    'People who could not be told of a broadcast for what is in their record.',
  );
  const takenOver = counter(
    'belfry_deliveries_taken_over_total',
    'Deliveries taken over from a lost worker.',
  );
  const leasesLost = counter('belfry_leases_lost_total', 'Leases that ran out before they were renewed.');
  const reconciled = counter(
    'belfry_reconciled_jobs_total',
    'Jobs that were made because a due row had none.',
    'queue',
  );
  const retried = counter(
    'belfry_retried_deliveries_total',
    'Failed deliveries that were begun anew, by who asked for it.',
    'by',
  );
  const enqueueFailures = counter(
    'belfry_enqueue_failures_total',
    'Jobs that could not be queued at once and were left to the reconciler.',
    'queue',
  );
  const upkeepFailures = counter('belfry_upkeep_failures_total', 'Turns of the upkeep that failed.', 'task');
  const connectionFailures = counter(
    'belfry_connection_failures_total',
    'Errors of connections, by what they lead to.',
    'part',
  );
  const rateLimited = counter(
    'belfry_rate_limited_total',
    'Calls and notifications that were refused because there were too many.',
    'limit',
  );
  const signatures = counter(
    'belfry_signatures_refused_total',
    'Calls in the name of a provider that it has not signed.',
    'from',
  );
  const pings = counter(
    'belfry_dead_man_pings_total',
    'Times that DEADMAN_URL was told that all is well, and whether it took it.',
    'outcome',
  );
  const streamed = counter('belfry_realtime_notes_total', 'Notes that were streamed.', 'transport');
  const streamsEnded = counter(
    'belfry_realtime_streams_ended_total',
    'Streams that have ended, by why.',
    'transport',
    'reason',
  );
  const streamFailures = counter(
    'belfry_realtime_failures_total',
    'Times that streams could not be served from the ledger.',
    'task',
  );
  const mqttMessages = counter(
    'belfry_mqtt_messages_total',
    'Messages of the MQTT broker that are done with, by what came of them.',
    'outcome',
  );
  const mqttSessions = new Gauge({
    name: 'belfry_mqtt_sessions',
    help: 'Sessions at the MQTT broker that this process holds.',
    registers: [registry],
  });

  return {
    ...events,
    ...countAlerts(events, registry),
    accepted(facts) {
      accepted.inc({ priority: facts.priority, kind: facts.kind });
      events.accepted(facts);
    },
    broadcastAccepted(facts) {
      broadcasts.inc({ status: facts.scheduled ? 'scheduled' : 'running' });
      events.broadcastAccepted(facts);
    },
    broadcastMoved(facts) {
      broadcasts.inc({ status: facts.status });
      events.broadcastMoved(facts);
    },
    fannedOut(facts) {
      accepted.inc({ priority: facts.priority, kind: 'broadcast' }, facts.people);
      events.fannedOut(facts);
    },
    fanOutFailed(facts) {
      fanOutFailures.inc();
      events.fanOutFailed(facts);
    },
    brokenRecord(facts) {
      brokenRecords.inc();
      events.brokenRecord(facts);
    },
    attempted(facts) {
      const { channel, provider, outcome, priority } = facts;
      attempts.inc({ channel, provider, outcome });
      attemptSeconds.observe({ channel, provider }, facts.durationMs / 1_000);
      if (facts.sinceAcceptMs !== null)
        acceptedToSent.observe({ channel, priority }, facts.sinceAcceptMs / 1_000);
      events.attempted(facts);
    },
    moved(facts) {
      moves.inc({ channel: facts.channel, state: facts.state });
      if (facts.reason === PACED || facts.reason === 'throttled')
        throttled.inc({ channel: facts.channel, reason: facts.reason });
      if (facts.failure !== null) dead.inc({ channel: facts.channel, class: facts.failure });
      events.moved(facts);
    },
    takenOver(facts) {
      takenOver.inc();
      events.takenOver(facts);
    },
    leaseLost(facts) {
      leasesLost.inc(facts.deliveries);
      events.leaseLost(facts);
    },
    reconciled(facts) {
      reconciled.inc({ queue: facts.queue }, facts.requeued);
      events.reconciled(facts);
    },
    retried(facts) {
      retried.inc({ by: facts.by }, facts.deliveries);
      events.retried(facts);
    },
    enqueueFailed(facts) {
      enqueueFailures.inc({ queue: facts.queue }, facts.jobs);
      events.enqueueFailed(facts);
    },
    upkeepFailed(facts) {
      upkeepFailures.inc({ task: facts.task });
      events.upkeepFailed(facts);
    },
    connectionFailed(facts) {
      connectionFailures.inc({ part: facts.part });
      events.connectionFailed(facts);
    },
    signatureRefused(facts) {
      signatures.inc({ from: facts.from });
      events.signatureRefused(facts);
    },
    deadManPinged(facts) {
      pings.inc({ outcome: facts.why === null ? 'taken' : 'failed' });
      events.deadManPinged(facts);
    },
    streamed(facts) {
      streamed.inc({ transport: facts.transport }, facts.notes);
      events.streamed(facts);
    },
    streamEnded(facts) {
      streamsEnded.inc({ transport: facts.transport, reason: facts.reason });
      events.streamEnded(facts);
    },
    streamsFailed(facts) {
      streamFailures.inc({ task: facts.task });
      events.streamsFailed(facts);
    },
    mqttMessage(facts) {
      mqttMessages.inc({ outcome: facts.outcome });
      events.mqttMessage(facts);
    },
    mqttSession(facts) {
      if (facts.held) mqttSessions.inc();
      else mqttSessions.dec();
      events.mqttSession(facts);
    },
    rateLimited(facts) {
      rateLimited.inc({ limit: facts.limit });
      events.rateLimited(facts);
    },
  };
}
