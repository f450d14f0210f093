/*
 * PostgreSQL error classes (Appendix A of its manual) and Node's network codes that mean "not now" rather than "a bug":
 * whatever was asked was not done, and asking again later may work.
 */
const OUTAGE_CLASSES = ['08', '53', '57', '58'];
const LOCK_TIMEOUT = '55P03';
const OUTAGE_CODES = new Set([
  '25006', // read-only: a standby, or a primary that is being replaced
  LOCK_TIMEOUT,
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT', // a unix socket that is gone
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EMFILE',
]);
/* node-postgres gives these three no code. */
const OUTAGE_MESSAGES =
  /^(Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error)/;

/** True when the database could not be asked, as opposed to having said no. */
export function isOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (isOutage(error.cause)) return true;
  if (error instanceof AggregateError) return error.errors.some(isOutage);
  const code = codeOf(error);
  return (
    OUTAGE_CODES.has(code) || OUTAGE_CLASSES.includes(code.slice(0, 2)) || OUTAGE_MESSAGES.test(error.message)
  );
}

/**
 * True for an outage after which the database surely has not done what it was asked: it was never reached, would not let
 * us in, or answered the statement with an error. After any other it may have, and only the answer was lost.
 */
export function isCertain(outage: unknown): boolean {
  if (!(outage instanceof Error)) return false;
  if (UNREACHED_MESSAGES.test(outage.message)) return true;
  if (outage.cause instanceof Error) return isCertain(outage.cause);
  if (outage instanceof AggregateError) return outage.errors.every(isCertain);
  if ('severity' in outage && outage.severity === 'ERROR') return true;
  const syscall = 'syscall' in outage ? outage.syscall : undefined;
  return REFUSED_CODES.has(codeOf(outage)) || syscall === 'connect' || syscall === 'getaddrinfo';
}

/* What PostgreSQL says to somebody who has not asked anything yet: it is starting or stopping, or full. */
const REFUSED_CODES = new Set(['57P03', '53300']);
/* Without `Client has encountered a connection error`: that is how undoing a transaction fails whose COMMIT was lost. */
const UNREACHED_MESSAGES =
  /^(timeout exceeded when trying to connect|Connection terminated due to connection timeout)/;

/** True for a deadlock or a serialization failure: the transaction was undone and may simply be run again. */
export function isTransient(error: unknown): boolean {
  return error instanceof Error && ['40P01', '40001'].includes(codeOf(error));
}

/** True when somebody else held a row for longer than `lock_timeout`. */
export function isLockTimeout(error: unknown): boolean {
  return error instanceof Error && codeOf(error) === LOCK_TIMEOUT;
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}
