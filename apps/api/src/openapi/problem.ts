import { invalid, Refusal } from '@belfry/shared/domain/refusal.js';
import { z } from 'zod';
import type { ZodOpenApiResponseObject } from 'zod-openapi';
import { keyReused, stillRunning } from '../middleware/once.js';
import { INTERNAL, type Problem, problemOf } from '../middleware/problem.js';
import { authenticate, replayed, retryAfter } from './headers.js';
import type { Operation } from './operation.js';

/* Refusals as RFC 9457 has them. Their examples are made by the same code that refuses. */

/** Every `code` that a refusal can have, and what it means. A test fails for one that is not here. */
export const CODES: Readonly<Record<string, string>> = {
  unauthenticated: 'there is no token, or not a good one',
  forbidden: "the token's role may not do this",
  not_found: 'there is no such thing',
  unknown_person: 'there is no such person',
  unknown_group: 'nobody is in this group',
  unknown_on_call: 'nobody has said who is on call for this type of alert',
  unknown_override: 'the type of alert has no such override',
  not_on_call: 'whoever is to be replaced has no place in the schedule',
  too_many_overrides: 'as many overrides as there may be are still to end',
  no_sms_answers: 'answers by text message are off',
  wrong_signature: 'it was not signed by the provider in whose name it came',
  no_webhook_secrets: 'no webhooks are sent from here',
  unknown_device: 'the person has no such device',
  conflict: 'it cannot be done in the state that things are in',
  impossible_move: 'the broadcast is not where this can be done to it',
  nothing_to_cancel: 'nothing of it is left to cancel',
  idempotency_key_in_use: 'a call with the same key is still running',
  idempotency_key_reused: 'the key was used for another request',
  too_slow: 'the body arrives too slowly',
  too_large: 'the body is too large',
  too_many_alerts: 'the call has more alerts than are taken in one',
  unsupported_media_type: 'the body is not in the right format or encoding',
  upgrade_required: 'there is a WebSocket here and nothing else',
  invalid: 'a field is wrong, and `errors` names it',
  invalid_json: 'the body is not JSON',
  invalid_encoding: 'the body is not UTF-8, or cannot be unpacked',
  unsafe_json: 'the body holds something that cannot be stored',
  incomplete_body: 'the body did not arrive whole',
  malformed_request: 'the request could not be read',
  unknown_item: 'there is no such notification in this inbox',
  unknown_event: 'there is no such event',
  unknown_escalation_policy: 'there is no such escalation policy',
  invalid_context: 'a variable of the event is missing or wrong',
  rate_limited: 'too many calls, or too many to one person',
  too_many_streams: 'this person, or this process, has as many streams as there may be',
  unknown_session: 'there is no such session',
  cross_origin: 'a page of another origin may not do this',
  unavailable: 'a part that is needed cannot be reached',
  directory_unavailable: 'the user directory cannot be asked for this person, and nothing was recorded',
  internal: 'something went wrong inside',
};

