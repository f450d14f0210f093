import { simpleParser } from 'mailparser';
import type { ArrivedMessage } from './message.js';

/** The header in which Belfry names its delivery. */
const DELIVERY_HEADER = 'x-belfry-delivery';

/** Who hands a mail over, and to whom; the headers may say something else. */
export interface Envelope {
  readonly from: string;
  readonly recipients: readonly string[];
}

/**
 * Reads a mail (RFC 5322, MIME) as its recipient's program would. The envelope, not the headers, says who gets it.
 * `unreadable` is one that the parser gives up on: a megabyte of headers, a thousand parts.
 */
export async function readMail(raw: Buffer, envelope: Envelope): Promise<ArrivedMessage | 'unreadable'> {
  // The converters only add text that nobody sent, and cost more than the rest of the parsing.
  const options = { skipHtmlToText: true, skipTextToHtml: true, skipTextLinks: true };
  const mail = await simpleParser(raw, options).catch(() => undefined);
  if (mail === undefined) return 'unreadable';
  const headers = headerFields(mail.headerLines);
  const [first, ...others] = envelope.recipients;
  return {
    channel: 'email',
    recipients: [first ?? '', ...others],
    from: envelope.from,
    delivery_id: headers[DELIVERY_HEADER] ?? null,
    ...(mail.messageId === undefined ? {} : { message_id: mail.messageId }),
    subject: mail.subject ?? '',
    text: mail.text ?? '',
    ...(mail.html ? { html: mail.html } : {}),
    headers,
    raw_size: raw.length,
  };
}

function headerFields(
  lines: ReadonlyArray<{ readonly key: string; readonly line: string }>,
): Record<string, string> {
  const fields = new Map<string, string>();
  for (const { key, line } of lines) {
    const value = line
      .slice(line.indexOf(':') + 1)
      .replace(/\r?\n(?=[ \t])/g, '')
      .trim();
    const earlier = fields.get(key);
    fields.set(key, earlier === undefined ? value : `${earlier}\n${value}`);
  }
  return Object.fromEntries(fields);
}
