import { hasControl } from '@belfry/shared/domain/control.js';
import type { EmailContent, Message } from '@belfry/shared/domain/message.js';
import type { Outcome } from '@belfry/shared/domain/outcome.js';
import type { SendMailOptions } from 'nodemailer';
import { domainOf, isAddress, type Mailbox } from './mailbox.js';

/** Why a message cannot be made a mail, before anybody is asked to carry it; undefined if it can. */
export function unmailable({ to, content }: Message<'email'>): Outcome | undefined {
  if (!isAddress(to)) return rejected('invalid-address', 'The address is not a plain email address.');
  if (hasControl(content.subject)) return rejected('invalid-subject', 'The subject has a control character.');
  // A header is folded only at white space, and a line may have 998 characters (RFC 5322 §2.1.1).
  if (/\S{900}/.test(content.subject)) {
    return rejected('invalid-subject', 'The subject has a word that fits on no line.');
  }
  return undefined;
}

/** The mail of a message, the same whoever carries it. */
export function compose(message: Message<'email'>, from: Mailbox): SendMailOptions {
  const { subject, text, html }: EmailContent = message.content;
  return {
    from: { ...from },
    to: { name: '', address: message.to },
    subject,
    text,
    ...(html === undefined ? {} : { html }),
    // The same over all attempts: a copy that was sent in doubt is recognised as one (RFC 5322 §3.6.4).
    messageId: `<${message.deliveryId}@${domainOf(from.address)}>`,
    date: message.firstAttemptAt,
    headers: { 'X-Belfry-Delivery': message.deliveryId, 'Auto-Submitted': 'auto-generated' },
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

/** A mail that will never be taken. */
export function rejected(code: string, error: string): Outcome {
  return { kind: 'rejected', code, error };
}
