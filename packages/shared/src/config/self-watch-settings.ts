import { z } from 'zod';
import { url, whole } from './fields.js';
import { type OperatorSettings, operatorMailOf } from './operator-settings.js';

/** How the fleet watches itself; for the API. */
export const selfWatchFields = {
  CANARY_INTERVAL_MS: z
    .union(
      [z.literal('off').transform(() => null), whole(500, 3_600_000)],
      'must be a whole number of milliseconds from 500 to 3600000, or "off"',
    )
    .default(60_000)
    .describe('How often the fleet sends a notification to itself, to see whether it arrives; or off.'),
  AUDIT_LATE_MS: whole(100, 86_400_000)
    .default(60_000)
    .describe('A step of an escalation that is later than this is reported as overdue.'),
  DEADMAN_URL: url('http:', 'https:')
    .optional()
    .describe(
      'Asked with GET each time that such a notification has arrived and no alert is overdue: whoever is there, such as healthchecks.io, cries when nothing comes.',
    ),
} as const;

/** Nothing is pinged when nothing is sent. */
export function wantsOfDeadMan(
  settings: { CANARY_INTERVAL_MS?: number | null; DEADMAN_URL?: unknown },
  context: z.RefinementCtx,
): void {
  if (settings.DEADMAN_URL === undefined || settings.CANARY_INTERVAL_MS !== null) return;
  const message = 'must not be off with DEADMAN_URL: it is asked when a notification has arrived';
  context.addIssue({ code: 'custom', path: ['CANARY_INTERVAL_MS'], message });
}

/** What is read of the settings. */
export interface SelfWatchSettings extends OperatorSettings {
  readonly CANARY_INTERVAL_MS: number | null;
  readonly AUDIT_LATE_MS: number;
  readonly DEADMAN_URL?: string | undefined;
}

/** The same for `startSelfWatch`. */
export function watchOf(settings: SelfWatchSettings) {
  const { CANARY_INTERVAL_MS, AUDIT_LATE_MS, DEADMAN_URL } = settings;
  return {
    canaryMs: CANARY_INTERVAL_MS,
    lateMs: AUDIT_LATE_MS,
    deadManUrl: DEADMAN_URL ?? null,
    operatorMail: operatorMailOf(settings),
  };
}
