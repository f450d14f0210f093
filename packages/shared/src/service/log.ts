import { type Logger, pino, stdTimeFunctions } from 'pino';
import pretty from 'pino-pretty';

export type { Logger };

/*
 * What must never be in a log line, wherever it turns up in one. Texts and addresses are not handed to the logger in the
 * first place; this is the second fence.
 */
const SECRETS: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'password',
  'token',
  'secret',
  'to',
  'address',
  'phone',
  'email',
  'message',
  'subject',
  'body',
  'html',
  'text',
  'context',
]);
const CENSOR = '[redacted]';
/** What is nested deeper than this is not shown. */
const LEVELS = 6;

/** One JSON object a line on stdout; pretty on a terminal. */
export function createLog(service: string, level: string): Logger {
  const options = {
    level,
    base: { service, pid: process.pid },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }), log: fenceNested },
    // Only names at the top: pino's paths with wildcards make a line ten times as dear.
    redact: { paths: [...SECRETS], censor: CENSOR },
    serializers: { err: describeError },
  };
  if (!process.stdout.isTTY) return pino(options);
  return pino(options, pretty({ colorize: true, ignore: 'pid', sync: true }));
}

/** The second fence below the top of a line. Most lines have nothing there and are passed on as they are. */
function fenceNested(line: Record<string, unknown>): Record<string, unknown> {
  let fenced: Record<string, unknown> | undefined;
  for (const name of Object.keys(line)) {
    const value = line[name];
    // `err` has a serializer of its own.
    if (typeof value !== 'object' || value === null || name === 'err') continue;
    fenced ??= { ...line };
    fenced[name] = fence(value, LEVELS);
  }
  return fenced ?? line;
}

function fence(value: unknown, levels: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return describeError(value);
  if (value instanceof Date) return value;
  if (levels === 0) return CENSOR;
  if (Array.isArray(value)) return value.map((item) => fence(item, levels - 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      SECRETS.has(name) ? CENSOR : fence(inner, levels - 1),
    ]),
  );
}

/**
 * An error without what it may quote: PostgreSQL puts values into `detail`, network errors put URLs into messages, and
 * drizzle puts a statement's parameters into the second line of its message, which `stack` repeats.
 */
function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { type: typeof error };
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  return {
    type: error.name,
    ...code,
    // Not `message`, which the second fence takes away whatever is in it.
    why: error.message.split('\n', 1)[0]?.replace(/\/\/[^\s/]+@/g, '//***@'),
    stack: error.stack
      ?.split('\n')
      .map((line) => line.trim())
      .filter((line) => line.startsWith('at '))
      .slice(0, 7),
    ...(error.cause === undefined ? {} : { cause: describeError(error.cause) }),
  };
}
