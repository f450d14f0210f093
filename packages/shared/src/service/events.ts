import type { AlertDoor, AlertLevel, AlertStatus } from '../domain/alert.js';
import type { BroadcastStatus } from '../domain/broadcast.js';
import type { Channel, Priority } from '../domain/channel.js';
import type { FailureClass } from '../domain/failure.js';
import { maskAddress } from '../domain/mask.js';
import type { OutcomeKind } from '../domain/outcome.js';
import type { ProviderStanding } from '../domain/provider-standing.js';
import { complainQuietly } from './complain.js';
import { type EscalationEvents, escalationLines } from './escalation-events.js';
import { type InboundEvents, inboundLines } from './inbound-events.js';
import type { Logger } from './log.js';
import { type WatchEvents, watchEvents } from './watch-events.js';

/**
 * What happens in the fleet, announced by the code that does it. Only this file words a log line, and only its neighbour
 * `event-metrics.ts` counts a metric.
 */
export interface Events extends EscalationEvents, InboundEvents, WatchEvents {
  accepted(facts: {
    notificationId: string;
    caller: string;
    priority: Priority;
    kind: NotificationKind;
    deliveries: number;
    scheduled: boolean;
  }): void;
  /** A broadcast was committed; nobody has been told yet. */
  broadcastAccepted(facts: {
    broadcastId: string;
    caller: string;
    priority: Priority;
    total: number;
    scheduled: boolean;
  }): void;
  /** A broadcast came into a status, by a call or by itself. */
  broadcastMoved(facts: { broadcastId: string; status: BroadcastStatus }): void;
  /** A chunk of a broadcast was committed. */
  fannedOut(facts: { broadcastId: string; priority: Priority; people: number; deliveries: number }): void;
  fanOutFailed(facts: { broadcastId: string; error: unknown }): void;
  /** Somebody could not be told of a broadcast for what is in their record. */
  brokenRecord(facts: { broadcastId: string; notificationId: string; error: unknown }): void;
  /** An alert was opened, or raised once more while it was not resolved; committed. */
  alertRaised(facts: { alertId: string; level: AlertLevel; opened: boolean; notified: number }): void;
  /** Somebody acknowledged or resolved an alert; of an acknowledgement, so long after the alert was opened. */
  alertMoved(facts: {
    alertId: string;
    level: AlertLevel;
    status: AlertStatus;
    via: AlertDoor;
    afterMs?: number;
  }): void;
  enqueueFailed(facts: { queue: string; jobs: number; error: unknown }): void;
  attempted(facts: {
    notificationId: string;
    deliveryId: string;
    channel: Channel;
    priority: Priority;
    provider: string;
    outcome: OutcomeKind;
    code: string;
    durationMs: number;
    /** From the notification's acceptance to the provider's yes; null for every other answer. */
    sinceAcceptMs: number | null;
  }): void;
  moved(facts: {
    notificationId: string;
    deliveryId: string;
    channel: Channel;
    state: string;
    reason: string | null;
    /** Why it is dead; null in every other state. */
    failure: FailureClass | null;
    dueInMs: number;
  }): void;
  /** An account is found in another state than before. */
  providerChanged(facts: Pick<ProviderStanding, 'account' | 'channel' | 'state' | 'code'>): void;
  /** The first message for a channel without a provider. */
  uncarried(facts: { channel: Channel }): void;
  takenOver(facts: { notificationId: string; deliveryId: string; interruptions: number }): void;
  leaseLost(facts: { deliveries: number }): void;
  reconciled(facts: { queue: string; owed: number; pending: number; requeued: number }): void;
  retried(facts: { deliveries: number; by: 'sweep' | 'call' | 'replay' }): void;
  operatorTold(facts: { deliveries: number }): void;
  pruned(facts: { notifications: number }): void;
  upkeepFailed(facts: { task: string; error: unknown }): void;
  connectionFailed(facts: {
    part: 'queue' | 'database' | 'realtime bus' | 'trace collector' | 'mqtt broker';
    error: unknown;
  }): void;
  /** Counted, not logged: whoever calls too often could fill the log as well. */
  rateLimited(facts: { limit: 'calls' | 'notifications' | 'inbound' }): void;
  /** `known`: what is in the ledger was used in its place. */
  directoryFailed(facts: { why: string; known: boolean }): void;
  streamed(facts: { transport: StreamTransport; notes: number }): void;
  streamOpened(facts: { sessionId: string; transport: StreamTransport }): void;
  streamEnded(facts: { sessionId: string; transport: StreamTransport; reason: StreamEnd }): void;
  /** The inboxes could not be looked at, or what is known of sessions could not be written down. */
  streamsFailed(facts: { task: string; error: unknown }): void;
  /** A message of the broker is done with; `status` is that of the call that it was, null when it was none. */
  mqttMessage(facts: { outcome: MqttOutcome; status: number | null }): void;
  /** A session at the broker was taken, or given back or lost. */
  mqttSession(facts: { number: number; held: boolean }): void;
}

