import { z } from 'zod';

const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'));

/** A required text of 1 to `max` UTF-16 units, without the blanks around it. */
export function text(max = 300): z.ZodString {
  return z.string().trim().min(1, 'it must not be empty').max(max, `it may have ${max} characters at most`);
}

/** A text that may be left out; null and an empty one count as left out. */
export function optionalText(max = 300) {
  return z
    .string()
    .trim()
    .max(max, `it may have ${max} characters at most`)
    .nullish()
    .transform((value) => value || undefined);
}

/** A finite number. What it is a number of is said by a variable beside it. */
export function amount(): z.ZodNumber {
  return z.number();
}

/** A currency code of ISO 4217 in either case, upper case afterwards; `fallback` when it is left out. */
export function currency(fallback = 'ETB') {
  return z
    .string()
    .trim()
    .toUpperCase()
    .refine((code) => CURRENCIES.has(code), 'it is not a currency code of ISO 4217, such as ETB or USD')
    .nullish()
    .transform((code) => code ?? fallback);
}
