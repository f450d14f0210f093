import { Failure } from '../failure.js';
import { visible } from '../text/visible.js';
import type { Access } from './access.js';

/** The API said no, with an HTTP status and, where it says so, when to come back. */
export class Refused extends Failure {
  override readonly name = 'Refused';
  readonly status: number;
  readonly retryAfterMs: number | undefined;
  constructor(
    status: number,
    retryAfterMs: number | undefined,
    message: string,
    remedies: readonly string[],
  ) {
    super(message, ...remedies);
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Nobody answered, or not in time. It is not known whether what was asked for was done. */
export class Unanswered extends Failure {
  override readonly name = 'Unanswered';
}

interface Problem {
  readonly detail?: unknown;
  readonly errors?: unknown;
}

/** What an answer other than 2xx means, from its problem document (RFC 9457) where it has one. */
export function refusalOf(access: Access, status: number, headers: RetryHeaders, text: string): Refused {
  const problem = problemIn(text);
  const waitMs = waitOf(headers.get('retry-after'));
  const detail =
    typeof problem?.detail === 'string'
      ? visible(problem.detail)
      : `${access.url} answered with ${status}, and not in the words of Belfry.`;
  // One wrong field is the detail already.
  const remedies = [...fieldErrors(problem?.errors)].filter((one) => !detail.includes(one));
  const more = problem === undefined ? notBelfry(access, status, headers) : remedyFor(access, status, waitMs);
  if (more !== undefined) remedies.push(more);
  return new Refused(status, waitMs, detail, remedies);
}

/** The part of `Headers` that is needed here; node:http has others. */
export interface RetryHeaders {
  get(name: string): string | null;
}

/** What a request that got no answer means. `done` says what cannot be known because of it. */
export function unanswered(access: Access, error: unknown, timeoutMs: number, done?: string): Unanswered {
  const more = done === undefined ? [] : [done];
  if (error instanceof Error && error.name === 'TimeoutError')
    return new Unanswered(`${access.url} did not answer within ${timeoutMs / 1_000} s.`, ...more);
  const code = codeOf(error);
  if (code === 'ECONNREFUSED')
    return new Unanswered(
      `Nothing answers at ${access.url}.`,
      'Is Belfry running? Start it with npm start, or set BELFRY_URL to where it runs.',
    );
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return new Unanswered(
      `There is no host by the name in ${access.url}.`,
      'Set BELFRY_URL to where Belfry runs.',
    );
  return new Unanswered(`${access.url} cannot be reached: ${reasonOf(error)}.`, ...more);
}

function problemIn(text: string): Problem | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null && 'detail' in parsed ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function* fieldErrors(errors: unknown): Generator<string> {
  for (const one of Array.isArray(errors) ? errors : []) {
    const { path, message } = one as { path?: unknown; message?: unknown };
    yield visible(`${String(path || 'the input')}: ${String(message ?? '')}`);
  }
}

function remedyFor({ origin }: Access, status: number, waitMs: number | undefined): string | undefined {
  switch (status) {
    case 401:
      return origin === 'BELFRY_TOKEN'
        ? 'Set BELFRY_TOKEN to a new one: npm run token -- --role admin --sub you, on the machine of that installation.'
        : 'The token was made from the JWT_SECRET here, and that installation has another: set JWT_SECRET to it, or BELFRY_TOKEN.';
    case 403:
      return 'This needs a token with another role: npm run token -- --role admin --sub you, and set BELFRY_TOKEN to it.';
    case 429:
    case 503:
      return waitMs === undefined ? undefined : `Try again in ${Math.ceil(waitMs / 1_000)} s.`;
    default:
      return undefined;
  }
}

function notBelfry({ url }: Access, status: number, headers: RetryHeaders): string {
  const target = headers.get('location');
  if (status >= 300 && status < 400 && target !== null)
    return `It leads to ${visible(target)}: set BELFRY_URL to where the API itself is, since a token is not sent on.`;
  return `Is ${url} where Belfry is? Set BELFRY_URL.`;
}

/** Seconds or a date (RFC 9110 §10.2.3), as milliseconds from now. */
function waitOf(header: string | null): number | undefined {
  if (header === null) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1_000 : new Date(header).getTime() - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

/** fetch says only that it failed; why is in the cause, which may be several when a name has several addresses. */
function codeOf(error: unknown): string | undefined {
  const cause = causeOf(error);
  return cause !== undefined && 'code' in cause ? String(cause.code) : undefined;
}

function reasonOf(error: unknown): string {
  const cause = causeOf(error);
  return visible(cause?.message || codeOf(error) || 'the connection failed');
}

function causeOf(error: unknown): Error | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error instanceof AggregateError) return error.errors.map(causeOf).find(Boolean) ?? error;
  return error.cause instanceof Error ? causeOf(error.cause) : error;
}
