import stringWidth from 'string-width';

/** How many columns a terminal gives to `text`: marks over a letter take none, wide letters take two. */
export function widthOf(text: string): number {
  return stringWidth(text);
}

/** `text` with blanks up to a width. */
export function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}

const LETTERS = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** As much of `text` as has room; an ellipsis says that there is more. */
export function fitted(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let kept = '';
  let used = 0;
  for (const { segment } of LETTERS.segment(text)) {
    used += widthOf(segment);
    if (used > width - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}

/**
 * Rows below a head, in columns that are as wide as they must be. What does not fit into `width` is cut off the columns
 * that are widest, but never below ten; without a `width` nothing is cut, since a file or a pipe has room.
 */
export function tableLines(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  width: number | undefined,
): string[] {
  const widths = head.map((name, column) =>
    Math.max(widthOf(name), ...rows.map((row) => widthOf(row[column] ?? ''))),
  );
  if (width !== undefined) narrow(widths, width - 2 * (head.length - 1));
  return [head, ...rows].map((row) =>
    head
      .map((_, column) => padded(fitted(row[column] ?? '', widths[column] ?? 0), widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

const NARROWEST = 10;

function narrow(widths: number[], room: number): void {
  let over = widths.reduce((sum, one) => sum + one, 0) - room;
  while (over > 0) {
    const widest = Math.max(...widths);
    if (widest <= NARROWEST) return;
    widths[widths.indexOf(widest)] = widest - 1;
    over -= 1;
  }
}
