import type { ServerResponse } from 'node:http';
import { Refusal } from '@belfry/shared/domain/refusal.js';
import { isCertain, isOutage } from '@belfry/shared/ledger/outage.js';
import { BatcherFull } from '@belfry/shared/service/batcher.js';
import type { Logger } from '@belfry/shared/service/log.js';
import type { ErrorRequestHandler, RequestHandler, Response } from 'express';
import { notWhole } from './arrival.js';
import { INTERNAL, type Problem, problemOf } from './problem.js';

const RETRY_AFTER_MS = 2_000;

/** Nothing answers at this path. */
export const nothingHere: RequestHandler = (req) => {
  throw new Refusal('not_found', `There is nothing at ${req.method} ${req.path}.`);
};

/** Turns whatever was thrown into a problem document. The last middleware. */
export function answerErrors(log: Logger): ErrorRequestHandler {
  return (error: unknown, req, res, next) => {
    const refusal = asRefusal(error, req);
    if (refusal === null) {
      log.error({ err: error, method: req.method, route: String(req.route?.path ?? '') }, 'request failed');
    }
    if (res.headersSent) {
      next(error);
      return;
    }
    if (refusal === null) {
      sendProblem(res, INTERNAL);
      return;
    }
    if (refusal.code === 'unavailable')
      log.warn({ err: refusal.cause ?? refusal }, 'request refused: unavailable');
    refuse(res, refusal);
  };
}

/** Answers with a refusal, as a problem document. */
function refuse(res: Response, refusal: Refusal): void {
  setRefusalHeaders(res, refusal);
  sendProblem(res, problemOf(refusal));
}

/** What a refusal says beside its body: `Retry-After` in seconds where it is known, how to sign in, and what to speak. */
export function setRefusalHeaders(res: Pick<ServerResponse, 'setHeader'>, refusal: Refusal): void {
  if (refusal.retryAfterMs !== undefined)
    res.setHeader('Retry-After', String(Math.ceil(refusal.retryAfterMs / 1000)));
  if (refusal.code === 'unauthenticated') res.setHeader('WWW-Authenticate', 'Bearer realm="belfry"');
  if (refusal.code === 'upgrade_required') res.setHeader('Upgrade', 'websocket');
}

function sendProblem(res: Response, problem: Problem): void {
  res.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
}

/** What was thrown as a refusal for its caller; null when it is a bug. */
export function asRefusal(error: unknown, req: { readonly method?: string | undefined }): Refusal | null {
  if (error instanceof Refusal) return error;
  if (error instanceof BatcherFull)
    return unavailable('Belfry has more work waiting than it takes on.', error);
  if (isOutage(error))
    return unavailable(`The database cannot be reached.${whatCameOf(error, req.method)}`, error);
  return error instanceof Error ? refusalOfHttp(error) : null;
}

/** What an outage leaves of a call: surely nothing, or nobody knows. Whoever only reads need not know. */
function whatCameOf(outage: unknown, method = 'GET'): string {
  if (method === 'GET' || method === 'HEAD') return '';
  if (isCertain(outage)) return ' Nothing was accepted.';
  const again =
    method === 'POST' ? 'Repeat the call with the same Idempotency-Key.' : 'It is safe to repeat the call.';
  return ` It is not known whether this was accepted. ${again}`;
}

function unavailable(detail: string, cause: unknown): Refusal {
  return new Refusal('unavailable', detail, { retryAfterMs: RETRY_AFTER_MS, cause });
}

/** What Express and its body parser throw has a `type` or a `status`. */
function refusalOfHttp(error: Error & { type?: unknown; status?: unknown }): Refusal | null {
  switch (error.type) {
    case 'entity.too.large':
      return new Refusal('too_large', 'The body is larger than this route takes.');
    case 'entity.parse.failed':
      return new Refusal('invalid', 'The body is not valid JSON.', { reason: 'invalid_json' });
    case 'entity.verify.failed':
      return new Refusal('invalid', error.message, { reason: 'invalid_encoding' });
    case 'encoding.unsupported':
    case 'charset.unsupported':
      return new Refusal(
        'unsupported_media_type',
        'Send UTF-8 JSON, uncompressed or compressed with gzip, deflate or br.',
      );
    case 'request.aborted':
    case 'request.size.invalid':
      return notWhole();
    default:
      break;
  }
  if (typeof error.status !== 'number' || error.status < 400 || error.status > 499) return null;
  return new Refusal('invalid', 'The request could not be read.', { reason: 'malformed_request' });
}
