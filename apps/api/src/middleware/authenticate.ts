import type { IncomingMessage } from 'node:http';
import type { ApiSettings } from '@belfry/shared/config/settings.js';
import { Refusal } from '@belfry/shared/domain/refusal.js';
import { ROLES, type Role } from '@belfry/shared/service/token.js';
import type { Request, RequestHandler } from 'express';
import { createRemoteJWKSet, errors, type JWTVerifyGetKey, jwtVerify } from 'jose';

/** Who is calling, from the token and from nothing else. */
export interface Caller {
  /** The token's subject. */
  readonly sub: string;
  readonly role: Role;
  /** When the token ends, in milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** Checks a token. Throws `Refusal` 401 for anything that is not a good one. */
export type Authenticator = (token: string) => Promise<Caller>;

const LONGEST_TOKEN = 8 * 1024;
/** It goes into the ledger, which can store neither NUL nor half a character, and into logs. */
const SUBJECT = /^[^\p{Cc}\p{Cs}]{1,128}$/u;
const CLOCK_TOLERANCE_S = 5;

/**
 * RFC 7519 tokens with one pinned algorithm: `none`, another algorithm or a public key used as an HMAC secret never get
 * as far as a key. `exp` and `sub` must be there; `iss` and `aud` too where the settings name them.
 */
export function createAuthenticator(settings: ApiSettings): Authenticator {
  const options = {
    algorithms: [settings.ALGORITHM],
    clockTolerance: CLOCK_TOLERANCE_S,
    requiredClaims: ['exp', 'sub'],
    ...(settings.JWT_ISSUER === undefined ? {} : { issuer: settings.JWT_ISSUER }),
    ...(settings.JWT_AUDIENCE === undefined ? {} : { audience: settings.JWT_AUDIENCE }),
  };
  const key = keyOf(settings);
  return async (token) => {
    if (token.length > LONGEST_TOKEN) throw unauthenticated('The token is too long.');
    try {
      const { payload } =
        typeof key === 'function'
          ? await jwtVerify(token, key, options)
          : await jwtVerify(token, key, options);
      const { sub, role, exp = 0 } = payload;
      if (typeof sub !== 'string' || !SUBJECT.test(sub)) throw unauthenticated('The token names nobody.');
      return { sub, role: roleOf(role), expiresAt: exp * 1_000 };
    } catch (error) {
      throw asRefusal(error);
    }
  };
}

function keyOf(settings: ApiSettings): Uint8Array | JWTVerifyGetKey {
  if (settings.ALGORITHM.startsWith('HS')) return new TextEncoder().encode(settings.JWT_SECRET);
  return createRemoteJWKSet(new URL(settings.JWKS_URL ?? ''), {
    timeoutDuration: 3_000,
    cooldownDuration: 10_000,
  });
}

/** A role that nobody knows may do no more than a person may. */
function roleOf(claim: unknown): Role {
  const role = typeof claim === 'string' ? claim.toLowerCase() : '';
  return ROLES.find((known) => known === role) ?? 'user';
}

/** The provider of the keys is late, answers with another status than 200, or with something that is no key set. */
const KEYS_AWAY = new Set([errors.JWKSTimeout.code, errors.JWKSInvalid.code, errors.JOSEError.code]);

function asRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof errors.JWTExpired) return unauthenticated('The token has expired.');
  if (!(error instanceof errors.JOSEError) || KEYS_AWAY.has(error.code)) {
    return new Refusal('unavailable', 'The keys that tokens are checked with cannot be had.', {
      retryAfterMs: 5_000,
      cause: error,
    });
  }
  return unauthenticated('The token is not valid.');
}

function unauthenticated(detail: string): Refusal {
  return new Refusal('unauthenticated', detail);
}

const callers = new WeakMap<Request, Caller>();
const vouchedFor = new WeakMap<IncomingMessage, Caller>();

/** Says who is calling, in the place of a token. Only this process can say so of a request that it has made itself. */
export function vouch(req: IncomingMessage, caller: Caller): void {
  vouchedFor.set(req, caller);
}

/** Lets nobody pass without a good `Authorization: Bearer` token, and no viewer: there is nothing here for them. */
export function authenticate(authenticator: Authenticator): RequestHandler {
  return async (req, _res, next) => {
    const known = vouchedFor.get(req);
    callers.set(req, known ?? (await callerWith(authenticator, bearerIn(req.headers.authorization))));
    next();
  };
}

/** The token of an `Authorization` header. */
export function bearerIn(authorization: string | undefined): string | undefined {
  return /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
}

/** Whose token it is. Throws `Refusal` 401 when there is none or not a good one, and 403 for a viewer. */
export async function callerWith(authenticator: Authenticator, token: string | undefined): Promise<Caller> {
  if (token === undefined) throw unauthenticated('Send a token: Authorization: Bearer <JWT>.');
  const caller = await authenticator(token);
  if (caller.role === 'viewer') throw new Refusal('forbidden', 'Forbidden');
  return caller;
}

/** Who is calling. Only behind `authenticate`. */
export function callerOf(req: Request): Caller {
  const caller = callers.get(req);
  if (caller === undefined) throw new Error('A route asked for its caller outside of authenticate.');
  return caller;
}

/** Lets only these roles pass. */
export function allow(...roles: readonly Role[]): RequestHandler {
  return (req, _res, next) => {
    if (!roles.includes(callerOf(req).role)) throw new Refusal('forbidden', 'Forbidden');
    next();
  };
}

/** Lets administrators pass, the person that the path is about, and these other roles. */
export function allowSelf(parameter: string, ...others: readonly Role[]): RequestHandler {
  return (req, _res, next) => {
    const { sub, role } = callerOf(req);
    if (role !== 'admin' && !others.includes(role) && req.params[parameter] !== sub)
      throw new Refusal('forbidden', 'Forbidden');
    next();
  };
}
