import type { Request, Response } from 'express';
import { z } from 'zod';

/** How many entries a page of a list has: 1 to 200, 50 when nothing is said. */
export const pageLimit = z.coerce.number('must be a number from 1 to 200').int().min(1).max(200).default(50);

/** The place at which a page begins, as an earlier page told it; `isPlace` says whether it can be one. */
export function cursorOf(isPlace: (text: string) => boolean) {
  return z
    .string()
    .max(128)
    .transform((text) => Buffer.from(text, 'base64url').toString())
    .refine(isPlace, 'must be the cursor of an earlier page')
    .meta({ description: 'Where to go on: from the `Link` of an earlier page' });
}

/** Names the next page in `Link` (RFC 8288): the same call from another place on; null when this page is the last one. */
export function linkNext(req: Request, res: Response, place: string | null): void {
  if (place === null) return;
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(req.query))
    if (typeof value === 'string') query.set(name, value);
  query.set('cursor', Buffer.from(place).toString('base64url'));
  res.set('Link', `<${req.baseUrl}${req.path}?${query}>; rel="next"`);
}

/**
 * Answers with the first `limit` of the rows that were found, in the form that `show` gives them. Whoever asks the ledger
 * asks for one row more than is shown: it says whether there is a next page, which begins after the last id of this one.
 */
export function sendPage<Row extends { readonly id: string }>(
  req: Request,
  res: Response,
  found: readonly Row[],
  { limit, show }: { readonly limit: number; readonly show: (row: Row) => unknown },
): void {
  const shown = found.slice(0, limit);
  linkNext(req, res, found.length > limit ? (shown.at(-1)?.id ?? null) : null);
  res.json(shown.map(show));
}
