import type { EmailRequest, SendRequest, SmsRequest } from '../channels/requests.js';
import type { Channel, Priority } from '../domain/channel.js';
import type { Platform } from '../domain/device.js';
import { newId } from '../domain/ids.js';
import { invalid } from '../domain/refusal.js';
import type { NewDelivery, NewNotification } from '../ledger/accept.js';
import type { Addressee } from '../ledger/addressees.js';
import { type Decision, route } from '../routing/route.js';
import type { Catalogue, EventDefinition } from '../templates/catalogue.js';

/*
 * From a valid request to the rows that are to be written. Nothing here touches the ledger or a queue, so that sending
 * and explaining decide by the same code.
 */

/** The event of a request with its context checked. Refuses an unknown event or a wrong variable, naming it. */
export function eventOf(catalogue: Catalogue, request: SendRequest): EventDefinition | null {
  if (request.event_type === undefined) return null;
  const checked = catalogue.check(request.event_type, request.context ?? {});
  const event = catalogue.find(request.event_type);
  if (checked.ok && event !== undefined) return event;
  const problems = checked.ok ? [] : checked.problems;
  throw invalid(
    problems,
    problems.map((problem) => problem.message).join(' '),
    event === undefined ? 'unknown_event' : 'invalid_context',
  );
}

/** Decides on every channel for a person. `platform` leaves out devices of any other. */
export function decide(
  request: SendRequest,
  event: EventDefinition | null,
  person: Addressee,
  platform?: Platform,
): Decision[] {
  return route(
    {
      priority: request.priority,
      channels: request.channels,
      eventType: event?.name ?? null,
      eventChannels: event?.channels ?? [],
      mandatory: event?.mandatory,
      platform,
      at: new Date(Math.max(person.readAt.getTime(), request.send_at?.getTime() ?? 0)),
      expiresAt: request.expires_at,
    },
    person,
  );
}

/** The rows of a notification to a known person. */
export function notificationFor(
  request: SendRequest,
  event: EventDefinition | null,
  decisions: readonly Decision[],
  caller: string,
): NewNotification {
  return {
    ...commonOf(request, event, caller),
    reason: decisions.some((decision) => decision.used) ? null : 'no_channel',
    deliveries: decisions.flatMap((decision) => deliveriesFor(decision, isLater(request.send_at))),
  };
}

/** The row that is kept of a notification to somebody nobody knows: it failed, and says why. */
export function failedNotification(
  request: SendRequest,
  event: EventDefinition | null,
  caller: string,
): NewNotification {
  return { ...commonOf(request, event, caller), reason: 'unknown_person', deliveries: [] };
}

function commonOf(request: SendRequest, event: EventDefinition | null, caller: string) {
  return {
    id: newId(),
    personId: request.user_id,
    eventType: event?.name ?? null,
    templateVersion: event?.version ?? null,
    type: request.type ?? (event === null ? 'info' : event.name),
    title: event === null ? (request.title ?? 'Notification') : null,
    message: request.message ?? null,
    html: null,
    context: request.context ?? {},
    data: request.data ?? {},
    priority: request.priority,
    caller,
    sendAt: request.send_at?.toISOString() ?? null,
    expiresAt: request.expires_at?.toISOString() ?? null,
  };
}

/** One for each address; for a channel that is not used, one that says why. */
export function deliveriesFor(decision: Decision, later: boolean): NewDelivery[] {
  const { channel } = decision;
  if (!decision.used)
    return [{ id: newId(), channel, address: null, state: 'skipped', reason: decision.reason }];
  const { addresses, deferredUntil } = decision;
  if (deferredUntil === undefined) {
    const state = later ? 'scheduled' : 'queued';
    return addresses.map((address) => ({ id: newId(), channel, address, state, reason: null }));
  }
  const dueAt = deferredUntil.toISOString();
  return addresses.map((address) => ({
    id: newId(),
    channel,
    address,
    state: 'scheduled',
    reason: 'quiet_hours',
    dueAt,
  }));
}

/** The rows of a mail to a bare address. */
export function emailNotification(
  request: EmailRequest,
  caller: string,
  suppressed: string | null,
): NewNotification {
  return bare('email', request.to, request, caller, suppressed, {
    title: request.subject,
    message: request.body,
    html: request.html_body ?? null,
  });
}

/** The rows of a text message to a bare number. */
export function smsNotification(
  request: SmsRequest,
  caller: string,
  suppressed: string | null,
): NewNotification {
  return bare('sms', request.phone, request, caller, suppressed, {
    title: null,
    message: request.message,
    html: null,
  });
}

function bare(
  channel: Channel,
  address: string,
  request: { priority: Priority; send_at?: Date | undefined; expires_at?: Date | undefined },
  caller: string,
  suppressed: string | null,
  text: { title: string | null; message: string; html: string | null },
): NewNotification {
  const decision: Decision =
    suppressed === null
      ? { channel, used: true, addresses: [address], reason: 'requested' }
      : { channel, used: false, reason: 'suppressed' };
  return {
    id: newId(),
    personId: null,
    eventType: null,
    templateVersion: null,
    type: channel,
    ...text,
    context: {},
    data: {},
    priority: request.priority,
    caller,
    reason: suppressed === null ? null : 'no_channel',
    sendAt: request.send_at?.toISOString() ?? null,
    expiresAt: request.expires_at?.toISOString() ?? null,
    deliveries: deliveriesFor(decision, isLater(request.send_at)),
  };
}

function isLater(sendAt: Date | undefined): boolean {
  return sendAt !== undefined && sendAt.getTime() > Date.now();
}
