import { z } from 'zod';
import { CHANNELS, PRIORITIES } from '../domain/channel.js';
import { hasControl } from '../domain/control.js';

/*
 * What outsiders may write, and what they are told when they write something else. The `meta` of a field is its text in
 * the API's own document; a component of that document has an `id`.
 */

/** One line of text, without control characters: it may stand in a header. */
export function line(most: number) {
  return z
    .string()
    .min(1, 'must not be empty')
    .max(most, `must have at most ${most} characters`)
    .refine((text) => !hasControl(text), 'must not contain control characters or line breaks');
}

/** Running text; line breaks are welcome. */
export function prose(most: number) {
  return z.string().min(1, 'must not be empty').max(most, `must have at most ${most} characters`);
}

/** The ids that applications give: people, groups, events, policies. */
export const externalId = z
  .string()
  .regex(/^[A-Za-z0-9._\-:@]{1,128}$/, 'must be 1 to 128 letters, digits or any of . _ - : @')
  .meta({ description: '1 to 128 letters, digits or any of . _ - : @' });

/** A mailbox as in RFC 5321, without a display name. */
export const emailAddress = z
  .email('must be an email address such as name@example.org')
  .max(254)
  .meta({ description: 'An email address such as name@example.org, without a display name' });

/** A telephone number in international form, ITU-T E.164: a plus sign and 7 to 15 digits. */
export const phoneNumber = z
  .string()
  .regex(/^\+[1-9]\d{6,14}$/, 'must be a phone number in E.164 form such as +251911000001')
  .meta({ description: 'A phone number in E.164 form such as +251911000001' });

/** A BCP 47 language tag that names a language. */
export const locale = z
  .string()
  .max(35)
  .refine((tag) => {
    try {
      return Intl.getCanonicalLocales(tag).length === 1;
    } catch {
      return false;
    }
  }, 'must be a BCP 47 language tag such as en, am or om-ET')
  .meta({ description: 'A BCP 47 language tag such as en, am or om-ET' });

/** An IANA time zone. */
export const timezone = z
  .string()
  .max(64)
  .refine((zone) => {
    try {
      // An offset such as +03:00 is taken by Intl, but is no zone: it knows no summer time.
      return /^[A-Za-z]/.test(zone) && new Intl.DateTimeFormat('en', { timeZone: zone }) !== undefined;
    } catch {
      return false;
    }
  }, 'must be an IANA time zone such as Africa/Addis_Ababa')
  .meta({ description: 'An IANA time zone such as Africa/Addis_Ababa' });

/** `HH:MM`, by the clock on a wall. */
export const timeOfDay = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of the day such as 22:00')
  .meta({ description: 'A time of the day such as 22:00' });

const A_WEBHOOK_URL = 'must be an https:// or http:// URL without credentials and without a fragment';

/** Where the webhook channel reaches a person: no password in it, and nothing behind a `#`, which is never sent. */
export const webhookUrl = z
  .string()
  .max(2_048, 'must have at most 2048 characters')
  .regex(/^[Hh][Tt]{2}[Pp][Ss]?:\/\/[^\s\p{Cc}#]+$/u, { error: A_WEBHOOK_URL, abort: true })
  .refine((text) => {
    const url = URL.parse(text);
    return url !== null && url.username === '' && url.password === '';
  }, A_WEBHOOK_URL)
  .meta({ description: 'An https:// or http:// URL without credentials and without a fragment' });

export const priority = z
  .enum(PRIORITIES, `must be one of ${PRIORITIES.join(', ')}`)
  .meta({ id: 'Priority', description: 'How urgent it is; each priority has queues of its own' });

export const channel = z
  .enum(CHANNELS, `must be one of ${CHANNELS.join(', ')}`)
  .meta({ id: 'Channel', description: 'A way to reach a person' });

export const channelList = z
  .array(channel)
  .min(1, 'must name at least one channel')
  .max(CHANNELS.length)
  .transform((channels) => [...new Set(channels)]);

const WRITTEN = 'ISO 8601 with a time zone, such as 2027-03-01T09:00:00Z, or epoch seconds';
const A_TIME = `must be a time: ${WRITTEN}`;
const FURTHEST_MS = 2 * 366 * 24 * 60 * 60 * 1000;
const EPOCH_SECONDS = /^\d{1,12}(\.\d{1,9})?$/;
const LAST_OF_9999 = Date.UTC(10_000, 0) - 1;
const ISO = /^(\d{4}-\d\d-\d\d)T([01]\d|2[0-3]):\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)$/;

/** Said of the number and of the string in turn. */
const A_MOMENT_IS = { minimum: 0, exclusiveMaximum: 1e12, pattern: `${EPOCH_SECONDS.source}|${ISO.source}` };

/** A moment, as ISO 8601 or epoch seconds; from 1970 on, and at most two years away. */
export const moment = momentBefore(() => Date.now() + FURTHEST_MS, 'must be at most two years away').meta({
  id: 'Moment',
  description: `A time: ${WRITTEN}; at most two years away`,
  ...A_MOMENT_IS,
});

/** The same, as far away as may be, for what is asked and not waited for: until the year 9999. */
export const anyMoment = momentBefore(() => LAST_OF_9999, 'must be before the year 10000').meta({
  id: 'AnyMoment',
  description: `A time: ${WRITTEN}; from 1970 to 9999`,
  ...A_MOMENT_IS,
});

function momentBefore(end: () => number, message: string) {
  return z.union([z.number(), z.string()], A_TIME).transform((given, context) => {
    const at = parseMoment(given);
    if (at === null) context.addIssue({ code: 'custom', message: A_TIME });
    else if (at.getTime() > end()) context.addIssue({ code: 'custom', message });
    else return at;
    return z.NEVER;
  });
}

function parseMoment(given: number | string): Date | null {
  const text = String(given);
  if (EPOCH_SECONDS.test(text)) return new Date(Number(text) * 1000);
  const day = ISO.exec(text)?.[1];
  const at = new Date(text);
  // False for an invalid date too. PostgreSQL has no year 0, and nothing here is older than the epoch.
  return day !== undefined && at.getTime() >= 0 && isDay(day) ? at : null;
}

/** JavaScript takes the 30th of February for the 2nd of March. */
function isDay(day: string): boolean {
  return new Date(`${day}T00:00:00Z`).toISOString().startsWith(day);
}

/** An object of anything that JSON can say. */
export const record = z.record(z.string(), z.unknown()).meta({ description: 'Anything that JSON can say' });
