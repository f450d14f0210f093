import type { Channel, Priority } from '../domain/channel.js';
import type { FailureClass } from '../domain/failure.js';
import { maskAddress } from '../domain/mask.js';
import type { OutcomeKind } from '../domain/outcome.js';
import type { Logger } from './log.js';

/**
 * What happens in the fleet, announced by the code that does it. Only this file words a log line, and only its neighbour
 * `event-metrics.ts` counts a metric.
 */
export interface Events {
  accepted(facts: {
    notificationId: string;
    caller: string;
    priority: Priority;
    kind: NotificationKind;
    deliveries: number;
    scheduled: boolean;
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
  takenOver(facts: { notificationId: string; deliveryId: string; interruptions: number }): void;
  leaseLost(facts: { deliveries: number }): void;
  reconciled(facts: { queue: string; owed: number; pending: number; requeued: number }): void;
  retried(facts: { deliveries: number; by: 'sweep' | 'call' }): void;
  upkeepFailed(facts: { task: string; error: unknown }): void;
  connectionFailed(facts: { part: 'queue' | 'database' | 'trace collector'; error: unknown }): void;
  /** Counted, not logged: whoever calls too often could fill the log as well. */
  rateLimited(facts: { limit: 'calls' | 'notifications' }): void;
}

/** What a notification says: a text of the templates, the caller's own, or a message to a bare address. */
export type NotificationKind = 'event' | 'text' | 'email' | 'sms';

/** The same complaint is repeated in the log at most this often; what came in between is counted. */
const QUIET_MS = 30_000;

/** Events as log lines. No address, no text: ids lead to the ledger, which has both. */
export function createEvents(log: Logger): Events {
  const complain = quietly(log);
  return {
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
    enqueueFailed: ({ queue, jobs, error }) =>
      complain(
        `enqueue:${queue}`,
        { event: 'enqueue_failed', queue, jobs, err: error },
        'jobs could not be queued; the reconciler will queue them',
      ),
    attempted: (facts) => {
      const line = {
        event: 'attempted',
        notification_id: facts.notificationId,
        delivery_id: facts.deliveryId,
        channel: facts.channel,
        provider: facts.provider,
        outcome: facts.outcome,
        code: facts.code,
        duration_ms: facts.durationMs,
      };
      if (facts.outcome === 'misconfigured')
        complain(
          `misconfigured:${facts.provider}:${facts.code}`,
          line,
          'a provider refuses our settings: its messages are held until they are mended',
          'error',
        );
      else log.info(line, 'delivery attempted');
    },
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
  };
}

type Complain = (
  about: string,
  line: Record<string, unknown>,
  sentence: string,
  level?: 'warn' | 'error',
) => void;

function quietly(log: Logger): Complain {
  const spoken = new Map<string, { at: number; since: number }>();
  return (about, line, sentence, level = 'warn') => {
    const before = spoken.get(about);
    const now = Date.now();
    if (before !== undefined && now - before.at < QUIET_MS) {
      before.since += 1;
      return;
    }
    spoken.set(about, { at: now, since: 0 });
    log[level](
      { ...line, ...(before === undefined || before.since === 0 ? {} : { repeated: before.since }) },
      sentence,
    );
  };
}
