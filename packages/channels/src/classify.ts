import { CALLED_OFF, type Outcome, type OutcomeKind } from '@belfry/shared/domain/outcome.js';

/** Every outcome but `sent`. */
export type Failure = Exclude<Outcome, { kind: 'sent' }>;
/** `gone` is `rejected`, and the address is not to be used again. */
type Kind = Exclude<OutcomeKind, 'sent'> | 'gone';

/** The step of an SMTP session that was answered: before the message, its sender, or its recipient and body. */
export type SmtpStage = 'session' | 'sender' | 'message';

/** HTTP status codes (RFC 9110 §15, RFC 6585). The first row that holds the status decides. */
const HTTP: readonly (readonly [first: number, last: number, kind: Kind, says: string])[] = [
  [100, 199, 'ambiguous', 'The provider began to answer and did not finish.'],
  // A success in a form that was not understood: the message may well have been taken.
  [200, 299, 'ambiguous', 'The provider answered with success, but not in the form expected.'],
  [300, 399, 'misconfigured', 'The provider is at another address; the base URL is wrong.'],
  [401, 401, 'misconfigured', 'The provider does not accept the credentials.'],
  [402, 402, 'misconfigured', 'The provider asks for payment.'],
  [403, 403, 'misconfigured', 'The provider does not allow this account to send.'],
  [
    404,
    407,
    'misconfigured',
    'The provider has nothing at this address; the base URL or the account is wrong.',
  ],
  [408, 409, 'retry', 'The provider could not take the request at this moment.'],
  [421, 421, 'retry', 'The provider could not take the request on this connection.'],
  [423, 425, 'retry', 'The provider could not take the request at this moment.'],
  [426, 426, 'misconfigured', 'The provider asks for another protocol.'],
  [429, 429, 'throttled', 'The provider asks to go slower.'],
  [400, 499, 'rejected', 'The provider refused the message.'],
  // A gateway gave up waiting. What is behind it may have gone on and sent the message (RFC 9110 §15.6.5).
  [504, 504, 'ambiguous', 'A gateway of the provider gave up waiting for the answer.'],
  [511, 511, 'misconfigured', 'A network between here and the provider asks for a login.'],
  [500, 599, 'retry', 'The provider has a failure of its own.'],
];

/**
 * SMTP replies: basic codes of RFC 5321 §4.2 and RFC 4954, enhanced codes of RFC 3463 and the IANA registry that RFC 5248 set up.
 * An empty enhanced code or stage means any; a leading `x` stands for both classes. The first row that fits decides.
 */
