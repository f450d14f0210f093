import type { OutcomeKind } from '@belfry/shared/domain/outcome.js';

/*
 * What every answer of every provider means, as data; `classify.ts` reads it. The first row that fits decides.
 */

/** `gone` is `rejected`, and the address is not to be used again. */
export type Kind = Exclude<OutcomeKind, 'sent'> | 'gone';

/** The step of an SMTP session that was answered: before the message, its sender, or its recipient and body. */
export type SmtpStage = 'session' | 'sender' | 'message';

type StatusTable = readonly (readonly [first: number, last: number, kind: Kind, says: string])[];

/** HTTP status codes (RFC 9110 §15, RFC 6585). The first row that holds the status decides. */
export const HTTP: StatusTable = [
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
 * HTTP status codes of a person's own webhook receiver, other than success. What it refuses is its own affair and never ours,
 * and may be mended there at any time; only what it says of this one message, or of its address, is final.
 */
export const WEBHOOK: StatusTable = [
  [100, 199, 'ambiguous', 'The receiver began to answer and did not finish.'],
  [300, 399, 'retry', 'The receiver points to another address; redirects are not followed.'],
  [400, 400, 'rejected', 'The receiver refused the message.'],
  [408, 409, 'retry', 'The receiver could not take the request at this moment.'],
  // Standard Webhooks: whoever answers so wants no more of them.
  [410, 410, 'gone', 'The receiver takes no more webhooks at this address.'],
  [411, 411, 'rejected', 'The receiver refused the message.'],
  [413, 417, 'rejected', 'The receiver refused the message.'],
  [422, 422, 'rejected', 'The receiver refused the message.'],
  [429, 429, 'throttled', 'The receiver asks to go slower.'],
  [431, 431, 'rejected', 'The receiver refused the message.'],
  [451, 451, 'rejected', 'The receiver refused the message.'],
  [400, 499, 'retry', 'The receiver takes no webhooks at this address for now.'],
  [504, 504, 'ambiguous', 'A gateway of the receiver gave up waiting for the answer.'],
  [500, 599, 'retry', 'The receiver has a failure of its own.'],
];

/**
 * HTTP status codes of a browser's push service, other than success (RFC 8030, RFC 8292 §2). What it says of a subscription is
 * final; what it says of our key may be mended.
 */
export const WEB_PUSH: StatusTable = [
  [100, 199, 'ambiguous', 'The push service began to answer and did not finish.'],
  [300, 399, 'retry', 'The push service points to another address; redirects are not followed.'],
  [401, 401, 'misconfigured', 'The push service does not accept the VAPID key or its signature.'],
  [403, 403, 'misconfigured', 'The subscription was made with another VAPID key, or its signature is wrong.'],
  [404, 404, 'gone', 'The push service knows no such subscription.'],
  [408, 409, 'retry', 'The push service could not take the request at this moment.'],
  [410, 410, 'gone', 'The subscription has ended.'],
  [413, 413, 'rejected', 'The message is too long for the push service.'],
  [421, 421, 'retry', 'The push service could not take the request on this connection.'],
  [423, 425, 'retry', 'The push service could not take the request at this moment.'],
  [429, 429, 'throttled', 'The push service asks to go slower.'],
  [400, 499, 'rejected', 'The push service refused the message.'],
  [504, 504, 'ambiguous', 'A gateway of the push service gave up waiting for the answer.'],
  [500, 599, 'retry', 'The push service has a failure of its own.'],
];

/** HTTP status codes of a token endpoint (RFC 6749 §5.2) where `HTTP` says something else. No message is at stake. */
export const TOKEN: StatusTable = [
  [100, 299, 'retry', 'The token endpoint’s answer was not understood.'],
  [400, 400, 'misconfigured', 'The token endpoint does not accept the credentials.'],
  [504, 504, 'retry', 'A gateway of the token endpoint gave up waiting for the answer.'],
];

/**
 * SMTP replies: basic codes of RFC 5321 §4.2 and RFC 4954, enhanced codes of RFC 3463 and the IANA registry that RFC 5248 set up.
 * An empty enhanced code or stage means any; a leading `x` stands for both classes. The first row that fits decides.
 */
export const SMTP: readonly (readonly [
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
export const TWILIO: Readonly<Record<number, readonly [kind: Kind, says: string]>> = {
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

/**
 * Amazon SES's errors by name: those of SendEmail (API v2) and those that all of AWS has in common; one that is not here is
 * judged by its HTTP status.
 */
export const SES: Readonly<Record<string, readonly [kind: Kind, says: string]>> = {
  AccountSuspendedException: ['misconfigured', 'The SES account may not send any more.'],
  BadRequestException: ['rejected', 'SES refused the message.'],
  LimitExceededException: ['throttled', 'The SES account has reached a limit of its own.'],
  MailFromDomainNotVerifiedException: ['misconfigured', 'The domain of MAIL_FROM is not verified at SES.'],
  // SES says so of a sender that is not verified, or of a recipient while the account is in its sandbox. A bad text is
  // refused later, by an event.
  MessageRejected: [
    'misconfigured',
    'SES does not let this account send from MAIL_FROM, or to this recipient.',
  ],
  NotFoundException: ['misconfigured', 'SES has nothing by this name in this region.'],
  SendingPausedException: ['misconfigured', 'Sending is paused for the SES account.'],
  TooManyRequestsException: ['throttled', 'SES asks to go slower.'],
  AccessDenied: ['misconfigured', 'The AWS credentials do not allow to send.'],
  AccessDeniedException: ['misconfigured', 'The AWS credentials do not allow to send.'],
  NotAuthorized: ['misconfigured', 'The AWS credentials do not allow to send.'],
  OptInRequired: ['misconfigured', 'The AWS account has no SES in this region.'],
  CredentialsProviderError: ['misconfigured', 'No AWS credentials were found.'],
  ExpiredToken: ['misconfigured', 'The AWS credentials have expired.'],
  ExpiredTokenException: ['misconfigured', 'The AWS credentials have expired.'],
  IncompleteSignature: ['misconfigured', 'AWS does not accept the signature.'],
  InvalidClientTokenId: ['misconfigured', 'AWS does not know the access key.'],
  InvalidSignatureException: [
    'misconfigured',
    'AWS does not accept the signature: the secret key or the clock is wrong.',
  ],
  MissingAuthenticationToken: ['misconfigured', 'AWS asks for credentials.'],
  MissingAuthenticationTokenException: ['misconfigured', 'AWS asks for credentials.'],
  SignatureDoesNotMatch: [
    'misconfigured',
    'AWS does not accept the signature: the secret key or the clock is wrong.',
  ],
  UnrecognizedClientException: ['misconfigured', 'AWS does not know the access key.'],
  RequestExpired: ['misconfigured', 'The clock of this machine is wrong.'],
  RequestTimeTooSkewed: ['misconfigured', 'The clock of this machine is wrong.'],
  RequestTimeout: ['retry', 'SES did not get the request in time.'],
  RequestTimeoutException: ['retry', 'SES did not get the request in time.'],
  RequestLimitExceeded: ['throttled', 'SES asks to go slower.'],
  RequestThrottled: ['throttled', 'SES asks to go slower.'],
  RequestThrottledException: ['throttled', 'SES asks to go slower.'],
  SlowDown: ['throttled', 'SES asks to go slower.'],
  Throttling: ['throttled', 'SES asks to go slower.'],
  ThrottlingException: ['throttled', 'SES asks to go slower.'],
  ThrottledException: ['throttled', 'SES asks to go slower.'],
  UnknownOperationException: ['misconfigured', 'There is no SES at this address.'],
};

/**
 * FCM's own codes (`ErrorCode` of its HTTP v1 API); one that is not here is judged by its HTTP status. What it says of one
 * token, or of Apple's part alone, must not stop the messages to all others, so it is never `misconfigured`.
 */
export const FCM: Readonly<Record<string, readonly [kind: Kind, says: string]>> = {
  INVALID_ARGUMENT: ['rejected', 'FCM does not understand the message, or the token is none.'],
  UNREGISTERED: ['gone', 'The app was removed from the device, or its token has ended.'],
  SENDER_ID_MISMATCH: ['rejected', 'The token belongs to another Firebase project.'],
  QUOTA_EXCEEDED: ['throttled', 'FCM asks to go slower.'],
  UNAVAILABLE: ['retry', 'FCM is overloaded.'],
  INTERNAL: ['retry', 'FCM has a failure of its own.'],
  THIRD_PARTY_AUTH_ERROR: ['retry', 'Apple does not accept the APNs key of the Firebase project.'],
};

/** `error.code` of Node, its TLS, and the SDKs. All mean that no answer came; what is not here is worded in general. */
export const NO_ANSWER: Readonly<Record<string, string>> = {
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
