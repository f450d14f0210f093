import type { Terminal } from '../terminal.js';
import { inColour } from '../text/colours.js';
import { type Shape, tableLines } from '../text/table.js';
import { visibleJson } from '../text/visible.js';
import type { Page } from './options.js';

/** How a list is shown: a head, and a row for each of its items. */
export interface Listing<Item> extends Shape {
  readonly head: readonly string[];
  readonly row: (item: Item) => readonly string[];
  /** A word of the row that has a colour of its own. */
  readonly state?: (item: Item) => string;
  /** Said when there is nothing. */
  readonly none: string;
}

/** Rows that are lined up together. A longer list is shown in blocks, so that it need not be held whole. */
const BLOCK = 200;

/**
 * Shows as many items as are wanted: as a table, or with `--json` as one array, written while it comes, with an item on
 * each line.
 */
export async function showList<Item>(
  terminal: Terminal,
  items: AsyncIterable<Item>,
  page: Page,
  listing: Listing<Item>,
): Promise<void> {
  const most = page.all === true ? Infinity : page.limit;
  let shown = 0;
  let more = false;
  let block: Item[] = [];
  const flush = () => {
    const lines = tableLines(listing.head, block.map(listing.row), terminal.width, listing);
    const [head = '', ...rows] = lines;
    if (shown <= BLOCK) terminal.line(terminal.paint('bold', head));
    for (const [index, row] of rows.entries()) {
      const item = block[index];
      const word = item === undefined ? '' : (listing.state?.(item) ?? '');
      terminal.line(word === '' ? row : row.replace(word, () => inColour(terminal, word)));
    }
    block = [];
  };
  for await (const item of items) {
    if (shown === most) {
      more = true;
      break;
    }
    if (terminal.json) terminal.raw(`${shown === 0 ? '[' : ','}\n${visibleJson(item)}`);
    else block.push(item);
    shown += 1;
    if (block.length === BLOCK) flush();
  }
  if (terminal.json) terminal.raw(shown === 0 ? '[]\n' : '\n]\n');
  else if (block.length > 0) flush();
  if (shown === 0) terminal.note(listing.none);
  if (more) terminal.note('There are more; --limit and --all show them.');
}
