import { z } from 'zod';
import type { OperatorMail } from '../domain/operator-mail.js';
import { whole } from './fields.js';

/** Who is told by mail of what the fleet cannot mend by itself. */
export const operatorFields = {
  OPERATOR_EMAIL: z
    .email('must be an email address such as ops@example.org')
    .max(254, 'must have at most 254 characters')
    .optional()
    .describe(
      'Who is told by mail when deliveries are given up for good, when nobody can be told of an alert or nobody has taken it by the end of its escalation, and when the fleet finds that it does not work itself; nobody when unset.',
    ),
  OPERATOR_EMAIL_EVERY_MS: whole(1_000, 604_800_000)
    .default(900_000)
    .describe('The operator gets at most one mail of each kind in this time.'),
} as const;

/** What is read of the settings. */
export interface OperatorSettings {
  readonly OPERATOR_EMAIL?: string | undefined;
  readonly OPERATOR_EMAIL_EVERY_MS: number;
}

/** The operator's mail as the settings have it; null for none. */
export function operatorMailOf(settings: OperatorSettings): OperatorMail | null {
  const { OPERATOR_EMAIL: to, OPERATOR_EMAIL_EVERY_MS: everyMs } = settings;
  return to === undefined ? null : { to, everyMs };
}
