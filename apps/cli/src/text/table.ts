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

/** How a table gives way where it does not fit. */
export interface Shape {
  /** Columns that are never cut, such as an id that is to be copied. */
  readonly whole?: readonly string[];
  /** Columns that are left out when cutting the others is not enough, the first of them first. */
  readonly spare?: readonly string[];
}

/**
 * Rows below a head, in columns that are as wide as they must be. Where that is more than `width`, the widest columns are
 * cut, but never below ten; without a `width` nothing is cut, since a file or a pipe has room.
 */
export function tableLines(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  width: number | undefined,
  { whole = [], spare = [] }: Shape = {},
): string[] {
  const natural = head.map((name, column) =>
    Math.max(widthOf(name), ...rows.map((row) => widthOf(row[column] ?? ''))),
  );
  const widths = width === undefined ? natural : narrowed(natural, head, width, { whole, spare });
  return [head, ...rows].map((row) =>
    row
      .flatMap((cell, column) => {
        const room = widths[column] ?? 0;
        return room === 0 ? [] : [padded(fitted(cell, room), room)];
      })
      .join('  ')
      .trimEnd(),
  );
}

const NARROWEST = 10;
const GAP = 2;

function takenBy(widths: readonly number[]): number {
  const shown = widths.filter((one) => one > 0);
  return shown.reduce((sum, one) => sum + one, 0) + GAP * (shown.length - 1);
}

function narrowed(
  natural: readonly number[],
  head: readonly string[],
  width: number,
  shape: Required<Shape>,
): number[] {
  const { whole, spare } = shape;
  const widths = [...natural];
  const mayCut = (column: number) => !whole.includes(head[column] ?? '');
  for (let over = takenBy(widths) - width; over > 0; over -= 1) {
    const widest = Math.max(...widths.filter((_, column) => mayCut(column)));
    if (widest <= NARROWEST) break;
    widths[widths.findIndex((one, column) => one === widest && mayCut(column))] = widest - 1;
  }
  const [least, ...rest] = spare;
  if (takenBy(widths) <= width || least === undefined) return widths;
  const without = natural.map((one, column) => (head[column] === least ? 0 : one));
  return narrowed(without, head, width, { whole, spare: rest });
}
