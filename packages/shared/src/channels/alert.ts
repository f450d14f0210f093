import { z } from 'zod';
import { ALERT_LEVELS } from '../domain/alert.js';
import { externalId, line, prose, record } from './fields.js';

export const alertLevel = z.enum(ALERT_LEVELS, `must be one of ${ALERT_LEVELS.join(', ')}`).meta({
  id: 'AlertLevel',
  description: 'How loud an alert is: who is told, where, and whether it escalates',
});

/** Bytes of an alert's `details` as JSON. */
export const MOST_DETAILS = 16_384;

/** How long details are, as JSON, in bytes. */
export function bytesOf(details: unknown): number {
  return Buffer.byteLength(JSON.stringify(details));
}

const details = record
  .refine((given) => bytesOf(given) <= MOST_DETAILS, 'must have at most 16 KB as JSON')
  .meta({
    description: 'Labels, links and whatever else there is to know; 16 KB as JSON at most',
  });

/** What makes alerts the same one, as its caller says it: 1 to 256 characters. */
export const dedupKey = line(256);

/** Where the keys of sources and heartbeats begin: nobody else may take or hold one of theirs. */
const RESERVED = /^(source|heartbeat):/;

/** What an alert says. Its type and level are in the path. */
export const alertRequest = z
  .object({
    message: prose(2_000),
    source: line(128).optional().meta({ description: 'What noticed it, such as `database_monitor`' }),
    severity: line(64)
      .optional()
      .meta({ description: 'Your own word for how bad it is; the level when absent' }),
    affected_systems: z
      .array(line(128))
      .max(100, 'must name at most 100 systems')
      .optional()
      .meta({ description: 'What is affected' }),
    dedup_key: dedupKey
      .refine(
        (key) => !RESERVED.test(key),
        'must not begin with source: or heartbeat:, where the keys of alert sources and heartbeats begin',
      )
      .optional()
      .meta({
        description:
          'While an alert with this key is not resolved, another one only raises its count. Not one that begins with `source:` or `heartbeat:`',
      }),
    escalation_policy: externalId
      .optional()
      .meta({ description: 'The policy to follow; absent: the one named as the type, else `default`' }),
    details: details.optional(),
  })
  .meta({ id: 'AlertRequest', description: 'What an alert says.' });
export type AlertRequest = z.infer<typeof alertRequest>;
