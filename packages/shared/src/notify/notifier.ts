import type { EmailRequest, SendRequest, SmsRequest } from '../channels/requests.js';
import type { Directory } from '../directory/directory.js';
import type { Platform } from '../domain/device.js';
import { newId } from '../domain/ids.js';
import {
  type Acceptance,
  type AcceptanceResult,
  type KeptAnswer,
  type NewNotification,
  writeAcceptances,
} from '../ledger/accept.js';
import { type Addressee, type BareAddress, findSuppressions, loadAddressees } from '../ledger/addressees.js';
import type { Actor } from '../ledger/audit.js';
import { type Cancellation, cancelNotification } from '../ledger/cancel.js';
import type { Database } from '../ledger/database.js';
import { isOutage } from '../ledger/outage.js';
import type { JobSeed } from '../ledger/waiting.js';
import type { Enqueuer } from '../queue/enqueuer.js';
import { type Replay, type ReplayOutcome, replayDeadLetters } from '../queue/replay-dead.js';
import { retryAll } from '../queue/retry-all.js';
import type { Decision } from '../routing/route.js';
import { createBatcher } from '../service/batcher.js';
import type { Events, NotificationKind } from '../service/events.js';
import { NO_TRACING, type Tracing } from '../service/tracing.js';
import type { Catalogue } from '../templates/catalogue.js';
import {
  decide,
  emailNotification,
  eventOf,
  failedNotification,
  notificationFor,
  smsNotification,
} from './prepare.js';

/** A request that has been decided on and waits to be committed. */
export type Prepared =
  | { readonly kind: 'ready'; readonly notification: NewNotification }
  | { readonly kind: 'unknown_person'; readonly notification: NewNotification; readonly userId: string };

/** What an application can ask of Belfry, whatever door it came through. */
export interface Notifier {
  /** Decides how a person is told. Refuses an unknown event or a wrong context. `platform` leaves out devices of any other. */
  prepare(request: SendRequest, caller: string, platform?: Platform): Promise<Prepared>;
  prepareEmail(request: EmailRequest, caller: string): Promise<Prepared>;
  prepareSms(request: SmsRequest, caller: string): Promise<Prepared>;
  /**
   * Law 1: resolves when PostgreSQL has everything on disk, and only then. `taken` when another call with the same
   * idempotency key was first; nothing was written then.
   */
  commit(prepared: readonly Prepared[], answer: KeptAnswer | null): Promise<AcceptanceResult>;
  /** What would be done, without doing it. Null for an unknown person. */
  explain(request: SendRequest): Promise<Decision[] | null>;
  /** Whether there is such a person, here or in the user directory. */
  knows(userId: string): Promise<boolean>;
  cancel(notificationId: string, actor: Actor): Promise<Cancellation>;
  /** Tries what failed and may still work again, now. Resolves with the number of deliveries. */
  retry(actor: Actor): Promise<number>;
  /** Brings dead letters back, whatever they died of. */
  replay(replay: Replay): Promise<ReplayOutcome>;
  /** Resolves when all that was accepted has been handed to the queues, or has been left to the reconciler. */
  idle(): Promise<void>;
}

export interface NotifierParts {
  readonly database: Database;
  readonly catalogue: Catalogue;
  readonly enqueuer: Enqueuer;
  readonly events: Events;
  /** Where people who are not in the ledger are asked for. */
  readonly directory?: Directory | undefined;
  readonly tracing?: Tracing;
}

