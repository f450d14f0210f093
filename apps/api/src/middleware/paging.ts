import type { Request, Response } from 'express';

/** Names the next page in `Link` (RFC 8288): the same query with another `cursor`. */
export function linkNext(req: Request, res: Response, cursor: string): void {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(req.query))
    if (typeof value === 'string') query.set(name, value);
  query.set('cursor', cursor);
  res.set('Link', `<${req.baseUrl}${req.path}?${query}>; rel="next"`);
}
