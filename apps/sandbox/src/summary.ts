import type { RecordedMessage } from './message.js';

const PREVIEW_LETTERS = 140;

/** A message without its long parts. `preview` is the start of the text, on one line. */
export type MessageSummary = Omit<RecordedMessage, 'html' | 'headers' | 'text'> & {
  readonly preview: string;
};

/** What a list shows of a message. An SMS is short, so its preview is the whole of it. */
export function summaryOf(message: RecordedMessage): MessageSummary {
  const { html: _html, headers: _headers, text, ...rest } = message;
  if (message.channel === 'sms') return { ...rest, preview: text };
  const line = text
    .slice(0, PREVIEW_LETTERS * 2)
    .replace(/\s+/g, ' ')
    .trim();
  return { ...rest, preview: [...line].slice(0, PREVIEW_LETTERS).join('') };
}
