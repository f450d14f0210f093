import fc from 'fast-check';
import { CALLS, type ContractCall, NO_ID, PERSON } from './calls.js';

/** A request as a hostile or broken client might send it. */
export type OddRequest = {
  readonly method: string;
  /** Below the root, with its query. */
  readonly path: string;
  readonly body: string | Uint8Array | undefined;
  readonly headers: Readonly<Record<string, string>>;
};

/** Requests on and around every route of the contract, and others: bodies are valid ones with a few things changed, or noise. */
export function oddRequests(
  others: readonly Pick<ContractCall, 'method' | 'path' | 'body'>[] = [],
): fc.Arbitrary<OddRequest> {
  const around = fc.constantFrom(...CALLS, ...others).chain((call) =>
    fc.record({
      method: often(9, fc.constant(call.method), METHODS),
      path: often(3, fc.constant(call.path), oddPaths(call.path)),
      body:
        call.body === undefined
          ? fc.oneof(fc.constant(undefined), NOISE)
          : often(5, changed(call.body).map(serialized), NOISE),
      headers: HEADERS,
      query: QUERIES,
    }),
  );
  return around.map(({ method, path, body, headers, query }) => ({
    method,
    path: `/api/v1${path}${query}`,
    // fetch refuses to send one with these
    body: method === 'GET' || method === 'HEAD' ? undefined : body,
    headers,
  }));
}

const METHODS = fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND');

