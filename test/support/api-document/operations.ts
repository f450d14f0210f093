import { describeApi } from '@belfry/api/openapi/document.js';

/* The API's document as a test reads it: as it stands in JSON. */

export type Schema = { readonly [keyword: string]: unknown };
export type Media = {
  readonly schema: Schema;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
  /** What each line is, where there are lines of JSON. */
  readonly 'x-lines'?: Schema;
};
export type Content = Readonly<Record<string, Media>>;
export type Header = { readonly required?: boolean; readonly schema: Schema };
export type Response = {
  readonly description: string;
  readonly content?: Content;
  readonly headers?: Readonly<Record<string, Header>>;
};
export type Parameter = {
  readonly in: 'path' | 'query' | 'header';
  readonly name: string;
  readonly required?: boolean;
  readonly schema: Schema;
  readonly example?: unknown;
};
type Operation = {
  readonly operationId: string;
  readonly summary: string;
  readonly description: string;
  readonly security: readonly unknown[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, Response | { readonly $ref: string }>>;
};
export type Components = {
  readonly schemas: Readonly<Record<string, Schema>>;
  readonly responses: Readonly<Record<string, Response>>;
};
type ApiDocument = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: Components;
};

/** One call of the document, found by a request. */
export type Described = {
  readonly method: string;
  /** As the document has it: `/api/v1/users/{id}`. */
  readonly path: string;
  readonly operation: Operation;
  /** What stands in the place of the path's parameters. */
  readonly values: Readonly<Record<string, string>>;
};

/** Pages of their own beside the API, and what pages are made of. */
export const BESIDE: readonly string[] = ['/admin/queues', '/console', '/docs/', '/inbox/'];

let made: ApiDocument | undefined;

export function apiDocument(): ApiDocument {
  made ??= JSON.parse(JSON.stringify(describeApi())) as ApiDocument;
  return made;
}

/** Every call of the document. */
export function operations(): Described[] {
  return Object.entries(apiDocument().paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation, values: {} })),
  );
}

/** The call that Express finds for a request, or null: paths with fewer parameters first, no matter the case, HEAD as GET. */
export function operationAt(method: string, pathname: string): Described | null {
  const wanted = method === 'HEAD' ? 'get' : method.toLowerCase();
  for (const { path, pattern } of patterns()) {
    const match = pattern.exec(pathname);
    const operation = apiDocument().paths[path]?.[wanted];
    if (match !== null && operation !== undefined)
      return { method: wanted, path, operation, values: { ...match.groups } };
  }
  return null;
}

type Pattern = { readonly path: string; readonly pattern: RegExp };
let known: readonly Pattern[] | undefined;

function patterns(): readonly Pattern[] {
  const parameters = (path: string) => path.split('{').length;
  known ??= Object.keys(apiDocument().paths)
    .toSorted((a, b) => parameters(a) - parameters(b))
    .map((path) => ({
      path,
      pattern: new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')}/?$`, 'i'),
    }));
  return known;
}

/** What the document says of one status, with what it refers to. */
export function responseOf({ operation }: Described, status: number): Response | undefined {
  const response = operation.responses[status];
  if (response === undefined || !('$ref' in response)) return response;
  return apiDocument().components.responses[response.$ref.split('/').at(-1) ?? ''];
}

/** A schema with what it refers to. */
export function resolved(schema: Schema): Schema {
  const name =
    String(schema.$ref ?? '')
      .split('/')
      .at(-1) ?? '';
  return { ...apiDocument().components.schemas[name], ...schema };
}
