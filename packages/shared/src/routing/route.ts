import { CHANNELS, type Channel, PRIORITIES, type Priority } from '../domain/channel.js';
import type { Platform } from '../domain/device.js';
import type { Wishes } from '../domain/wishes.js';
import { type WishedEvent, wishAgainst } from './preferences.js';
import { quietFor } from './quiet-hours.js';

/** Who is to be reached, as far as routing cares. */
export interface RoutedPerson extends Wishes {
  readonly id: string;
  readonly email: string | null;
  readonly phone: string | null;
  readonly webhookUrl: string | null;
  readonly devices: readonly RoutedDevice[];
  readonly active: boolean;
  /** IANA time zone: the one of the quiet hours. */
  readonly timezone: string;
  readonly suppressed: Readonly<Partial<Record<Channel, string>>>;
}

/** Where a push reaches a person. */
export interface RoutedDevice {
  readonly address: string;
  readonly platform: Platform;
}

export interface RouteRequest extends WishedEvent {
  readonly priority: Priority;
  /** Channels that the caller asked for; without them the rules below choose. */
  readonly channels?: readonly Channel[] | undefined;
  /** Channels that the event's template adds. */
  readonly eventChannels: readonly Channel[];
  /** When it would go out. Without it nobody's quiet hours are looked at here; the guard before a send still does. */
  readonly at?: Date | undefined;
  /** When it is too late to send it. */
  readonly expiresAt?: Date | undefined;
  /** Only devices of this platform; all of them without it. */
  readonly platform?: Platform | undefined;
}

/** Why a channel was used or not, in a short name; `RULES` has the sentence. */
export type RouteReason = keyof typeof RULES;

/** The decision for one channel. Law 11: a channel that is not used has its reason too. */
export type Decision =
  | {
      readonly channel: Channel;
      readonly used: true;
      /** One delivery for each; at least one. A person has several only of devices. */
      readonly addresses: readonly string[];
      readonly reason: RouteReason;
      /** The end of the person's quiet hours, until which it waits. */
      readonly deferredUntil?: Date;
    }
  | { readonly channel: Channel; readonly used: false; readonly reason: RouteReason };

/** Every rule of the routing, as a person would say it. */
export const RULES = {
  requested: 'The caller asked for this channel.',
  always: 'This channel is used for every notification.',
  priority: 'This channel is used from this priority on.',
  event: 'The template of this event adds this channel.',
  mandatory: 'This event goes out on this channel whatever the person has switched off.',
  not_requested: 'The caller named the channels to use, and this one was not among them.',
  priority_too_low: 'This channel is used only for notifications of a higher priority.',
  not_by_default: 'This channel is used only when the caller or the event asks for it.',
  preference_off: 'The person has switched this channel off, or not switched it on.',
  event_preference_off: 'The person has switched this channel off for this event.',
  no_address: 'The person has no address on this channel.',
  no_device: 'The person has no device on this channel.',
  suppressed: 'The address must not be used: it opted out, or mail to it failed for good.',
  person_inactive: 'The person is not active.',
  expires_in_quiet_hours: 'The person has quiet hours until after it is too late.',
} as const;

/** The least urgent priority that uses a channel by itself; null for a channel that must be asked for. */
const BY_ITSELF: Readonly<Record<Channel, Priority | null>> = {
  realtime: 'low',
  email: 'high',
  sms: 'critical',
  push: 'low',
  webhook: null,
};

/** Decides for each channel, in the order of `CHANNELS`. A pure function: the same for sending and for explaining. */
export function route(request: RouteRequest, person: RoutedPerson): Decision[] {
  const quiet = quietAt(request, person);
  return CHANNELS.map((channel): Decision => {
    const wish = wanted(channel, request);
    if (!wish.used) return { channel, used: false, reason: wish.reason };
    if (!person.active) return { channel, used: false, reason: 'person_inactive' };
    const unwished = wishAgainst(channel, request, person);
    if (unwished !== null) return { channel, used: false, reason: unwished };
    const addresses = addressesOn(channel, request, person);
    if (addresses.length === 0)
      return { channel, used: false, reason: channel === 'push' ? 'no_device' : 'no_address' };
    if (person.suppressed[channel] !== undefined) return { channel, used: false, reason: 'suppressed' };
    if (quiet === null) return { channel, used: true, addresses, reason: wish.reason };
    if (quiet.expires) return { channel, used: false, reason: 'expires_in_quiet_hours' };
    return { channel, used: true, addresses, reason: wish.reason, deferredUntil: quiet.until };
  });
}

function quietAt({ priority, at, expiresAt }: RouteRequest, person: RoutedPerson) {
  return at === undefined ? null : quietFor(person, { priority, at, expiresAt: expiresAt ?? null });
}

function wanted(channel: Channel, request: RouteRequest): { used: boolean; reason: RouteReason } {
  const asked = request.channels === undefined || request.channels.includes(channel);
  if (asked && request.mandatory?.includes(channel)) return { used: true, reason: 'mandatory' };
  if (request.channels !== undefined) {
    return request.channels.includes(channel)
      ? { used: true, reason: 'requested' }
      : { used: false, reason: 'not_requested' };
  }
  if (request.eventChannels.includes(channel)) return { used: true, reason: 'event' };
  const from = BY_ITSELF[channel];
  if (from === null) return { used: false, reason: 'not_by_default' };
  if (from === 'low') return { used: true, reason: 'always' };
  return PRIORITIES.indexOf(request.priority) <= PRIORITIES.indexOf(from)
    ? { used: true, reason: 'priority' }
    : { used: false, reason: 'priority_too_low' };
}

function addressesOn(channel: Channel, { platform }: RouteRequest, person: RoutedPerson): string[] {
  switch (channel) {
    case 'realtime':
      return [person.id];
    case 'email':
      return given(person.email);
    case 'sms':
      return given(person.phone);
    case 'webhook':
      return given(person.webhookUrl);
    case 'push':
      return person.devices
        .filter((device) => platform === undefined || device.platform === platform)
        .map(({ address }) => address);
  }
}

function given(address: string | null): string[] {
  return address === null ? [] : [address];
}
