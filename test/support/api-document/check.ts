import assert from 'node:assert/strict';
import { CODES } from '@belfry/api/openapi/problem.js';
import type { Answer } from '../http.js';
import {
  apiDocument,
  BESIDE,
  type Content,
  type Described,
  type Header,
  operationAt,
  type Response,
  responseOf,
  type Schema,
} from './operations.js';
import { wrongWith } from './schemas.js';

/** A request as it was made. */
export type Asked = {
  readonly method: string;
  readonly url: string;
  readonly body?: unknown;
  readonly headers: Readonly<Record<string, string>>;
};

/**
 * Fails unless the answer is one that the API's document describes: its status, its headers, its body, with no field that
 * is not described. What was accepted must be what the document says may be sent; where nothing is described, there is
 * nothing but a refusal.
 */
export function assertDocumented(asked: Asked, answer: Answer): void {
  const { pathname } = new URL(asked.url);
  if (BESIDE.some((place) => pathname.toLowerCase().startsWith(place))) return;
  const found = operationAt(asked.method, pathname);
  const wrong =
    found === null
      ? wrongWithout(asked, answer)
      : [
          ...wrongAnswer(responseOf(found, answer.status), asked, answer),
          ...wrongRequest(found, asked, answer),
        ];
  if (wrong.length === 0) return;
  const call = `${asked.method} ${found?.path ?? pathname}`;
  const lines = wrong.map((one) => `  ${one}\n`).join('');
  assert.fail(
    `${call} was answered with ${answer.status}, not as /openapi.json says:\n${lines}  ${answer.text.slice(0, 2_000)}`,
  );
}

/** Nothing is described here: it is refused, or it is what Express says to OPTIONS. */
function wrongWithout({ method }: Asked, answer: Answer): string[] {
  if (method === 'OPTIONS' && answer.status === 200 && answer.headers.has('allow')) return [];
  if (answer.status < 400) return ['there is no such call in the document'];
  return mediaOf(answer) === PROBLEM || method === 'HEAD'
    ? [
        ...wrongProblem(answer),
        ...(answer.text === '' ? [] : wrongWith(answer.body, problemSchema(answer.status), 'answered')),
      ]
    : ['it is no problem document'];
}

const PROBLEM = 'application/problem+json';

function wrongAnswer(response: Response | undefined, { method }: Asked, answer: Answer): string[] {
  if (response === undefined) return ['the document does not know this status'];
  const wrong = wrongHeaders(response.headers ?? {}, answer.headers);
  if (method === 'HEAD' || answer.status === 304) return wrong;
  if (response.content === undefined)
    return answer.text === '' ? wrong : [...wrong, 'the document knows no body'];
  return [...wrong, ...wrongBody(response.content, answer)];
}

/** Headers that say something about the call: each of them is described where it occurs. */
const TELLING = ['idempotency-replayed', 'link', 'retry-after', 'www-authenticate'];

function wrongHeaders(described: Readonly<Record<string, Header>>, headers: Headers): string[] {
  const names = Object.keys(described).map((name) => name.toLowerCase());
  const undescribed = TELLING.filter((name) => headers.has(name) && !names.includes(name));
  return [
    ...undescribed.map((name) => `the header ${name} is not described`),
    ...Object.entries(described).flatMap(([name, { required, schema }]) => {
      const value = headers.get(name);
      if (value === null) return required === true ? [`the header ${name} is missing`] : [];
      return wrongWith(read(value, schema), schema, 'answered').map((one) => `the header ${name}: ${one}`);
    }),
  ];
}

function wrongBody(content: Content, answer: Answer): string[] {
  const media = mediaOf(answer);
  const described = content[media];
  if (described === undefined)
    return [`it is ${media || 'of no type'}, not ${Object.keys(content).join(' or ')}`];
  const lines = described['x-lines'];
  if (lines !== undefined) return wrongLines(answer.text, lines);
  if (!/[/+]json$/.test(media)) return wrongWith(answer.text, described.schema, 'answered');
  const wrong = wrongWith(answer.body, described.schema, 'answered');
  return media === PROBLEM ? [...wrong, ...wrongProblem(answer)] : wrong;
}

/** Each line is one JSON document, and ends. */
function wrongLines(text: string, schema: Schema): string[] {
  const lines = text.split('\n');
  return lines.pop() === ''
    ? lines.flatMap((line) => wrongWith(JSON.parse(line), schema, 'answered'))
    : ['the last line has no end'];
}

function wrongProblem({ status, text, body }: Answer): string[] {
  if (text === '') return [];
  return [
    ...(Number(body.status) === status ? [] : [`the status in it is ${body.status}`]),
    ...(Object.hasOwn(CODES, String(body.code))
      ? []
      : [`the code ${body.code} is not in openapi/problem.ts`]),
  ];
}

function problemSchema(status: number): Schema {
  const { InvalidInput, Problem, TooManyRequests } = apiDocument().components.schemas;
  const schema = status === 422 ? InvalidInput : status === 429 ? TooManyRequests : Problem;
  assert.ok(schema, 'the document describes problems');
  return schema;
}

/** What was accepted and is not allowed by the document. */
function wrongRequest({ operation, values }: Described, asked: Asked, answer: Answer): string[] {
  if (answer.status >= 300) return [];
  const query = new URL(asked.url).searchParams;
  const given = { path: new Map(Object.entries(values)), query, header: new Headers(asked.headers) };
  const parameters = (operation.parameters ?? []).flatMap(({ in: place, name, required, schema }) => {
    const value = given[place].get(name);
    if (value === null || value === undefined)
      return required === true ? [`it was accepted without ${name}`] : [];
    const plain = place === 'path' ? decodeURIComponent(value) : value;
    return wrongWith(read(plain, schema), schema, 'sent').map(
      (one) => `it was accepted with ${name}: ${one}`,
    );
  });
  const body = operation.requestBody?.content['application/json'];
  const sent = body === undefined ? undefined : bodyOf(asked, answer);
  if (body === undefined || sent === undefined) return parameters;
  return [...parameters, ...wrongWith(sent, body.schema, 'sent').map((one) => `it was accepted with ${one}`)];
}

/** The body as it was read, or undefined for one that only the server can read. A batch is without its refused items. */
function bodyOf({ body, headers }: Asked, { status, body: answered }: Answer): unknown {
  if ('content-encoding' in headers || body instanceof Uint8Array) return undefined;
  const sent = typeof body === 'string' ? JSON.parse(body) : body;
  if (status !== 207 || typeof sent !== 'object' || sent === null) return sent;
  const results: { index: number; status: number }[] = JSON.parse(JSON.stringify(answered.results));
  const accepted = results.filter((one) => one.status < 300).map(({ index }) => index);
  const [list, values] = Object.entries(sent).find(([, value]) => Array.isArray(value)) ?? ['', []];
  const kept = (values as unknown[]).filter((_, index) => accepted.includes(index));
  return kept.length === 0 ? undefined : { [list]: kept };
}

/** Text that stands for a number is read as one, as the server does. */
function read(text: string, schema: Schema): unknown {
  return ['integer', 'number'].some((type) => type === schema.type) ? Number(text) : text;
}

function mediaOf({ headers }: Answer): string {
  return (headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}