const SMTP: readonly (readonly [
  first: number,
  last: number,
  enhanced: string,
  stage: SmtpStage | '',
  kind: Kind,
  says: string,
])[] = [
  [400, 599, 'x.4.5', '', 'throttled', 'The mail server is congested.'],
  [400, 599, 'x.7.28', '', 'throttled', 'The mail server sees too much mail from here.'],
  [432, 432, '', '', 'misconfigured', 'The mail server wants the password changed.'],
  [400, 499, '', '', 'retry', 'The mail server could not take the message at this moment.'],
  [503, 503, '', '', 'retry', 'The mail server lost the thread of the session.'],
  // RFC 3463 §3.3 calls a full mailbox persistent but transient, whatever the class says.
  [500, 599, 'x.2.2', 'message', 'retry', 'The mailbox is full.'],
  [524, 525, '', '', 'misconfigured', 'The mail server does not accept the credentials.'],
  [530, 530, '', '', 'misconfigured', 'The mail server wants a login or encryption first.'],
  [534, 535, '', '', 'misconfigured', 'The mail server does not accept the credentials.'],
  [538, 538, '', '', 'misconfigured', 'The mail server wants encryption before a login.'],
  [500, 599, 'x.7.8', '', 'misconfigured', 'The mail server does not accept the credentials.'],
  [500, 599, 'x.7.9', '', 'misconfigured', 'The mail server wants a stronger way to log in.'],
  [500, 599, 'x.7.10', '', 'misconfigured', 'The mail server wants encryption.'],
  [500, 599, 'x.7.11', '', 'misconfigured', 'The mail server wants encryption.'],
  [500, 599, 'x.7.13', '', 'misconfigured', 'The account on the mail server is disabled.'],
  [500, 599, 'x.7.14', '', 'misconfigured', 'The mail server does not trust this host.'],
  [500, 599, 'x.7.20', '', 'misconfigured', 'The mail server wants a DKIM signature.'],
  [500, 599, 'x.7.21', '', 'misconfigured', 'The mail server does not accept the DKIM signature.'],
  [500, 599, 'x.7.22', '', 'misconfigured', 'The DKIM signature is not of the sender’s domain.'],
  [500, 599, 'x.7.23', '', 'misconfigured', 'The sender’s domain does not let this host send (SPF).'],
  [500, 599, 'x.7.24', '', 'misconfigured', 'The SPF record of the sender’s domain is broken.'],
  [500, 599, 'x.7.25', '', 'misconfigured', 'The sending host has no valid reverse DNS.'],
  [500, 599, 'x.7.26', '', 'misconfigured', 'The sender’s domain fails SPF, DKIM or DMARC.'],
  [500, 599, 'x.7.27', '', 'misconfigured', 'The sender’s domain takes no mail.'],
  [500, 599, 'x.1.7', '', 'misconfigured', 'The mail server does not accept the sender address.'],
  [500, 599, 'x.1.8', '', 'misconfigured', 'The mail server does not accept the sender’s domain.'],
  // Nothing was said about the message yet, so it cannot be the message that is refused.
  [500, 599, '', 'session', 'misconfigured', 'The mail server does not talk to this host.'],
  [552, 552, '', '', 'rejected', 'The message is too big for the mail server.'],
  [500, 599, 'x.3.4', '', 'rejected', 'The message is too big for the mail server.'],
  [500, 599, '', 'sender', 'misconfigured', 'The mail server does not accept the sender address.'],
  [500, 599, 'x.1.1', '', 'gone', 'There is no such mailbox.'],
  [500, 599, 'x.1.2', '', 'gone', 'There is no such mail domain.'],
  [500, 599, 'x.1.6', '', 'gone', 'The mailbox has moved away.'],
  [500, 599, 'x.1.10', '', 'gone', 'The domain takes no mail.'],
  [500, 599, 'x.2.1', '', 'gone', 'The mailbox is disabled.'],
  [556, 556, '', '', 'gone', 'The domain takes no mail.'],
  [500, 599, 'x.7.1', '', 'rejected', 'The mail server’s policy forbids the message.'],
  [554, 554, '', '', 'rejected', 'The mail server refused the message.'],
  [550, 553, '', '', 'rejected', 'The mail server refused the mailbox.'],
  [500, 599, '', '', 'rejected', 'The mail server refused the message.'],
];

