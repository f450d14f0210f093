import { hashOfSourceToken, isSourceToken } from '@belfry/shared/domain/alert-source.js';
import { Refusal } from '@belfry/shared/domain/refusal.js';
import { type AlertSource, findSourceByToken } from '@belfry/shared/ledger/alert-sources.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import type { Request } from 'express';
import { bearerIn } from './authenticate.js';
import type { Limits } from './limits.js';

/** Whose token a call has: the source, after its own limit; null for a call without a token of that form. */
export type SourceOf = (req: Request) => Promise<AlertSource | null>;

/** Throws `Refusal` 401 for a token that is nobody's, and 429 for a source that calls too often. */
export function createSourceOf(database: Database, limits: Limits): SourceOf {
  return async (req) => {
    const token = tokenIn(req.headers.authorization);
    if (token === undefined || !isSourceToken(token)) return null;
    const source = await findSourceByToken(database, hashOfSourceToken(token));
    if (source === null) throw noSource();
    await limits.inbound(source.name);
    return source;
  };
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
