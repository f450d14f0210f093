import { CALLED_OFF, type Outcome } from '@belfry/shared/domain/outcome.js';
import {
  FCM,
  HTTP,
  type Kind,
  NO_ANSWER,
  SES,
  SMTP,
  type SmtpStage,
  TOKEN,
  TWILIO,
  WEB_PUSH,
  WEBHOOK,
} from './answer-tables.js';

/** Every outcome but `sent`. */
export type Failure = Exclude<Outcome, { kind: 'sent' }>;
export type { SmtpStage };

/** No provider is believed when it asks to wait longer than this, in milliseconds. */
export const MAX_RETRY_AFTER_MS = 3_600_000;

/** Judges a final HTTP answer; a 2xx is judged here only when its body was not understood. `retryAfter` is the header as it came. */
export function byHttpStatus(status: number, retryAfter?: string, now: Date = new Date()): Failure {
  const row = HTTP.find(([first, last]) => status >= first && status <= last);
  if (row === undefined) return byMissingAnswer('malformed', true);
  return failure(row[2], `http-${status}`, row[3], parseRetryAfter(retryAfter, now));
}

/** Judges a Twilio error by its own code, or by the HTTP status when Twilio gave none that is known. */
export function byTwilioCode(
  code: unknown,
  status: number,
  retryAfter?: string,
  now: Date = new Date(),
): Failure {
  const row = typeof code === 'number' && Object.hasOwn(TWILIO, code) ? TWILIO[code] : undefined;
  if (row === undefined) return byHttpStatus(status, retryAfter, now);
  return failure(row[0], `twilio-${code}`, row[1], parseRetryAfter(retryAfter, now));
}

/** Judges an error of Amazon SES by its name, or by the HTTP status when its name is not known. */
export function bySesError(
  name: unknown,
  status: number,
  retryAfter?: string,
  now: Date = new Date(),
): Failure {
  const row = typeof name === 'string' && Object.hasOwn(SES, name) ? SES[name] : undefined;
  if (row === undefined) return byHttpStatus(status, retryAfter, now);
  return failure(row[0], `ses-${name}`, row[1], parseRetryAfter(retryAfter, now));
}

/** Judges what the receiver of a webhook answered: any 2xx is a yes, whatever is in its body. */
export function byWebhookStatus(status: number, retryAfter?: string, now: Date = new Date()): Outcome {
  const code = `http-${status}`;
  if (status >= 200 && status <= 299) return { kind: 'sent', code };
  const row = WEBHOOK.find(([first, last]) => status >= first && status <= last);
  if (row === undefined) return byMissingAnswer('malformed', true);
  return failure(row[2], code, row[3], parseRetryAfter(retryAfter, now));
}

/** Judges what a browser's push service answered; undefined for the success that RFC 8030 §5 knows. */
export function byWebPushStatus(
  status: number,
  retryAfter?: string,
  now: Date = new Date(),
): Failure | undefined {
  if (status >= 200 && status <= 299) return undefined;
  const row = WEB_PUSH.find(([first, last]) => status >= first && status <= last);
  if (row === undefined) return byMissingAnswer('malformed', true);
  return failure(row[2], `http-${status}`, row[3], parseRetryAfter(retryAfter, now));
}

/** Judges an error of FCM by its own code, or by the HTTP status when it gave none that is known. */
export function byFcmError(
  code: unknown,
  status: number,
  retryAfter?: string,
  now: Date = new Date(),
): Failure {
  const row = typeof code === 'string' && Object.hasOwn(FCM, code) ? FCM[code] : undefined;
  if (row === undefined) return byHttpStatus(status, retryAfter, now);
  return failure(row[0], `fcm-${code}`, row[1], parseRetryAfter(retryAfter, now));
}

/** Judges a token endpoint that gave no token. */
export function byTokenStatus(status: number, retryAfter?: string, now: Date = new Date()): Failure {
  const row = [...TOKEN, ...HTTP].find(([first, last]) => status >= first && status <= last);
  if (row === undefined) return byMissingAnswer('malformed', false);
  return failure(row[2], `token-http-${status}`, row[3], parseRetryAfter(retryAfter, now));
}

/**
 * Judges an SMTP reply by its first line. Undefined for a reply that is no refusal (1xx to 3xx) or no reply at all:
 * whether that is ambiguous depends on what was sent before it.
 */
export function bySmtpReply(reply: string, stage: SmtpStage): Failure | undefined {
  const parts = /^([45]\d{2})(?:[ -](?:([245]\.\d{1,3}\.\d{1,3})(?![\d.]))?|$)/.exec(reply);
  if (parts?.[1] === undefined) return undefined;
  const basic = Number(parts[1]);
  const enhanced = parts[2];
  const anyClass = enhanced?.replace(/^\d/, 'x');
  const row = SMTP.find(
    ([first, last, code, at]) =>
      basic >= first && basic <= last && (code === '' || code === anyClass) && (at === '' || at === stage),
  );
  if (row === undefined) return undefined;
  return failure(row[4], enhanced === undefined ? parts[1] : `${parts[1]} ${enhanced}`, row[5]);
}

/**
 * Judges an attempt that got no answer, by `error.code`: ambiguous once the message was handed over, to be tried again before.
 * Only what looks like a code is passed on, so that no address or secret can ride along.
 */
export function byMissingAnswer(code: unknown, handedOver: boolean): Failure {
  const known =
    typeof code === 'string' && (Object.hasOwn(NO_ANSWER, code) || /^[A-Z][A-Z0-9_]{2,40}$/.test(code));
  const name = known ? code : 'unknown-error';
  const says = NO_ANSWER[name] ?? 'The connection to the provider failed.';
  return failure(handedOver ? 'ambiguous' : 'retry', name, says);
}

/** `Retry-After` (RFC 9110 §10.2.3): seconds or an HTTP date, as milliseconds from `now`, within 0 and one hour. */
export function parseRetryAfter(header: string | undefined, now: Date = new Date()): number | undefined {
  const text = header?.trim() ?? '';
  const ms = /^\d+$/.test(text)
    ? Number(text) * 1000
    : // Only the form that RFC 9110 tells senders to use: Date.parse alone would take almost anything.
      /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text)
      ? Date.parse(text) - now.getTime()
      : Number.NaN;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS);
}

/**
 * True for a failure that says something about the provider and not about one recipient or message: others would meet it too.
 * A full or busy mailbox (450, x.1.x and x.2.x of RFC 3463), a request that only this message made (HTTP 409, 423 to 425) and
 * what FCM says of Apple's part are not.
 */
export function isProvidersFault({ kind, code }: Outcome): boolean {
  if (kind !== 'retry' && kind !== 'ambiguous') return false;
  return code !== CALLED_OFF && !OF_ONE_MESSAGE.test(code);
}

const OF_ONE_MESSAGE =
  /^(4\d\d|5\d\d) [45]\.[12]\.\d+$|^(450|552)$|^http-(409|423|424|425)$|^fcm-THIRD_PARTY_AUTH_ERROR$/;

function failure(kind: Kind, code: string, error: string, afterMs?: number): Failure {
  if (kind === 'retry' || kind === 'throttled')
    return { kind, code, error, ...(afterMs === undefined ? {} : { afterMs }) };
  if (kind === 'gone') return { kind: 'rejected', code, error, suppress: true };
  return { kind, code, error };
}
