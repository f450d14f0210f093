import type { Channel } from '../domain/channel.js';
import type { Wishes } from '../domain/wishes.js';

/** What holds for a channel on which a person has not decided. Text messages cost money and patience, so they are off. */
const DEFAULT_PREFERENCES: Readonly<Record<Channel, boolean>> = {
  realtime: true,
  email: true,
  sms: false,
  push: true,
  webhook: true,
};

/** A person's preferences with the defaults filled in. */
export function effectivePreferences(stored: Readonly<Record<string, boolean>>): Record<Channel, boolean> {
  return {
    realtime: stored.realtime ?? DEFAULT_PREFERENCES.realtime,
    email: stored.email ?? DEFAULT_PREFERENCES.email,
    sms: stored.sms ?? DEFAULT_PREFERENCES.sms,
    push: stored.push ?? DEFAULT_PREFERENCES.push,
    webhook: stored.webhook ?? DEFAULT_PREFERENCES.webhook,
  };
}

/** What a person's wishes are asked about. */
export interface WishedEvent {
  /** Null, or left out, for a free message: only what is said of the channel counts. */
  readonly eventType?: string | null | undefined;
  /** Channels on which the person is told whatever they wish. */
  readonly mandatory?: readonly Channel[] | undefined;
}

/**
 * Why a person is not told on a channel by their own wish; null when they are. Routing and the guard before a send both
 * ask here, so that they never differ.
 */
export function wishAgainst(
  channel: Channel,
  { eventType, mandatory }: WishedEvent,
  { preferences, eventPreferences }: Pick<Wishes, 'preferences' | 'eventPreferences'>,
): 'preference_off' | 'event_preference_off' | null {
  if (mandatory?.includes(channel)) return null;
  const ofEvent =
    typeof eventType === 'string' && Object.hasOwn(eventPreferences, eventType)
      ? eventPreferences[eventType]?.[channel]
      : undefined;
  if (ofEvent !== undefined) return ofEvent ? null : 'event_preference_off';
  return effectivePreferences(preferences)[channel] ? null : 'preference_off';
}
