import { z } from 'zod';
import { parseMailbox } from './mailbox.js';

/** The sender of all mail, whoever carries it. */
export const mailFrom = z
  .string()
  .default('Belfry <notifications@localhost>')
  .transform((text, context) => {
    const mailbox = parseMailbox(text);
    if (mailbox !== undefined) return mailbox;
    context.addIssue({
      code: 'custom',
      message: 'set it to one sender: Name <name@example.org>, or only the address',
    });
    return z.NEVER;
  })
  .meta({ description: 'The sender of every email: Name <name@example.org>, or only the address.' });
