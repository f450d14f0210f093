import { readFileSync } from 'node:fs';
import { shipped } from '@belfry/shared/files/shipped.js';
import { z } from 'zod';
import {
  createDocument,
  type ZodOpenApiContentObject,
  type ZodOpenApiOperationObject,
  type ZodOpenApiOverride,
  type ZodOpenApiPathsObject,
  type ZodOpenApiResponseObject,
} from 'zod-openapi';
import { idempotencyKey } from '../middleware/once.js';
import { etag, replayed } from './headers.js';
import type { Answer, Caller, Content, Operation, Topic } from './operation.js';
import { refusalsOf } from './problem.js';
import { TOPICS } from './topics.js';

export type ApiDocument = ReturnType<typeof createDocument>;

/** What the API is, as OpenAPI 3.1: made from the schemas that validate, in the order of the topics. */
export function describeApi(): ApiDocument {
  const { version } = JSON.parse(readFileSync(shipped('apps/api/package.json'), 'utf8'));
  return createDocument(
    {
      openapi: '3.1.1',
      info: {
        title: 'Belfry',
        version: String(version),
        description: ABOUT,
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: '/', description: 'Where this document comes from' }],
      tags: TOPICS.map(({ name, description }) => ({ name, description })),
      paths: pathsOf(TOPICS),
      components: { securitySchemes: { bearer: BEARER, source: SOURCE }, schemas: linesIn(TOPICS) },
    },
    { override: plain },
  );
}

/** The lines of whatever is sent and answered as lines, by their names. */
function linesIn(topics: readonly Topic[]): Record<string, z.ZodType> {
  const contents = topics
    .flatMap(({ operations }) => operations)
    .flatMap(({ body, answers }) => [body, ...Object.values(answers).map(({ content }) => content)]);
  const lines = contents.flatMap((content) =>
    Object.values(content ?? {}).flatMap((one) => (one.lines === undefined ? [] : [one.lines])),
  );
  return Object.fromEntries(lines.map((one) => [nameOfLines(one), one]));
}

function nameOfLines(lines: z.ZodType): string {
  const id = lines.meta()?.id;
  if (id === undefined) throw new Error('What a line is needs an id.');
  return id;
}

const ABOUT = `One call, and a person is told on the channels that fit.

Answers may get more fields at any time: ignore what you do not know. Unknown fields of a request are ignored, too.
With an \`Idempotency-Key\`, a call that creates something is done once, however often it is repeated within 24 hours.

A request that has not arrived whole after 30 seconds is cut off with a bare 408.`;

const BEARER = {
  type: 'http',
  scheme: 'bearer',
  bearerFormat: 'JWT',
  description:
    'A token with `sub`, `exp` and `role`: `Admin`, `Internal` or `User` (case does not matter); a `Viewer` sees the queue board and may call nothing here. `npm run token -- --role admin --sub you` makes one.',
} as const;

const SOURCE = {
  type: 'http',
  scheme: 'bearer',
  description:
    'The token of an alert source: `PUT /api/v1/alert-sources/{name}` makes one. It may also be the password of HTTP Basic, with any name.',
} as const;

/**
 * An answer may have more fields than are described: a client that was made from this must not refuse them. What says
 * nothing (names that are strings, the largest number there is) is left out.
 */
const plain: ZodOpenApiOverride = ({ jsonSchema, io }) => {
  if (io === 'output' && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
  if (JSON.stringify(jsonSchema.propertyNames) === '{"type":"string"}') delete jsonSchema.propertyNames;
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
};

function pathsOf(topics: readonly Topic[]): ZodOpenApiPathsObject {
  const paths: ZodOpenApiPathsObject = {};
  for (const { name, operations } of topics)
    for (const operation of operations) {
      const path = paths[operation.path] ?? {};
      paths[operation.path] = { ...path, [operation.method]: operationObject(name, operation) };
    }
  return paths;
}

function operationObject(topic: string, operation: Operation): ZodOpenApiOperationObject {
  const { id, who, summary, description, params, query, body, once } = operation;
  const parameters = {
    ...(params === undefined ? {} : { path: params }),
    ...(query === undefined ? {} : { query }),
    ...(once === undefined ? {} : { header: ONCE }),
  };
  const forWhom = who === null ? [] : [`For ${AND.format(who.map((one) => NAMES[one]))}.`];
  return {
    operationId: id,
    tags: [topic],
    summary,
    description: [...(description === undefined ? [] : [description]), ...forWhom].join('\n\n'),
    security: securityOf(who ?? []),
    ...(Object.keys(parameters).length > 0 ? { requestParams: parameters } : {}),
    ...(body === undefined ? {} : { requestBody: { required: true, content: contentObject(body) } }),
    responses: responsesOf(operation),
  };
}

/** One of them is enough. */
function securityOf(who: readonly Caller[]): Record<string, string[]>[] {
  return [
    ...(who.some((one) => one !== 'source') ? [{ bearer: [] }] : []),
    ...(who.includes('source') ? [{ source: [] }] : []),
  ];
}

const NAMES: Readonly<Record<Caller, string>> = {
  admin: 'Admin',
  internal: 'Internal',
  self: 'that person',
  told: 'whoever was told of it',
  source: 'an alert source',
};

const AND = new Intl.ListFormat('en', { type: 'conjunction' });

const ONCE = z.object({
  'Idempotency-Key': idempotencyKey.optional().meta({
    description: 'A name for this call, such as a UUID: 1 to 255 printable ASCII characters',
  }),
});

/** Express gives every answer to a GET an `ETag`, and 304 to whoever has it already. */
const NOT_MODIFIED: ZodOpenApiResponseObject = {
  id: 'NotModified',
  description: 'The same as what the caller has (`If-None-Match`)',
  headers: z.object({ ETag: etag }),
};

function responsesOf(operation: Operation): Record<string, ZodOpenApiResponseObject> {
  const added: Record<string, z.ZodType> = {
    ...(operation.once === undefined ? {} : { 'Idempotency-Replayed': replayed }),
    ...(operation.method === 'get' ? { ETag: etag } : {}),
  };
  const answers = Object.entries(operation.answers).map(
    ([status, answer]) => [status, responseObject(answer, added)] as const,
  );
  return {
    ...Object.fromEntries(answers),
    ...(operation.method === 'get' ? { 304: NOT_MODIFIED } : {}),
    ...refusalsOf(operation),
  };
}

function responseObject(
  { description, content, headers }: Answer,
  added: Readonly<Record<string, z.ZodType>>,
): ZodOpenApiResponseObject {
  const all = { ...headers, ...added };
  return {
    description,
    ...(Object.keys(all).length > 0 ? { headers: z.object(all) } : {}),
    ...(content === undefined ? {} : { content: contentObject(content) }),
  };
}

function contentObject(content: Content): ZodOpenApiContentObject {
  const shown = Object.entries(content).map(([type, { schema, examples, lines }]) => [
    type,
    {
      schema,
      examples: Object.fromEntries(Object.entries(examples).map(([name, value]) => [name, { value }])),
      ...(lines === undefined ? {} : { 'x-lines': { $ref: `#/components/schemas/${nameOfLines(lines)}` } }),
    },
  ]);
  return Object.fromEntries(shown);
}
