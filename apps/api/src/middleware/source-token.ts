import { hashOfSourceToken, isSourceToken } from '@belfry/shared/domain/alert-source.js';
import { Refusal } from '@belfry/shared/domain/refusal.js';
import { type AlertSource, findSourceByToken } from '@belfry/shared/ledger/alert-sources.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import { memoryLimiter } from '@belfry/shared/queue/limiter.js';
import type { Request } from 'express';
import { bearerIn } from './authenticate.js';
import type { Limits } from './limits.js';

/** Whose token a call has: the source, after its own limit; null for a call without a token of that form. */
export type SourceOf = (req: Request) => Promise<AlertSource | null>;

/** Tokens that are nobody's, from one address to one process. */
const MISSED = { points: 30, seconds: 60 };

/**
 * Throws `Refusal` 401 for a token that is nobody's, and 429 for a source that calls too often, or for an address from which too
 * many tokens came that are nobody's. A token that was good here before is never refused for them.
 */
export function createSourceOf(database: Database, limits: Limits): SourceOf {
  const missed = memoryLimiter(MISSED);
  const good = new Set<string>();
  return async (req) => {
    const token = tokenIn(req.headers.authorization);
    if (token === undefined || !isSourceToken(token)) return null;
    const hash = hashOfSourceToken(token);
    const address = req.socket.remoteAddress ?? '';
    const waitMs = good.has(hash) ? 0 : await missed.blockedMs(address);
    if (waitMs > 0) throw tooManyMissed(waitMs);
    const source = await findSourceByToken(database, hash);
    if (source === null) {
      good.delete(hash);
      await missed.take(address);
      throw noSource();
    }
    good.add(hash);
    await limits.inbound(source.name);
    return source;
  };
}

function tooManyMissed(retryAfterMs: number): Refusal {
  return new Refusal(
    'rate_limited',
    "Too Many Requests: too many tokens from this address were no alert source's.",
    { retryAfterMs },
  );
}

/** For a call that has no token of a source, or one that is not good any more. */
export function noSource(): Refusal {
  return new Refusal(
    'unauthenticated',
    'Send the token of the alert source: Authorization: Bearer belfry_source_….',
  );
}

/** A bearer token (RFC 6750), or the password of a sender that knows nothing but names and passwords (RFC 7617). */
function tokenIn(authorization: string | undefined): string | undefined {
  const basic = /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization ?? '')?.[1];
  if (basic === undefined) return bearerIn(authorization);
  const [, ...password] = Buffer.from(basic, 'base64').toString().split(':');
  return password.join(':');
}
