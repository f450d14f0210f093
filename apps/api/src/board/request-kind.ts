import type { Request } from 'express';

/** A request that can change nothing. */
export function onlyReads(req: Request): boolean {
  return req.method === 'GET' || req.method === 'HEAD';
}

/** What the board's page asks for by itself, and programs: below `/api`, or one of the page's own files. */
export function isForPrograms(req: Request): boolean {
  return /^\/(api|static)(\/|$)/i.test(req.path);
}

/** Somebody who is best answered with a page: not a program that brings a token, nor one that asks for JSON. */
export function prefersPages(req: Request): boolean {
  const program = isForPrograms(req) || /^Bearer\b/i.test(req.get('Authorization') ?? '');
  return !program && req.accepts(['html', 'json']) === 'html';
}
