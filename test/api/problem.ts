import assert from 'node:assert/strict';
import type { Answer } from '../support/http.js';
import { items } from '../support/http.js';

const TITLES: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  503: 'Service Unavailable',
};

export type WantedProblem = {
  readonly detail?: string | RegExp;
  readonly code?: string;
  /** A path that `errors` has to name. */
  readonly path?: string;
};

/** Fails unless the answer is a whole problem document (RFC 9457) of this status, with the headers that belong to it. */
export function assertProblem(answer: Answer, status: number, wanted: WantedProblem = {}): void {
  assert.equal(answer.status, status, answer.text);
  assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json\b/);
  const { body } = answer;
  assert.equal(body.status, status);
  assert.equal(body.title, TITLES[status]);
  assert.ok(typeof body.detail === 'string' && String(body.detail).length > 0, 'there is a detail');
  assert.match(String(body.code), /^[a-z_]+$/);
  if (status === 401) assert.match(answer.headers.get('www-authenticate') ?? '', /^Bearer/);
  if (status === 403) assert.equal(body.detail, 'Forbidden');
  assert.equal(body.error, status === 429 ? 'Too Many Requests' : undefined);
  if (status === 429 || status === 503) assert.match(answer.headers.get('retry-after') ?? '', /^[1-9]\d*$/);
  if (typeof wanted.detail === 'string') assert.equal(body.detail, wanted.detail);
  if (wanted.detail instanceof RegExp) assert.match(String(body.detail), wanted.detail);
  if (wanted.code !== undefined) assert.equal(body.code, wanted.code);
  if (wanted.path !== undefined) {
    const paths = items(body.errors).map((error) => String(error.path));
    assert.ok(paths.includes(wanted.path), `errors name ${wanted.path}, not only ${paths.join(', ')}`);
    for (const error of items(body.errors)) assert.ok(typeof error.message === 'string', answer.text);
  }
}
