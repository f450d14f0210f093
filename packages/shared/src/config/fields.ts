import { z } from 'zod';
import { isPasswordHash } from '../domain/password.js';
import { isWebhookSecret } from '../domain/webhook-secret.js';

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

/** Whole days, or `off` for ever. */
export const retention = z.union(
  [z.literal('off').transform(() => null), whole(1, 36_500)],
  'must be a whole number of days from 1 to 36500, or "off"',
);

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

/** Several limits that all hold, such as `1/60s,5/900s`, or `off`. */
export const limits = z
  .string()
  .regex(
    /^(off|[1-9]\d{0,4}\/[1-9]\d{0,5}s(,[1-9]\d{0,4}\/[1-9]\d{0,5}s){0,4})$/,
    'must look like 1/60s,5/900s, or be "off"',
  )
  .transform((text): readonly Limit[] =>
    (text === 'off' ? [] : text.split(',')).flatMap((one) => limit.parse(one) ?? []),
  );

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

/** Where one person is asked for, over HTTP. `{id}` stands for the person's id in the path or the query; without it the id is one more part of the path. */
export const directoryUrl = url('https:', 'http:').refine((text) => {
  const parsed = URL.parse(text);
  return parsed !== null && parsed.username === '' && parsed.hash === '' && /^[^{}]*$/.test(parsed.host);
}, 'must have no credentials and no fragment, and {id} only behind the host');
const SECRETS =
  'set it to whsec_ and the output of: openssl rand -base64 32; while you rotate, to the new and the old one with a space between';

/** What signs webhooks: one secret, or while they are rotated two, the newest first. */
export const webhookSecrets = z
  .string({ error: SECRETS })
  .transform((text, context): readonly string[] => {
    const secrets = text.split(/[\s,]+/).filter((one) => one !== '');
    if (secrets.length >= 1 && secrets.length <= 2 && secrets.every(isWebhookSecret)) return secrets;
    context.addIssue({ code: 'custom', message: SECRETS });
    return z.NEVER;
  })
  .meta({
    description:
      'What webhooks are signed with: `whsec_` and the base64 of 32 random bytes; while you rotate, the new one and the old one with a space between. Workers and API have the same.',
    secret: true,
  });

/** The hash of a password, as `npm run password-hash` prints it. */
export const passwordHash = z
  .string()
  .refine(isPasswordHash, 'must be a line that "npm run password-hash" has printed, and not a password');

/** Origins as browsers send them (RFC 6454 §6.2), with commas between them; `*` alone stands for all. */
export const origins = z.string().transform((text, context): readonly string[] => {
  const listed = text.split(',').map((one) => one.trim().replace(/\/$/, ''));
  const wrong = listed.find((one) => one !== '*' && URL.parse(one)?.origin !== one.toLowerCase());
  if (wrong === undefined) return listed.map((one) => one.toLowerCase());
  context.addIssue({
    code: 'custom',
    message: 'must be origins such as https://app.example.com, with commas between them, or *',
  });
  return z.NEVER;
});