export function createNotifier({
  database,
  catalogue,
  enqueuer,
  events,
  directory,
  tracing = NO_TRACING,
}: NotifierParts): Notifier {
  const lookups = createBatcher<string, { person: Addressee | null }>({
    batch: 500,
    flights: 2,
    waiting: 5_000,
    run: async (ids) => (await loadAddressees(database, ids)).map((person) => ({ person })),
  });
  const suppressions = createBatcher<BareAddress, { reason: string | null }>({
    batch: 500,
    flights: 2,
    waiting: 5_000,
    run: async (asked) => (await findSuppressions(database, asked)).map((reason) => ({ reason })),
  });
  const commits = createBatcher<Acceptance, AcceptanceResult>({
    batch: 500,
    flights: 3,
    waiting: 20_000,
    weigh: weightOf,
    splittable: (error) => !isOutage(error),
    run: (acceptances) => writeAcceptances(database, acceptances),
  });

  const find = async (userId: string) => {
    const { person } = await lookups.add(userId);
    if (directory === undefined) return person;
    const resolution = await directory.resolve(userId, person);
    if (resolution === 'unknown') return null;
    return resolution === 'refreshed' ? (await lookups.add(userId)).person : person;
  };
  const whyNot = async (bare: BareAddress) => (await suppressions.add(bare)).reason;

  return {
    async prepare(request, caller, platform) {
      const event = eventOf(catalogue, request);
      const person = await find(request.user_id);
      if (person === null) {
        return {
          kind: 'unknown_person',
          notification: failedNotification(request, event, caller),
          userId: request.user_id,
        };
      }
      return {
        kind: 'ready',
        notification: notificationFor(request, event, decide(request, event, person, platform), caller),
      };
    },
    async prepareEmail(request, caller) {
      const suppressed = await whyNot({ channel: 'email', address: request.to });
      return { kind: 'ready', notification: emailNotification(request, caller, suppressed) };
    },
    async prepareSms(request, caller) {
      const suppressed = await whyNot({ channel: 'sms', address: request.phone });
      return { kind: 'ready', notification: smsNotification(request, caller, suppressed) };
    },
    async commit(prepared, answer) {
      const { notifications, result } = await tracing.span('accept', {}, async () => {
        const traceparent = tracing.current();
        const notifications = prepared.map((one) => ({ ...one.notification, traceparent }));
        return {
          notifications,
          result: await commits.add({ requestId: newId(), notifications, answer }),
        };
      });
      if (result === 'written') {
        enqueuer.enqueue(notifications.flatMap(seedsOf));
        for (const notification of notifications) announce(events, notification);
      }
      return result;
    },
    async explain(request) {
      const event = eventOf(catalogue, request);
      const person = await find(request.user_id);
      return person === null ? null : decide(request, event, person);
    },
    knows: async (userId) => (await find(userId)) !== null,
    cancel: (notificationId, actor) => cancelNotification(database, notificationId, actor),
    async retry(actor) {
      const deliveries = await retryAll({ database, enqueuer }, { includeWaiting: true, actor });
      if (deliveries > 0) events.retried({ deliveries, by: 'call' });
      return deliveries;
    },
    async replay(replay) {
      const outcome = await replayDeadLetters({ database, enqueuer }, replay);
      const deliveries = outcome.kind === 'replayed' ? outcome.result.replayed : 0;
      if (deliveries > 0) events.retried({ deliveries, by: 'replay' });
      return outcome;
    },
    idle: () => enqueuer.idle(),
  };
}

/** Texts of this many characters weigh as much as one more notification, so that neither a batch nor what waits grows huge. */
const CHARACTERS = 4_096;

function weightOf({ notifications }: Acceptance): number {
  const characters = notifications.reduce(
    (sum, { message, html, context, data }) =>
      sum + (message?.length ?? 0) + (html?.length ?? 0) + JSON.stringify([context, data]).length,
    0,
  );
  return notifications.length + characters / CHARACTERS;
}

/** The jobs of a notification that was written just now. */
export function seedsOf(notification: NewNotification): JobSeed[] {
  return notification.deliveries
    .filter((delivery) => delivery.state !== 'skipped')
    .map((delivery) => ({
      deliveryId: delivery.id,
      notificationId: notification.id,
      channel: delivery.channel,
      priority: notification.priority,
      generation: 1,
      delayMs: delayUntil(delivery.dueAt ?? notification.sendAt),
    }));
}

function delayUntil(dueAt: string | null): number {
  return dueAt === null ? 0 : Math.max(0, Date.parse(dueAt) - Date.now());
}

function announce(events: Events, notification: NewNotification): void {
  const used = notification.deliveries.filter((delivery) => delivery.state !== 'skipped');
  events.accepted({
    notificationId: notification.id,
    caller: notification.caller,
    priority: notification.priority,
    kind: kindOf(notification),
    deliveries: used.length,
    scheduled: used.some((delivery) => delivery.state === 'scheduled'),
  });
}

function kindOf({ eventType, personId, type }: NewNotification): NotificationKind {
  if (eventType !== null) return 'event';
  if (personId !== null) return 'text';
  return type === 'sms' ? 'sms' : 'email';
}
