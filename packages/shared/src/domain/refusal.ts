/** Why a call was refused. One name per reason; `apps/api` alone knows which HTTP status each of them has. */
export type RefusalCode =
  | 'unauthenticated'
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  | 'too_slow'
  | 'too_large'
  | 'unsupported_media_type'
  | 'upgrade_required'
  | 'invalid'
  | 'rate_limited'
  | 'unavailable';

/** One thing that is wrong with the input, and where: `path` is dotted, as in `context.amount`. */
export interface FieldError {
  readonly path: string;
  readonly message: string;
}

export interface RefusalOptions {
  readonly errors?: readonly FieldError[];
  /** When it is worth calling again, in milliseconds. */
  readonly retryAfterMs?: number;
  /** A narrower name for programs, such as `unknown_event`. Defaults to the code. */
  readonly reason?: string;
  /** What else the caller should know, such as how far it came. */
  readonly members?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** A call that is refused, with a sentence for its caller. Everything else that is thrown is a bug. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: RefusalCode;
  readonly reason: string;
  readonly errors: readonly FieldError[];
  readonly retryAfterMs: number | undefined;
  readonly members: Readonly<Record<string, unknown>>;

  constructor(code: RefusalCode, detail: string, options: RefusalOptions = {}) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.reason = options.reason ?? code;
    this.errors = options.errors ?? [];
    this.retryAfterMs = options.retryAfterMs;
    this.members = options.members ?? {};
  }
}

/** The same refusal with more to tell. */
export function refusalWith(refusal: Refusal, members: Readonly<Record<string, unknown>>): Refusal {
  const { code, message, errors, reason, retryAfterMs, cause } = refusal;
  return new Refusal(code, message, {
    errors,
    reason,
    cause,
    members: { ...refusal.members, ...members },
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** Refuses input, naming every wrong field. `detail` defaults to the first of them. */
export function invalid(errors: readonly FieldError[], detail?: string, reason?: string): Refusal {
  const first = errors[0];
  const sentence =
    detail ?? (first === undefined ? 'The request is invalid.' : `${first.path}: ${first.message}`);
  return new Refusal('invalid', sentence, { errors, ...(reason === undefined ? {} : { reason }) });
}
