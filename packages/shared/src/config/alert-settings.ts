import type { AlertLimit, AlertLimits } from '../domain/alert-limit.js';
import { limits } from './fields.js';

/** How many messages about alerts reach one person on a channel. */
export const alertLimitFields = {
  ALERT_LIMIT_SMS: limits
    .default([
      { points: 1, seconds: 60 },
      { points: 5, seconds: 900 },
    ])
    .describe(
      'Text messages about alerts of one level to one person, as 1/60s,5/900s, or off. The first alert of each source and type passes anyway, ten of them at most; what is more is told in one message when the limit allows it.',
    ),
  ALERT_LIMIT_EMAIL: limits.default(oftener()).describe('The same for mails.'),
  ALERT_LIMIT_PUSH: limits.default(oftener()).describe('The same for pushes.'),
} as const;

function oftener() {
  return [
    { points: 3, seconds: 60 },
    { points: 20, seconds: 900 },
  ];
}

/** The limits as the settings have them. Inboxes and webhooks have none: what reads them is no telephone. */
export function alertLimitsOf(settings: {
  readonly ALERT_LIMIT_SMS: readonly AlertLimit[];
  readonly ALERT_LIMIT_EMAIL: readonly AlertLimit[];
  readonly ALERT_LIMIT_PUSH: readonly AlertLimit[];
}): AlertLimits {
  return {
    sms: settings.ALERT_LIMIT_SMS,
    email: settings.ALERT_LIMIT_EMAIL,
    push: settings.ALERT_LIMIT_PUSH,
  };
}
