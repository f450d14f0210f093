import {
  BrokenCircuitError,
  BulkheadRejectedError,
  bulkhead,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhenResult,
} from 'cockatiel';
import type { PersonChange } from '../ledger/write-people.js';
import { readAnswer } from './answer.js';

export interface DirectoryOptions {
  /** With or without `{id}`. */
  readonly url: string;
  readonly token: string | undefined;
  /** For one answer, to its last byte. */
  readonly timeoutMs: number;
}

/**
 * What asking came to. `down`: nobody knows whether there is such a person. `why` is a short name, such as `timeout`, `status-500`
 * or `field-email`; it holds nothing of the answer.
 */
export type DirectoryAnswer =
  | { readonly kind: 'found'; readonly change: PersonChange }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'down'; readonly why: string };

export type DirectoryClient = (id: string) => Promise<DirectoryAnswer>;

const LARGEST_ANSWER = 64 * 1024;
/** Questions at once, those that wait for their turn, and how long one waits before it is given up. */
const AT_ONCE = 32;
const WAITING = 5_000;
const LONGEST_WAIT_MS = 5_000;
/** After this many failures in a row nothing is asked for a while; then one question goes out to try. */
const FAILURES = 5;
const REST_MS = 5_000;

/** A failure of the directory itself. One that has to do with one person alone must not take it away from all others. */
interface Asked {
  readonly answer: DirectoryAnswer;
  readonly general: boolean;
}

/** Asks the user directory for one person at a time, with a bound on everything. Never throws. */
export function createDirectoryClient(options: DirectoryOptions): DirectoryClient {
  const breaker = circuitBreaker(
    handleWhenResult((result) => (result as Asked).general),
    { halfOpenAfter: REST_MS, breaker: new ConsecutiveBreaker(FAILURES) },
  );
  const turns = bulkhead(AT_ONCE, WAITING);
  return async (id) => {
    const url = urlFor(options.url, id);
    if (url === null) return { kind: 'unknown' };
    const since = performance.now();
    try {
      return await turns.execute(async (): Promise<DirectoryAnswer> => {
        if (performance.now() - since > LONGEST_WAIT_MS) return { kind: 'down', why: 'waited-too-long' };
        const { answer } = await breaker.execute(() => ask(url, options));
        return answer;
      });
    } catch (error) {
      if (error instanceof BrokenCircuitError) return { kind: 'down', why: 'resting' };
      if (error instanceof BulkheadRejectedError) return { kind: 'down', why: 'too-many-waiting' };
      throw error;
    }
  };
}

/**
 * The address of one person; null for an id that no path can hold: `.` and `..` mean a step in it, however they are written
 * (WHATWG URL §4.4), and would ask for something else.
 */
export function urlFor(template: string, id: string): string | null {
  const encoded = encodeURIComponent(id);
  const filled = template.includes('{id}') ? template.replaceAll('{id}', encoded) : joined(template, encoded);
  return /^\.\.?$/.test(id) ? null : filled;
}

function joined(template: string, segment: string): string {
  const url = new URL(template);
  url.pathname = `${url.pathname.replace(/\/$/, '')}/${segment}`;
  return url.href;
}

async function ask(url: string, { token, timeoutMs }: DirectoryOptions): Promise<Asked> {
  try {
    const response = await fetch(url, {
      headers: {
        accept: 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      return judged(response.status);
    }
    const text = await readBounded(response);
    return text === null ? failed('too-large', false) : understood(text);
  } catch (error) {
    return failed(error instanceof Error && error.name === 'TimeoutError' ? 'timeout' : 'unreachable', true);
  }
}

function judged(status: number): Asked {
  if (status === 404 || status === 410) return { answer: { kind: 'unknown' }, general: false };
  // Any other 4xx may be about this id alone, but who refuses our token or our pace refuses everything.
  return failed(`status-${status}`, status >= 500 || [401, 403, 408, 429].includes(status) || status < 400);
}

function understood(text: string): Asked {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return failed('no-json', false);
  }
  const read = readAnswer(body);
  return read.ok
    ? { answer: { kind: 'found', change: read.change }, general: false }
    : failed(read.fields.map((field) => `field-${field}`).join(','), false);
}

function failed(why: string, general: boolean): Asked {
  return { answer: { kind: 'down', why }, general };
}

/** The text of an answer, or null when it is longer than an answer may be; what is beyond is not read. */
async function readBounded(response: Response): Promise<string | null> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.length;
    if (size > LARGEST_ANSWER) return null;
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}
