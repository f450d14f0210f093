import { isId } from '@belfry/shared/domain/ids.js';
import { type FieldError, invalid } from '@belfry/shared/domain/refusal.js';
import type { Request } from 'express';
import type { z } from 'zod';

/** The outcome of reading input: what it says, or everything that is wrong with it. */
export type Read<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly errors: FieldError[] };

/** Reads input by its schema. */
export function read<Schema extends z.ZodType>(schema: Schema, input: unknown): Read<z.infer<Schema>> {
  const parsed = schema.safeParse(input ?? {});
  if (parsed.success) return { ok: true, value: parsed.data };
  return {
    ok: false,
    errors: parsed.error.issues.flatMap((issue) => {
      const message = wording(issue, input);
      return placesOf(issue).map((path) => ({ path: path.join('.'), message }));
    }),
  };
}

/** Names that are not known are wrong where they stand, not in what they stand in. */
function placesOf(issue: z.core.$ZodIssue): PropertyKey[][] {
  return issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [issue.path];
}

/** Reads input by its schema; throws a 422 that names every wrong field. */
export function parse<Schema extends z.ZodType>(
  schema: Schema,
  input: unknown,
  detail?: string,
): z.infer<Schema> {
  const result = read(schema, input);
  if (result.ok) return result.value;
  throw invalid(result.errors, detail);
}

/** The same for a body with a message; one without it is told so in so many words. */
export function parseMessage<Schema extends z.ZodType>(schema: Schema, body: unknown): z.infer<Schema> {
  const given = typeof body === 'object' && body !== null ? Reflect.get(body, 'message') : undefined;
  const missing = given === undefined || given === null || given === '';
  return parse(schema, body, missing ? 'Message is required' : undefined);
}

/** The UUID in the path. */
export function idIn(req: Request, parameter = 'id'): string {
  const id = String(req.params[parameter]);
  if (!isId(id)) throw invalid([{ path: parameter, message: 'must be a UUID' }]);
  return id.toLowerCase();
}

function wording(issue: z.core.$ZodIssue, input: unknown): string {
  if (issue.code === 'invalid_type' && at(input, issue.path) === undefined) return 'is required';
  if (issue.code === 'invalid_type') return `must be ${ARTICLES[issue.expected] ?? issue.expected}`;
  return issue.message;
}

const ARTICLES: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'an array',
};

function at(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
    input,
  );
}
