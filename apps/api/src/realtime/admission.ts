import type { IncomingMessage } from 'node:http';
import type { ApiSettings } from '@belfry/shared/config/settings.js';
import { Refusal } from '@belfry/shared/domain/refusal.js';
import { type Authenticator, bearerIn, type Caller, callerWith } from '../middleware/authenticate.js';
import type { Limits } from '../middleware/limits.js';

/** What a client has said of itself before its stream begins. */
export interface Admitted {
  readonly caller: Caller;
  /** The id of the last note it has; null when it does not say. */
  readonly since: string | null;
}

/** Whether whoever asks for a stream may have one. Throws `Refusal`. */
export type Admission = (req: IncomingMessage) => Promise<Admitted>;

export interface AdmissionParts {
  readonly settings: ApiSettings;
  readonly authenticator: Authenticator;
  readonly limits: Limits;
  readonly migrated: () => boolean;
}

/**
 * Everybody with a good token has the stream of the person it names. A page of another origin has none, unless it is
 * listed: browsers do not keep it from opening a WebSocket (RFC 6455 §10.2). Whoever sends no `Origin` is no page.
 */
export function createAdmission({ settings, authenticator, limits, migrated }: AdmissionParts): Admission {
  return async (req) => {
    if (!migrated())
      throw new Refusal('unavailable', 'The database is not ready yet.', { retryAfterMs: 2_000 });
    if (!isOwn(req) && !isListed(req.headers.origin, settings.REALTIME_ORIGINS))
      throw new Refusal('forbidden', 'Forbidden', { reason: 'cross_origin' });
    const query = queryOf(req);
    const caller = await callerWith(authenticator, tokenIn(req, query));
    await limits.call(caller.sub);
    const named = req.headers['last-event-id'] ?? query.get('since');
    return { caller, since: typeof named === 'string' && named !== '' ? named : null };
  };
}

/** True for an origin that the settings list. */
export function isListed(origin: string | undefined, listed: readonly string[] = []): boolean {
  return origin !== undefined && (listed.includes('*') || listed.includes(origin.toLowerCase()));
}

function isOwn({ headers }: IncomingMessage): boolean {
  return headers.origin === undefined || URL.parse(headers.origin)?.host === headers.host?.toLowerCase();
}

function queryOf(req: IncomingMessage): URLSearchParams {
  return URL.parse(req.url ?? '/', 'http://localhost')?.searchParams ?? new URLSearchParams();
}

/** A header is used before anything else: what it says is not made good by another place. */
function tokenIn(req: IncomingMessage, query: URLSearchParams): string | undefined {
  if (req.headers.authorization !== undefined) return bearerIn(req.headers.authorization);
  const protocol = protocolsOf(req).find((one) => one.startsWith(TOKEN_PROTOCOL));
  return protocol?.slice(TOKEN_PROTOCOL.length) ?? query.get('access_token') ?? undefined;
}

/** A subprotocol that is a token, for browsers: they can set no header on a WebSocket. */
export const TOKEN_PROTOCOL = 'belfry.';

function protocolsOf(req: IncomingMessage): string[] {
  return (req.headers['sec-websocket-protocol'] ?? '').split(',').map((one) => one.trim());
}
