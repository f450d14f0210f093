/*
 * What comes from a server may hold anything that somebody once sent to it. A terminal obeys control characters, and shows
 * a line with direction marks in another order than it is read: both are shown as what they are instead.
 */
const UNSEEN = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;
const UNSEEN_BUT_LINES = /(?![\n\t])[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/** `text` on one line, with everything that a terminal would obey spelled as `\u001b`. */
export function visible(text: string): string {
  return text.replace(UNSEEN, spelled);
}

/** The same for running text: line breaks and tabs stay. */
export function visibleLines(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(UNSEEN_BUT_LINES, spelled);
}

/** JSON that says the same and that a terminal can be trusted with: JSON itself escapes only a part of them. */
export function visibleJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(UNSEEN_BUT_LINES, spelled);
}

function spelled(letter: string): string {
  if (letter === '\n') return '\\n';
  return `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
