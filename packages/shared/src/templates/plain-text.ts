const CONTROLS = /[^\P{Cc}\n\t]/gu;
const SPACES = /[\u00a0\u2000-\u200a\u202f\u205f]/g;
const graphemes = new Intl.Segmenter('und', { granularity: 'grapheme' });

/** For a mail's parts: no control characters but line ends and tabs, one kind of line end, nothing around it. */
export function toDocument(rendered: string): string {
  return rendered.replace(/\r\n?/g, '\n').replace(CONTROLS, '').trim();
}

/**
 * For a phone: besides, every kind of space is the plain one. Intl puts a no-break space between currency and amount,
 * and one letter outside GSM 03.38 makes a text message of 160 letters one of 70.
 */
export function toShortText(rendered: string): string {
  const plain = toDocument(rendered).replace(SPACES, ' ');
  return plain.replace(/[ \t]+$/gm, '').replace(/\n{3,}/g, '\n\n');
}

/** For a subject or a title: one line, every run of blanks, line ends and control characters is one space. */
export function toLine(rendered: string): string {
  return rendered.replace(/[\p{Cc}\s\u2028\u2029]+/gu, ' ').trim();
}

/** At most `limit` letters as a reader counts them; where something was cut off, three of them are dots. */
export function shorten(text: string, limit: number): string {
  if (text.length <= limit) return text;
  let kept = '';
  let count = 0;
  for (const { segment } of graphemes.segment(text)) {
    count += 1;
    if (count > limit) return `${kept.trimEnd()}...`;
    if (count <= limit - 3) kept += segment;
  }
  return text;
}
