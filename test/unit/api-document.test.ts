import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Asked, assertDocumented } from '../support/api-document/check.js';
import type { Answer } from '../support/http.js';

const ROOT = 'http://127.0.0.1:1';
const ID = '01890000-0000-7000-8000-000000000000';
const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' };
const PROBLEM_TYPE = { 'content-type': 'application/problem+json; charset=utf-8' };

function asked(method: string, path: string, body?: unknown): Asked {
  return { method, url: `${ROOT}${path}`, body, headers: {} };
}

function answer(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = JSON_TYPE,
): Answer {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return {
    status,
    headers: new Headers(headers),
    text,
    body: typeof body === 'string' ? {} : (body as never),
    tookMs: 0,
  };
}

function problem(status: number, title: string, code: string, more: Readonly<Record<string, unknown>> = {}) {
  return { status, title, detail: 'A sentence.', code, ...more };
}

const MAIL = { to: 'a@example.org', subject: 's', body: 'b' };
const SENDING = asked('POST', '/api/v1/notifications/email/send', MAIL);
const SENT = { status: 'email_queued', email_id: ID };
const NDJSON_TYPE = { 'content-type': 'application/x-ndjson; charset=utf-8' };
const IMPORTING = asked('POST', '/api/v1/users/import', '');
const COUNTS = { import_id: ID, lines: 1, imported: 1, created: 1, updated: 0, refused_count: 0 };
const PROGRESS = JSON.stringify({ type: 'progress', ...COUNTS });
const SUMMARY = JSON.stringify({ type: 'summary', ...COUNTS, complete: true });
const LISTING = asked('GET', '/api/v1/users?limit=2');
const PERSON = {
  id: 'ada',
  email: null,
  phone: null,
  locale: 'en',
  timezone: 'UTC',
  roles: [],
  active: true,
  webhook_url: null,
  created_at: '2026-11-25T08:30:00.120Z',
  updated_at: '2026-11-25T08:30:00.120Z',
};

describe('an answer is as the document says', () => {
  const good: Readonly<Record<string, readonly [Asked, Answer]>> = {
    'one with the fields that are described': [SENDING, answer(202, SENT)],
    'a replayed one': [SENDING, answer(202, SENT, { ...JSON_TYPE, 'idempotency-replayed': 'true' })],
    'one to another spelling of the path': [asked('GET', '/API/V1/Users/'), answer(200, [PERSON])],
    'one to HEAD': [asked('HEAD', '/api/v1/users'), answer(200, '')],
    'one without a body': [asked('DELETE', '/api/v1/users/ada'), answer(204, '', {})],
    'one that has not changed': [LISTING, answer(304, '', { etag: 'W/"x"' })],
    'a refusal where nothing is': [
      asked('GET', '/nothing'),
      answer(404, problem(404, 'Not Found', 'not_found'), PROBLEM_TYPE),
    ],
    'the methods of a path': [asked('OPTIONS', '/api/v1/users'), answer(200, 'GET', { allow: 'GET' })],
    'lines about an import': [IMPORTING, answer(200, `${PROGRESS}\n${SUMMARY}\n`, NDJSON_TYPE)],
    'an import that was stopped, with how far it came': [
      IMPORTING,
      answer(408, problem(408, 'Request Timeout', 'too_slow', { lines: 7, created: 5 }), PROBLEM_TYPE),
    ],
    'whatever the board says': [asked('GET', '/admin/queues/api'), answer(418, 'x', {})],
    'a batch with an item that was refused': [
      asked('POST', '/api/v1/notifications/email/batch', { emails: [{ to: 7 }, MAIL] }),
      answer(207, {
        results: [
          { index: 0, status: 422, body: problem(422, 'Unprocessable Content', 'invalid') },
          { index: 1, status: 202, body: SENT },
        ],
      }),
    ],
  };
  for (const [what, [request, came]] of Object.entries(good))
    test(`${what} passes`, () => assertDocumented(request, came));
});