/** Values that have broken programs before. */
const NASTY = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    0,
    -1,
    1e308,
    0.1,
    2 ** 53,
    '',
    ' ',
    '\u0000',
    '\ud800',
    '\u2028',
    'a\r\nb: c',
    '__proto__',
    'constructor',
    "' OR 1=1 --",
    '{{7*7}}',
    '{% include "x" %}',
    '../../etc/passwd',
    '%00',
    'NaN',
    '0000-01-01T00:00:00Z',
    '2027-02-29T00:00:00Z',
    '2026-12-31T23:59:60Z',
    '9'.repeat(400),
    'x'.repeat(11_000),
    '\u{1f514}'.repeat(200),
    '+251911000001',
    'a@b.c',
    [],
    {},
    [[]],
    [null],
    { $ne: null },
    { length: -1 },
    { toString: 1, valueOf: 2, toJSON: 3 },
    JSON.parse('{"__proto__":{"polluted":true}}'),
  ),
  fc.jsonValue({ maxDepth: 3 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.double(),
);

type Change = {
  readonly where: readonly number[];
  readonly how: string;
  readonly value: unknown;
  readonly name: string;
};

const CHANGES = fc.array(
  fc.record({
    where: fc.array(fc.nat(8), { minLength: 1, maxLength: 4 }),
    how: fc.constantFrom('replace', 'replace', 'replace', 'remove', 'add', 'wrap', 'repeat'),
    value: NASTY,
    name: fc.oneof(
      fc.constantFrom(
        'priority',
        'channels',
        'send_at',
        'expires_at',
        'title',
        'type',
        'data',
        'context',
        'html_body',
      ),
      fc.string({ unit: 'binary', maxLength: 6 }),
    ),
  }),
  { maxLength: 4 },
);

function changed(body: Readonly<Record<string, unknown>>): fc.Arbitrary<unknown> {
  return CHANGES.map((changes) => changes.reduce<unknown>(change, body));
}

/** The same value with one thing changed: `where` leads down to it, turning off at places that are there. */
function change(value: unknown, { where, how, value: other, name }: Change): unknown {
  const [turn, ...rest] = where;
  if (turn === undefined || typeof value !== 'object' || value === null) return apply(value, how, other);
  const entries = Object.entries(value);
  const target = entries[turn % Math.max(1, entries.length)];
  if (how === 'add' && rest.length === 0) entries.push([name, other]);
  else if (target !== undefined && how === 'remove' && rest.length === 0)
    entries.splice(entries.indexOf(target), 1);
  else if (target !== undefined) target[1] = change(target[1], { where: rest, how, value: other, name });
  return Array.isArray(value) ? entries.map(([, inner]) => inner) : Object.fromEntries(entries);
}

function apply(value: unknown, how: string, other: unknown): unknown {
  if (how === 'wrap') return [value];
  if (how === 'repeat') return Array(30).fill(value);
  return other;
}

function serialized(value: unknown): string {
  return JSON.stringify(value) ?? '';
}

const NOISE: fc.Arbitrary<string | Uint8Array | undefined> = fc.oneof(
  fc.json(),
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.uint8Array({ maxLength: 200 }),
  fc.constantFrom('', '{', '[]', 'null', '{"a":', '"', '{"user_id":"\\ud800"}', undefined),
);

function oddPaths(path: string): fc.Arbitrary<string> {
  const segment = fc.oneof(
    fc.constantFrom(
      '',
      '.',
      '..',
      '%00',
      '%',
      '%zz',
      '%2e%2e',
      '%2F',
      NO_ID,
      PERSON,
      'nobody',
      '__proto__',
      '*',
      '0',
    ),
    fc.string({ unit: 'binary', maxLength: 12 }).map((text) => encodeURIComponent(text.toWellFormed())),
  );
  const parts = path.split('/');
  return fc
    .record({ at: fc.nat(parts.length), segment, removed: fc.nat(1) })
    .map(({ at, segment: put, removed }) => parts.toSpliced(Math.max(1, at), removed, put).join('/'));
}

const QUERIES = often(
  3,
  fc.constant(''),
  fc
    .array(
      fc.tuple(
        fc.constantFrom(
          'limit',
          'cursor',
          'from',
          'to',
          'status',
          'user_id',
          'channel',
          'format',
          'x',
          '__proto__',
        ),
        fc.oneof(
          fc.constantFrom('', '0', '-1', '1e9', 'x', 'SENT', 'ascii', '%00', '%zz', '0000-01-01T00:00:00Z'),
          fc.string({ unit: 'binary', maxLength: 10 }).map((text) => encodeURIComponent(text.toWellFormed())),
        ),
      ),
      { maxLength: 3 },
    )
    .map((pairs) => `?${pairs.map(([name, value]) => `${name}=${value}`).join('&')}`),
);

/** Values that `fetch` lets pass: printable Latin-1, no spaces at the ends. */
const headerValue = fc
  .string({
    unit: fc.integer({ min: 0x21, max: 0xff }).map((code) => String.fromCharCode(code)),
    maxLength: 40,
  })
  .map((text) => text.replace(/[\u007f-\u00a0]/g, '~'));

const HEADERS: fc.Arbitrary<Readonly<Record<string, string>>> = often(
  2,
  fc.constant({}),
  fc.record(
    {
      'content-type': fc.oneof(
        fc.constantFrom(
          'text/plain',
          'application/json; charset=utf-16',
          'application/json; charset=utf-7',
          ';',
          '',
        ),
        headerValue,
      ),
      'content-encoding': fc.oneof(fc.constantFrom('gzip', 'br', 'deflate', 'zstd', 'identity'), headerValue),
      'idempotency-key': fc.oneof(fc.constantFrom('', 'one', 'two', 'a b', 'x'.repeat(300)), headerValue),
      accept: fc.oneof(fc.constantFrom('text/plain', '*/*;q=0', ';;;', ''), headerValue),
      'x-forwarded-for': headerValue,
      'x-http-method-override': fc.constant('DELETE'),
      range: fc.constantFrom('bytes=0-1', 'bytes=-', headerJunk()),
      'if-none-match': fc.constantFrom('*', '"x"', headerJunk()),
    },
    { requiredKeys: [] },
  ),
);

function headerJunk(): string {
  return 'W/"'.repeat(50);
}

/** The first `times` times as often as the second. */
function often<T>(times: number, usual: fc.Arbitrary<T>, odd: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return fc.oneof({ arbitrary: usual, weight: times }, { arbitrary: odd, weight: 1 });
}