/**
 * What came of a message from the broker: the call was accepted; it was answered as the same one before it; it was refused; it was
 * refused for the moment, for too long; it was a retained copy, and no call.
 */
export type MqttOutcome = 'accepted' | 'repeated' | 'refused' | 'given_up' | 'ignored';

export type StreamTransport = 'websocket' | 'sse';

/**
 * Why a stream ended: the client left; it read too slowly; nothing was heard of it; its token ran out; somebody ended the
 * session; the process stops; the client broke the protocol.
 */
export type StreamEnd = 'left' | 'slow' | 'silent' | 'expired' | 'disconnected' | 'stopping' | 'misused';

/** What a notification says: a text of the templates, the caller's own, a message to a bare address, or a broadcast's. */
export type NotificationKind = 'event' | 'text' | 'email' | 'sms' | 'broadcast';

/** Events as log lines. No address, no text: ids lead to the ledger, which has both. */
export function createEvents(log: Logger): Events {
  const complain = complainQuietly(log);
  return {
    ...inboundLines(log),
    ...watchEvents(log),
    ...escalationLines(log, complain),
    accepted: (facts) =>
      log.info(
        {
          event: 'accepted',
          notification_id: facts.notificationId,
          // A token's subject may well be an address.
          caller: maskAddress(facts.caller),
          deliveries: facts.deliveries,
          scheduled: facts.scheduled,
        },
        facts.deliveries > 0 ? 'notification accepted' : 'notification recorded as failed',
      ),
    broadcastAccepted: (facts) =>
      log.info(
        {
          event: 'broadcast_accepted',
          broadcast_id: facts.broadcastId,
          caller: maskAddress(facts.caller),
          total: facts.total,
          scheduled: facts.scheduled,
        },
        'broadcast accepted',
      ),
    broadcastMoved: ({ broadcastId, status }) =>
      log.info({ event: 'broadcast_moved', broadcast_id: broadcastId, status }, `broadcast ${status}`),
    fannedOut: ({ broadcastId, people, deliveries }) =>
      log.info({ event: 'fanned_out', broadcast_id: broadcastId, people, deliveries }, 'people were told'),
    fanOutFailed: ({ broadcastId, error }) =>
      complain(
        `fan-out:${broadcastId}`,
        { event: 'fan_out_failed', broadcast_id: broadcastId, err: error },
        'a broadcast could not go on; it goes on where it was when it is tried again',
      ),
    brokenRecord: ({ broadcastId, notificationId, error }) =>
      log.warn(
        {
          event: 'broken_record',
          broadcast_id: broadcastId,
          notification_id: notificationId,
          // Its message may quote the record.
          error: error instanceof Error ? error.name : 'unknown',
        },
        'somebody could not be told of a broadcast: their record is broken',
      ),
    alertRaised: ({ alertId, ...facts }) =>
      log.info({ event: 'alert_raised', alert_id: alertId, ...facts }, 'alert raised'),
    alertMoved: ({ alertId, level, status, via }) =>
      log.info({ event: 'alert_moved', alert_id: alertId, level, status, via }, `alert ${status}`),
    enqueueFailed: ({ queue, jobs, error }) =>
      complain(
        `enqueue:${queue}`,
        { event: 'enqueue_failed', queue, jobs, err: error },
        'jobs could not be queued; the reconciler will queue them',
      ),
    attempted: (facts) =>
      log.info(
        {
          event: 'attempted',
          notification_id: facts.notificationId,
          delivery_id: facts.deliveryId,
          channel: facts.channel,
          provider: facts.provider,
          outcome: facts.outcome,
          code: facts.code,
          duration_ms: facts.durationMs,
        },
        'delivery attempted',
      ),
    moved: (facts) =>
      log[facts.state === 'dead' ? 'warn' : 'info'](
        {
          event: 'moved',
          notification_id: facts.notificationId,
          delivery_id: facts.deliveryId,
          channel: facts.channel,
          state: facts.state,
          reason: facts.reason,
          due_in_ms: facts.dueInMs,
        },
        `delivery ${facts.state}`,
      ),
    providerChanged: ({ account, channel, state, code }) => {
      const [level, sentence] = PROVIDER_LINES[state];
      log[level]({ event: 'provider_changed', provider: account, channel, state, code }, sentence);
    },
    uncarried: (facts) =>
      log.error(
        { event: 'uncarried', ...facts },
        'no provider is set up for a channel: its messages are held',
      ),
    takenOver: (facts) =>
      log.warn(
        {
          event: 'taken_over',
          notification_id: facts.notificationId,
          delivery_id: facts.deliveryId,
          interruptions: facts.interruptions,
        },
        'delivery taken over from a lost worker',
      ),
    leaseLost: (facts) =>
      log.warn({ event: 'lease_lost', ...facts }, 'leases lost: what had not been sent is left to others'),
    reconciled: (facts) => log.info({ event: 'reconciled', ...facts }, 'due rows had no job and got one'),
    retried: (facts) => log.info({ event: 'retried', ...facts }, 'failed deliveries are tried again'),
    pruned: (facts) => log.info({ event: 'pruned', ...facts }, 'old notifications were removed'),
    operatorTold: (facts) =>
      log.info({ event: 'operator_told', ...facts }, 'the operator gets a mail about what was given up'),
    upkeepFailed: ({ task, error }) =>
      complain(
        `upkeep:${task}`,
        { event: 'upkeep_failed', task, err: error },
        'upkeep failed; it runs again at its next turn',
      ),
    connectionFailed: ({ part, error }) =>
      complain(
        `connection:${part}`,
        { event: 'connection_failed', part, err: error },
        `the connection to the ${part} failed`,
      ),
    rateLimited: () => undefined,
    directoryFailed: ({ why, known }) =>
      complain(
        `directory:${why}`,
        { event: 'directory_failed', why, known },
        known
          ? 'the user directory gave no answer; what was known of a person was used'
          : 'the user directory gave no answer, so a call was refused',
      ),
    // Counted, not logged: there is one for every note.
    streamed: () => undefined,
    streamOpened: ({ sessionId, transport }) =>
      log.debug({ event: 'stream_opened', session_id: sessionId, transport }, 'a stream was opened'),
    streamEnded: ({ sessionId, transport, reason }) =>
      log[reason === 'slow' ? 'info' : 'debug'](
        { event: 'stream_ended', session_id: sessionId, transport, reason },
        'a stream has ended',
      ),
    streamsFailed: ({ task, error }) =>
      complain(
        `streams:${task}`,
        { event: 'streams_failed', task, err: error },
        'streams could not be served from the ledger; it is tried again',
      ),
    mqttMessage: ({ outcome, status }) => {
      if (outcome === 'refused' || outcome === 'given_up')
        complain(
          `mqtt:${outcome}:${status}`,
          { event: 'mqtt_message', outcome, status },
          outcome === 'refused'
            ? 'a message of the broker was refused, and is done with'
            : 'a message of the broker was refused for too long, and is done with',
        );
    },
    mqttSession: ({ number, held }) =>
      log.info(
        { event: 'mqtt_session', number, held },
        held ? 'a session at the broker was taken' : 'a session at the broker was let go',
      ),
  };
}

const PROVIDER_LINES = {
  closed: ['info', 'a provider works again'],
  open: ['warn', 'a provider fails too often: others of its channel go first'],
  misconfigured: [
    'error',
    'a provider refuses our settings: its messages are held, or go to the next one, until they are mended',
  ],
} as const;
