/**
 * How one attempt ended, as the provider tells it. A provider says *whether* to try again; `queue/retry.ts` says *when*.
 *
 * `code` is the answer in the provider's own words (`250`, `http-503`, `twilio-21211`, `ECONNREFUSED`), short and
 * free of personal data; `error` is one sentence for an operator, likewise.
 */
export type Outcome =
  /** The provider has taken the message. `providerId` is its name for it, where it gives one. */
  | { readonly kind: 'sent'; readonly code: string; readonly providerId?: string }
  /** Not taken, and trying again may help: a 5xx, a 4xx SMTP reply, a refused connection. `afterMs` is the provider's own wish. */
  | { readonly kind: 'retry'; readonly code: string; readonly error: string; readonly afterMs?: number }
  /** Too fast for the provider. Costs no attempt. */
  | { readonly kind: 'throttled'; readonly code: string; readonly error: string; readonly afterMs?: number }
  /** Will never be taken: no such mailbox, a number that opted out. Never tried again. `suppress` keeps the address from being used again. */
  | { readonly kind: 'rejected'; readonly code: string; readonly error: string; readonly suppress?: true }
  /**
   * Our settings are wrong (credentials, sender address). The message is kept and the operator told. `afterMs` is when somebody
   * will look whether they are mended, where that is known.
   */
  | {
      readonly kind: 'misconfigured';
      readonly code: string;
      readonly error: string;
      readonly afterMs?: number;
    }
  /** It may have been taken: a timeout or a lost line after the message was handed over. */
  | { readonly kind: 'ambiguous'; readonly code: string; readonly error: string };

export type OutcomeKind = Outcome['kind'];

/** The code of an outcome whose attempt was called off by its own worker: it says nothing about the provider. */
export const CALLED_OFF = 'aborted';
/** The code of `throttled` when it is our own limit for a provider's account that was reached, and nobody was asked. */
export const PACED = 'paced';
