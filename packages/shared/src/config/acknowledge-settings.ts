import { z } from 'zod';
import { type AcknowledgeLinks, createAcknowledgeLinks } from '../domain/acknowledge-link.js';
import { url } from './fields.js';

/** How people acknowledge alerts from where they are; for the API and the workers. */
export const acknowledgeFields = {
  PUBLIC_URL: url('http:', 'https:')
    .refine((text) => {
      const parsed = URL.parse(text);
      return parsed !== null && [parsed.username, parsed.search, parsed.hash].every((part) => part === '');
    }, 'must have no credentials, no query and no fragment')
    .transform((text) => text.replace(/\/+$/, ''))
    .optional()
    .describe(
      'Where people reach the API, such as `https://belfry.example.com`. Without it what tells of an alert has no link to acknowledge it; `npm start` sets it.',
    ),
  LINK_SECRET: z
    .string()
    .min(32, 'must have at least 32 characters')
    .optional()
    .describe(
      'What the links to acknowledge alerts are signed with, the same for the API and the workers. Without it `JWT_SECRET` serves.',
    ),
  SMS_ANSWERS: z
    .enum(['on', 'off'])
    .default('off')
    .describe(
      'Whether text messages ask for an answer such as `ACK 4821`. It needs `PUBLIC_URL`, `TWILIO_AUTH_TOKEN` for the API, and a webhook at Twilio.',
    ),
} as const;

/** What is read of the settings. */
export interface LinkSettings {
  readonly PUBLIC_URL?: string | undefined;
  readonly LINK_SECRET?: string | undefined;
  readonly JWT_SECRET?: string | undefined;
}

/** The links of this installation; null when it has no address, or nothing to sign with. */
export function linksOf({ PUBLIC_URL, LINK_SECRET, JWT_SECRET }: LinkSettings): AcknowledgeLinks | null {
  const secret = LINK_SECRET ?? JWT_SECRET;
  return PUBLIC_URL === undefined || secret === undefined ? null : createAcknowledgeLinks(PUBLIC_URL, secret);
}

/** An answer is checked by where it was sent to and by what it was signed with. */
export function wantsOfAnswers(
  settings: { SMS_ANSWERS?: string; PUBLIC_URL?: unknown; TWILIO_AUTH_TOKEN?: unknown },
  context: z.RefinementCtx,
): void {
  if (settings.SMS_ANSWERS !== 'on') return;
  for (const name of ['PUBLIC_URL', 'TWILIO_AUTH_TOKEN'] as const)
    if (settings[name] === undefined)
      context.addIssue({ code: 'custom', path: [name], message: 'is required with SMS_ANSWERS=on' });
}
