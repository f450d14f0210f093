import type { Refusal, RefusalCode } from '@belfry/shared/domain/refusal.js';

/** RFC 9457: what a refused caller gets, as `application/problem+json`. */
export interface Problem {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  /** The narrow name of the refusal, for programs. */
  readonly code: string;
  /** The first hundred of them. */
  readonly errors?: readonly { path: string; message: string }[];
  /** How many more there are. */
  readonly more_errors?: number;
  /** Only with 429. */
  readonly error?: string;
  /** RFC 9457 §3.2: members of one kind of problem. */
  readonly [member: string]: unknown;
}

/** The only place where a refusal has an HTTP status. */
const STATUS: Readonly<Record<RefusalCode, readonly [status: number, title: string]>> = {
  unauthenticated: [401, 'Unauthorized'],
  forbidden: [403, 'Forbidden'],
  not_found: [404, 'Not Found'],
  too_slow: [408, 'Request Timeout'],
  conflict: [409, 'Conflict'],
  too_large: [413, 'Content Too Large'],
  unsupported_media_type: [415, 'Unsupported Media Type'],
  invalid: [422, 'Unprocessable Content'],
  upgrade_required: [426, 'Upgrade Required'],
  rate_limited: [429, 'Too Many Requests'],
  unavailable: [503, 'Service Unavailable'],
};

/** Wrong fields that one problem lists: a body can hold many more than anybody reads. */
const MOST_ERRORS = 100;

export function problemOf(refusal: Refusal): Problem {
  const [status, title] = STATUS[refusal.code];
  const more = refusal.errors.length - MOST_ERRORS;
  return {
    ...refusal.members,
    status,
    title,
    detail: refusal.message,
    code: refusal.reason,
    ...(refusal.errors.length > 0 ? { errors: refusal.errors.slice(0, MOST_ERRORS) } : {}),
    ...(more > 0 ? { more_errors: more } : {}),
    ...(refusal.code === 'rate_limited' ? { error: title } : {}),
  };
}

/** What an outsider learns of a bug: that there was one. */
export const INTERNAL: Problem = {
  status: 500,
  title: 'Internal Server Error',
  detail: 'Something went wrong inside Belfry. It has been logged.',
  code: 'internal',
};