describe('an answer is not as the document says', () => {
  const bad: Readonly<Record<string, readonly [Asked, Answer, RegExp]>> = {
    'a status that is not described': [SENDING, answer(201, SENT), /does not know this status/],
    'a field too many': [SENDING, answer(202, { ...SENT, extra: 1 }), /additional properties \(extra\)/],
    'a field too many in an item': [
      LISTING,
      answer(200, [{ ...PERSON, secret: 'x' }]),
      /\/0 must NOT.*secret/,
    ],
    'a field that is missing': [SENDING, answer(202, { status: 'email_queued' }), /email_id/],
    'a value of another type': [
      LISTING,
      answer(200, [{ ...PERSON, active: 'yes' }]),
      /active must be boolean/,
    ],
    'a time that is none': [LISTING, answer(200, [{ ...PERSON, created_at: 'now' }]), /date-time/],
    'a line with a field too many': [
      IMPORTING,
      answer(200, `${PROGRESS}\n${SUMMARY.replace('{', '{"extra":1,')}\n`, NDJSON_TYPE),
      /extra/,
    ],
    'lines of which the last has no end': [IMPORTING, answer(200, SUMMARY, NDJSON_TYPE), /has no end/],
    'a refusal that tells more than is described': [
      LISTING,
      answer(403, problem(403, 'Forbidden', 'forbidden', { lines: 7 }), PROBLEM_TYPE),
      /lines/,
    ],
    'another type of content': [
      SENDING,
      answer(202, 'ok', { 'content-type': 'text/plain' }),
      /text\/plain, not/,
    ],
    'a body where there is none': [asked('DELETE', '/api/v1/users/ada'), answer(204, 'x', {}), /no body/],
    'a header that is missing': [
      LISTING,
      answer(503, problem(503, 'Service Unavailable', 'unavailable'), PROBLEM_TYPE),
      /retry-after is missing/i,
    ],
    'a header that is no number': [
      LISTING,
      answer(503, problem(503, 'Service Unavailable', 'unavailable'), {
        ...PROBLEM_TYPE,
        'retry-after': 'soon',
      }),
      /Retry-After: the whole must be integer/,
    ],
    'a header that is not described': [
      asked('GET', '/health'),
      answer(200, { status: 'ok' }, { ...JSON_TYPE, link: '<x>' }),
      /link is not described/,
    ],
    'a problem of another status': [
      LISTING,
      answer(403, problem(404, 'Forbidden', 'forbidden'), PROBLEM_TYPE),
      /the status in it is 404/,
    ],
    'a code that nobody knows': [
      LISTING,
      answer(403, problem(403, 'Forbidden', 'no_way'), PROBLEM_TYPE),
      /the code no_way/,
    ],
    'an answer to a call that is not described': [
      asked('GET', '/api/v1/secret'),
      answer(200, {}),
      /no such call/,
    ],
    'an answer to a method that is not described': [
      asked('PATCH', '/api/v1/users'),
      answer(200, {}),
      /no such call/,
    ],
    'a refusal that is no problem document': [
      asked('GET', '/nothing'),
      answer(404, 'x', {}),
      /no problem document/,
    ],
    'a body that should have been refused': [
      asked('POST', '/api/v1/notifications/email/send', { ...MAIL, to: 'nobody' }),
      answer(202, SENT),
      /accepted with \/to/,
    ],
    'a query that should have been refused': [
      asked('GET', '/api/v1/users?limit=201'),
      answer(200, []),
      /accepted with limit/,
    ],
    'a path that should have been refused': [
      asked('DELETE', '/api/v1/users/a%20b'),
      answer(204, '', {}),
      /accepted with id/,
    ],
  };
  for (const [what, [request, came, complaint]] of Object.entries(bad))
    test(`${what} fails, and says so`, () => {
      assert.throws(() => assertDocumented(request, came), complaint);
    });
});
