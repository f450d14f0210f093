import { isId } from '@belfry/shared/domain/ids.js';
import type { Request, Response } from 'express';
import { z } from 'zod';

/** How many rows a page has: 1 to 200, 50 when nothing is said. */
export const pageSize = z.coerce.number('must be a number from 1 to 200').int().min(1).max(200).default(50);

/** Where the page before ended, as its `Link` header gave it: the id of its last row. */
export const idCursor = z
  .string()
  .max(64)
  .transform((text) => Buffer.from(text, 'base64url').toString())
  .refine(isId, 'must be the cursor of an earlier page');

/**
 * Answers with the first `limit` of the rows that were found, and names the next page (RFC 8288) when there are more:
 * whoever asks the ledger asks for one row more than is shown.
 */
export function sendPage<Row>(
  req: Request,
  res: Response,
  found: readonly Row[],
  { limit, cursorOf, show }: { limit: number; cursorOf: (row: Row) => string; show: (row: Row) => unknown },
): void {
  const shown = found.slice(0, limit);
  const last = shown.at(-1);
  if (found.length > limit && last !== undefined)
    res.set('Link', `<${nextPage(req, cursorOf(last))}>; rel="next"`);
  res.json(shown.map(show));
}

/** The cursor that {@link idCursor} reads. */
export function cursorOfId(id: string): string {
  return Buffer.from(id).toString('base64url');
}

function nextPage(req: Request, cursor: string): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(req.query))
    if (typeof value === 'string') query.set(name, value);
  query.set('cursor', cursor);
  return `${req.baseUrl}${req.path}?${query}`;
}
