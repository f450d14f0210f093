import type { z } from 'zod';

/** One thing that is wrong in what a caller sent; `path` is where in the body, such as `context.amount`. */
export interface ContextProblem {
  readonly path: string;
  readonly message: string;
}

export type CheckedContext =
  /** `context` is for the ledger: as it came, with defaults filled in. `known` of it is what a template may read. */
  | { readonly ok: true; readonly context: Record<string, unknown>; readonly known: Record<string, unknown> }
  | { readonly ok: false; readonly problems: readonly ContextProblem[] };

/**
 * Holds `context` against an event's variables. Variables that the event does not know are no mistake. Messages name
 * the variable and never repeat its value.
 */
export function checkContext(variables: z.ZodType, context: unknown): CheckedContext {
  if (!isRecord(context)) {
    return {
      ok: false,
      problems: [{ path: 'context', message: 'The context must be an object of variables.' }],
    };
  }
  const parsed = variables.safeParse(context);
  if (!parsed.success)
    return { ok: false, problems: parsed.error.issues.map((issue) => worded(issue, context)) };
  const known = isRecord(parsed.data) ? parsed.data : {};
  return { ok: true, context: { ...context, ...known }, known };
}

function worded(issue: z.core.$ZodIssue, context: unknown): ContextProblem {
  const name = issue.path.join('.');
  const path = name === '' ? 'context' : `context.${name}`;
  if (name === '') return { path, message: `The context is wrong: ${issue.message}.` };
  if (isMissing(issue.path, context)) return { path, message: `The variable "${name}" is missing.` };
  return { path, message: `The variable "${name}" is wrong: ${expectation(issue)}.` };
}

function expectation(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type') return `it must be a ${issue.expected}`;
  return issue.message;
}

function isMissing(path: readonly PropertyKey[], context: unknown): boolean {
  let value = context;
  for (const key of path) {
    if (!isRecord(value) || !Object.hasOwn(value, key)) return true;
    value = value[String(key)];
  }
  return value === undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
