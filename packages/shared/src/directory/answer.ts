import { z } from 'zod';
import { emailAddress, externalId, locale, phoneNumber, timezone } from '../channels/fields.js';
import type { PersonChange } from '../ledger/write-people.js';

/** What is not there, null and an empty text mean the same: the directory has nothing to say. */
function lenient<Field extends z.ZodType>(field: Field) {
  return z.preprocess((value) => (value === '' || value === null ? undefined : value), field.optional());
}

/** `en_US` is what half of the world's programs write for `en-US`. */
const anyLocale = z.preprocess(
  (value) => (typeof value === 'string' ? value.replaceAll('_', '-') : value),
  locale,
);

const answer = z.object({
  email: lenient(emailAddress),
  phone: lenient(phoneNumber),
  locale: lenient(anyLocale),
  preferred_language: lenient(anyLocale),
  timezone: lenient(timezone),
  roles: lenient(z.array(externalId).max(50)),
  active: lenient(z.boolean()),
});

/** What the directory's answer says of a person, or the names of the fields that are wrong. */
export type AnswerRead =
  | { readonly ok: true; readonly change: PersonChange }
  | { readonly ok: false; readonly fields: readonly string[] };

/**
 * Reads an answer; unknown fields are ignored. The directory is the truth for all that it could say, so what it leaves out is
 * empty or has its default, and is not kept from before. A wrong field makes the whole answer unusable: who is told on half a
 * record may be told wrongly, or not at all, and nobody would notice.
 */
export function readAnswer(body: unknown): AnswerRead {
  const parsed = answer.safeParse(body);
  if (!parsed.success) {
    const fields = parsed.error.issues.map(({ path }) => String(path[0] ?? ''));
    return { ok: false, fields: [...new Set(fields)] };
  }
  const { email, phone, locale, preferred_language, timezone, roles, active } = parsed.data;
  return {
    ok: true,
    change: {
      email: email ?? null,
      phone: phone ?? null,
      locale: locale ?? preferred_language ?? 'en',
      timezone: timezone ?? 'UTC',
      roles: roles ?? [],
      active: active ?? true,
    },
  };
}