const problem = z
  .object({
    status: z.int().meta({ description: 'The same as the status of the answer' }),
    title: z.string().meta({ description: 'The name of the status' }),
    detail: z.string().meta({ description: 'A sentence for a person' }),
    code: z.string().meta({
      description: `A name for programs:\n${Object.entries(CODES)
        .map(([code, meaning]) => `- \`${code}\`: ${meaning}`)
        .join('\n')}`,
    }),
  })
  .meta({ id: 'Problem', description: 'Why a call was refused (RFC 9457).' });

export const fieldError = z
  .object({
    path: z.string().meta({ description: 'Where, dotted: `context.amount`' }),
    message: z.string(),
  })
  .meta({ id: 'FieldError', description: 'One thing that is wrong with the input.' });

export const invalidInput = problem
  .extend({
    errors: z.array(fieldError).optional().meta({ description: 'The first hundred wrong fields' }),
    more_errors: z.int().min(1).optional().meta({ description: 'How many more there are' }),
  })
  .meta({ id: 'InvalidInput', description: 'What is wrong with the input (RFC 9457).' });

const tooMany = problem
  .extend({ error: z.literal('Too Many Requests') })
  .meta({ id: 'TooManyRequests', description: 'Too many calls (RFC 9457).' });

const SHAPES: Readonly<Record<number, z.ZodType>> = { 422: invalidInput, 429: tooMany };

/** The shape of a refusal with this status. */
export function problemShape(status: number): z.ZodType {
  return SHAPES[status] ?? problem;
}

const HEADERS: Readonly<Record<number, Readonly<Record<string, z.ZodType>>>> = {
  401: { 'WWW-Authenticate': authenticate },
  409: { 'Retry-After': retryAfter.optional() },
  429: { 'Retry-After': retryAfter },
  503: { 'Retry-After': retryAfter },
};

/** Every refusal that an operation can have, by status: its own, and those that come with what it takes. */
export function refusalsOf(operation: Operation): Record<string, ZodOpenApiResponseObject> {
  const own = (operation.refusals ?? []).map(problemOf);
  const byStatus = new Map<number, Problem[]>();
  for (const problem of [...sharedBy(operation), ...own])
    byStatus.set(problem.status, [...(byStatus.get(problem.status) ?? []), problem]);
  const responses = [...byStatus].map(([status, problems]) => {
    const [only] = problems;
    const shared = problems.length === 1 ? RESPONSES.get(only) : undefined;
    const recorded = operation.once === true && own.length > 0;
    const shape = own.some((one) => one.status === status) ? operation.refused : undefined;
    return [status, shared ?? refusedWith(status, problems, recorded, shape)];
  });
  return Object.fromEntries(responses);
}

function sharedBy({ who, params, query, body, once }: Operation): Problem[] {
  const guarded = who !== null;
  const takesJson = body?.['application/json'] !== undefined;
  const reads = params !== undefined || query !== undefined || takesJson;
  return [
    ...(guarded ? [UNAUTHENTICATED, FORBIDDEN, RATE_LIMITED, INTERNAL, UNAVAILABLE] : []),
    ...(takesJson ? [TOO_LARGE, NOT_JSON] : []),
    ...(reads ? [WRONG] : []),
    ...(once === undefined ? [] : [problemOf(stillRunning()), problemOf(keyReused())]),
  ];
}

const UNAUTHENTICATED = problemOf(
  new Refusal('unauthenticated', 'Send a token: Authorization: Bearer <JWT>.'),
);
const FORBIDDEN = problemOf(new Refusal('forbidden', 'Forbidden'));
const RATE_LIMITED = problemOf(new Refusal('rate_limited', 'Too Many Requests: you have called too often.'));
const UNAVAILABLE = problemOf(new Refusal('unavailable', 'The database cannot be reached.'));
const TOO_LARGE = problemOf(new Refusal('too_large', 'The body is larger than this route takes.'));
const NOT_JSON = problemOf(
  new Refusal('unsupported_media_type', 'Send JSON, with the header Content-Type: application/json.'),
);
const WRONG = problemOf(
  invalid([{ path: 'priority', message: 'must be one of critical, high, normal, low' }]),
);

/** Those that look the same wherever they occur are components of the document. */
const RESPONSES: ReadonlyMap<Problem | undefined, ZodOpenApiResponseObject> = new Map(
  [UNAUTHENTICATED, FORBIDDEN, RATE_LIMITED, UNAVAILABLE, INTERNAL, TOO_LARGE, NOT_JSON, WRONG].map(
    (problem) => [problem, { id: nameOf(problem), ...refusedWith(problem.status, [problem], false) }],
  ),
);

/** What the codes mean, as one sentence. */
function sentenceOf(problems: readonly Problem[]): string {
  const meanings = new Set(problems.map(({ code, detail }) => CODES[code] ?? detail));
  const sentence = [...meanings].join('; or ');
  return `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}`;
}

function nameOf({ title }: Problem): string {
  return title.replaceAll(' ', '');
}

/** @param recorded whether the refusal may be the kept answer of an earlier call. */
function refusedWith(
  status: number,
  problems: readonly Problem[],
  recorded: boolean,
  shape: z.ZodType = problemShape(status),
): ZodOpenApiResponseObject {
  const headers = {
    ...HEADERS[status],
    // The one refusal that is kept: nobody knows that person, and the notification has failed.
    ...(recorded && status === 404 ? { 'Idempotency-Replayed': replayed } : {}),
  };
  return {
    description: sentenceOf(problems),
    ...(Object.keys(headers).length > 0 ? { headers: z.object(headers) } : {}),
    content: {
      'application/problem+json': {
        schema: shape,
        examples: Object.fromEntries(problems.map((value) => [value.code, { value }])),
      },
    },
  };
}
