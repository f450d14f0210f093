import type { Refusal } from '@belfry/shared/domain/refusal.js';
import { z } from 'zod';
import { NDJSON } from '../routes/import-report.js';

/*
 * How a call is described. To add one, put an `Operation` into the file of its topic (`sending.ts`, `people.ts`, …), with
 * the zod schemas that its route validates with; a new topic is a new file and one word in `topics.ts`. What every call has
 * (the token, the limits, the refusals of a body that is not JSON) is added by `document.ts`. A test fails for a route
 * that is not described, for an answer that is not as described, and for an example that is not answered as it says.
 */

/**
 * Who may call: the roles of tokens, `self`, the person that the path is about, `told`, whoever was told of the alert, and `source`, an
 * alert source with its own token.
 */
export type Caller = 'admin' | 'internal' | 'self' | 'told' | 'source';

/** What goes over the wire, by media type. */
export type Content = Readonly<Record<string, Media>>;

export interface Media {
  readonly schema: z.ZodType;
  readonly examples: Examples;
  /** What each line is, where there are lines of JSON. It has an `id`: OpenAPI 3.1 has no place for it but the components. */
  readonly lines?: z.ZodType;
}

/** By a short name; the values are as they stand in JSON. The first one of a request is what "Try it out" begins with. */
export type Examples = Readonly<Record<string, unknown>>;

/** One answer of a call that went well, or of a page. */
export interface Answer {
  readonly description: string;
  /** Absent for an answer without a body. */
  readonly content?: Content;
  /** Headers beside those that every answer has. */
  readonly headers?: Readonly<Record<string, z.ZodType>>;
}

export interface Operation {
  /** Its name in generated clients: a verb and a noun. Never changes. */
  readonly id: string;
  readonly method: 'get' | 'post' | 'put' | 'delete';
  /** The whole path; parameters in braces: `/api/v1/users/{id}`. */
  readonly path: string;
  /** Null for what needs no token. */
  readonly who: readonly Caller[] | null;
  readonly summary: string;
  /** Markdown. */
  readonly description?: string;
  /** One field for each parameter of the path, with an example. */
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: Content;
  /** True when the call takes an `Idempotency-Key`. */
  readonly once?: true;
  /** By status. */
  readonly answers: Readonly<Record<number, Answer>>;
  /** The refusals that are this call's own, as its route throws them; what any call can be refused for is added. */
  readonly refusals?: readonly Refusal[];
  /** The shape of these, where they tell more than every refusal does (RFC 9457 §3.2). */
  readonly refused?: z.ZodType;
}

/** The calls that belong together: one heading of the page. */
export interface Topic {
  readonly name: string;
  readonly description: string;
  readonly operations: readonly Operation[];
}

/** Lines of JSON. An example is the list of them. */
export function ndjson(lines: z.ZodType, examples: Readonly<Record<string, readonly unknown[]>>): Content {
  const written = Object.entries(examples).map(([name, list]) => [
    name,
    list.map((one) => `${JSON.stringify(one)}\n`).join(''),
  ]);
  const schema = z.string().meta({ description: 'Lines of JSON' });
  return { [NDJSON]: { schema, examples: Object.fromEntries(written), lines } };
}

export function json(schema: z.ZodType, examples: Examples): Content {
  return { 'application/json': { schema, examples } };
}
