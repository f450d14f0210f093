import { type Logger, pino, stdTimeFunctions } from 'pino';
import pretty from 'pino-pretty';

export type { Logger };

/*
 * What must never be in a log line, wherever it turns up in one. Texts and addresses are not handed to the logger in the
 * first place; this is the second fence.
 */
const SECRETS = [
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
];

/** One JSON object a line on stdout; pretty on a terminal. */
export function createLog(service: string, level: string): Logger {
  const options = {
    level,
    base: { service, pid: process.pid },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: SECRETS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: '[redacted]' },
    serializers: { err: describeError },
  };
  if (!process.stdout.isTTY) return pino(options);
  return pino(options, pretty({ colorize: true, ignore: 'pid', sync: true }));
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
