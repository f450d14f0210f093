import type { Channel } from '../domain/channel.js';

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
