import { isUtf8 } from 'node:buffer';
import { type FieldError, invalid, Refusal } from '@belfry/shared/domain/refusal.js';
import express, { type RequestHandler } from 'express';

/** How deep a body may be nested. */
const DEEPEST = 32;

/**
 * Reads a JSON body and refuses what would do harm further in: invalid UTF-8, NUL characters and lone surrogates, which
 * PostgreSQL cannot store, keys that reach for an object's prototype, and bottomless nesting.
 *
 * @param most bytes, as `256kb`.
 */
export function jsonBody(most: string): RequestHandler[] {
  return [
    ...anyJsonBody(most),
    (req, _res, next) => {
      const wrong = unsafeIn(req.body);
      if (wrong !== null) throw invalid([wrong], undefined, 'unsafe_json');
      next();
    },
  ];
}

/** The same for whoever sees to what is inside: only what is no JSON, or no UTF-8, is refused. */
export function anyJsonBody(most: string): RequestHandler[] {
  return [
    express.json({
      limit: most,
      strict: true,
      verify: (_req, _res, bytes) => {
        if (!isUtf8(bytes)) throw new Error('The body is not valid UTF-8.');
      },
    }),
    (req, _res, next) => {
      const written =
        Number(req.headers['content-length'] ?? 0) > 0 || req.headers['transfer-encoding'] !== undefined;
      if (req.body === undefined && written) {
        throw new Refusal(
          'unsupported_media_type',
          'Send JSON, with the header Content-Type: application/json.',
        );
      }
      next();
    },
  ];
}

/** The first thing in parsed JSON that would do harm further in, or null. */
export function unsafeIn(value: unknown): FieldError | null {
  return firstWrong(value, '', 0);
}

function firstWrong(value: unknown, path: string, depth: number): FieldError | null {
  if (typeof value === 'string') return wrongText(value, path);
  if (typeof value !== 'object' || value === null) return null;
  if (depth >= DEEPEST) return { path, message: `must not be nested deeper than ${DEEPEST} levels` };
  for (const [key, inner] of Object.entries(value)) {
    const at = path === '' ? key : `${path}.${key}`;
    if (key === '__proto__') return { path: at, message: 'is not an allowed name' };
    const wrong = wrongText(key, path) ?? firstWrong(inner, at, depth + 1);
    if (wrong !== null) return wrong;
  }
  return null;
}

function wrongText(text: string, path: string): FieldError | null {
  if (text.includes('\u0000')) return { path, message: 'must not contain NUL characters' };
  if (!text.isWellFormed()) return { path, message: 'must not contain lone surrogates' };
  return null;
}
