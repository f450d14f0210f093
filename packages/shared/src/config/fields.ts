import { z } from 'zod';
import { isPasswordHash } from '../domain/password.js';

/*
 * How settings are spelled in the environment. An empty value counts as not set. Each field has a description, which is
 * also its line in `.env.example` and in the docs; a `secret` is never printed.
 */

/** A whole number within a range. */
export function whole(min: number, max: number) {
  return z
    .string()
    .regex(/^\d+$/, `must be a whole number from ${min} to ${max}`)
    .transform(Number)
    .refine((value) => value >= min && value <= max, `must be a whole number from ${min} to ${max}`);
}

/** A limit such as `1000/60s`, or `off`. */
export interface Limit {
  readonly points: number;
  readonly seconds: number;
}

export const limit = z
  .string()
  .regex(/^(off|[1-9]\d{0,8}\/[1-9]\d{0,5}s)$/, 'must look like 1000/60s, or be "off"')
  .transform((text): Limit | null => {
    const [points, seconds] = text.split('/');
    return seconds === undefined ? null : { points: Number(points), seconds: Number.parseInt(seconds, 10) };
  });

/** A URL of one of these protocols; what is wrong is said without repeating it, since URLs hold passwords. */
export function url(...protocols: string[]) {
  return z.string().refine(
    (text) => {
      const parsed = URL.parse(text);
      return parsed !== null && protocols.includes(parsed.protocol) && parsed.hostname !== '';
    },
    `must be a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
  );
}

/** The hash of a password, as `npm run password-hash` prints it. */
export const passwordHash = z
  .string()
  .refine(isPasswordHash, 'must be a line that "npm run password-hash" has printed, and not a password');