/** Twilio's own codes (its error dictionary); one that is not here is judged by its HTTP status. */
const TWILIO: Readonly<Record<number, readonly [kind: Kind, says: string]>> = {
  14107: ['throttled', 'Twilio asks to go slower.'],
  20003: ['misconfigured', 'Twilio does not accept the credentials.'],
  20005: ['misconfigured', 'The Twilio account is not active.'],
  20404: ['misconfigured', 'Twilio does not know the account or the address asked for.'],
  20429: ['throttled', 'Twilio asks to go slower.'],
  21211: ['gone', 'The number is not a valid phone number.'],
  21212: ['misconfigured', 'TWILIO_FROM is not a valid sender.'],
  21214: ['rejected', 'The number cannot be reached.'],
  21408: ['rejected', 'The Twilio account may not send to this region.'],
  21601: ['misconfigured', 'TWILIO_FROM cannot send text messages.'],
  21602: ['rejected', 'The message has no text.'],
  21603: ['misconfigured', 'Twilio wants a sender.'],
  21604: ['rejected', 'The message has no recipient.'],
  21606: [
    'misconfigured',
    'TWILIO_FROM is not a number of this Twilio account, or cannot send text messages.',
  ],
  21608: ['misconfigured', 'A Twilio trial account sends only to numbers verified in its console.'],
  21610: ['gone', 'The person has opted out with STOP.'],
  21611: ['throttled', 'The queue of the sender is full at Twilio.'],
  21612: ['rejected', 'Twilio cannot reach this number from this sender.'],
  21614: ['gone', 'The number is not a mobile number.'],
  21617: ['rejected', 'The text is longer than 1600 characters.'],
  21635: ['gone', 'The number is a landline.'],
  21659: ['misconfigured', 'TWILIO_FROM is not a number of this Twilio account.'],
  21660: ['misconfigured', 'TWILIO_FROM belongs to another Twilio account.'],
  21701: ['misconfigured', 'The Twilio messaging service does not exist.'],
  21703: ['misconfigured', 'The Twilio messaging service has no sender.'],
  21704: ['misconfigured', 'The Twilio messaging service has no sender.'],
  21705: ['misconfigured', 'The Twilio messaging service is not valid.'],
  30001: ['throttled', 'The queue of the account is full at Twilio.'],
  30002: ['misconfigured', 'The Twilio account is suspended.'],
  63038: ['throttled', 'The Twilio account has reached its daily limit.'],
};

/** `error.code` of Node, its TLS, and the SDKs. All mean that no answer came; what is not here is worded in general. */
const NO_ANSWER: Readonly<Record<string, string>> = {
  timeout: 'No answer came in time.',
  aborted: 'The attempt was called off.',
  ECONNREFUSED: 'Nobody listens at the provider’s address.',
  ECONNRESET: 'The provider dropped the connection.',
  ECONNECTION: 'The provider closed the connection.',
  ECONNABORTED: 'The connection was given up.',
  EPIPE: 'The provider closed the connection.',
  ESOCKET: 'The connection failed.',
  ETIMEDOUT: 'No answer came in time.',
  EHOSTUNREACH: 'There is no route to the provider.',
  ENETUNREACH: 'There is no route to the provider.',
  ENOTFOUND: 'The provider’s name does not resolve.',
  EDNS: 'The provider’s name does not resolve.',
  EAI_AGAIN: 'The name server did not answer.',
  ETLS: 'Encryption could not be set up.',
  EPROTO: 'Encryption could not be set up.',
  CERT_HAS_EXPIRED: 'The provider’s certificate has expired.',
  CERT_NOT_YET_VALID: 'The provider’s certificate is not valid yet.',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'The provider’s certificate is self-signed.',
  SELF_SIGNED_CERT_IN_CHAIN: 'The provider’s certificate chain is self-signed.',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'The provider’s certificate has an unknown issuer.',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'The provider’s certificate has an unknown issuer.',
  ERR_TLS_CERT_ALTNAME_INVALID: 'The provider’s certificate is for another name.',
  malformed: 'The provider’s answer was not understood.',
  EPROTOCOL: 'The provider’s answer was not understood.',
};

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
 * A full or busy mailbox (450, x.1.x and x.2.x of RFC 3463) and a request that only this message made (HTTP 409, 423 to 425)
 * are not.
 */
export function isProvidersFault({ kind, code }: Outcome): boolean {
  if (kind !== 'retry' && kind !== 'ambiguous') return false;
  return code !== CALLED_OFF && !OF_ONE_MESSAGE.test(code);
}

const OF_ONE_MESSAGE = /^(4\d\d|5\d\d) [45]\.[12]\.\d+$|^(450|552)$|^http-(409|423|424|425)$/;

function failure(kind: Kind, code: string, error: string, afterMs?: number): Failure {
  if (kind === 'retry' || kind === 'throttled')
    return { kind, code, error, ...(afterMs === undefined ? {} : { afterMs }) };
  if (kind === 'gone') return { kind: 'rejected', code, error, suppress: true };
  return { kind, code, error };
}
