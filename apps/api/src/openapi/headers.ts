import { z } from 'zod';

/* Headers of answers. */

export const retryAfter = z.int().min(1).meta({ description: 'Seconds after which to call again' });

export const authenticate = z.string().meta({ description: 'How to sign in: a Bearer token' });

export const replayed = z
  .literal('true')
  .optional()
  .meta({ description: 'There when this is the answer to an earlier call with the same Idempotency-Key' });

export const nextPage = z
  .string()
  .optional()
  .meta({ description: 'The next page, if there is one: `<…>; rel="next"` (RFC 8288)' });

export const etag = z.string().optional().meta({ description: 'For `If-None-Match`' });
