import { createHash, hkdfSync } from 'node:crypto';
import type { ApiSettings } from '@belfry/shared/config/settings.js';
import type { CookieOptions } from 'express';
import { type JWTPayload, jwtVerify, SignJWT } from 'jose';

/** Who looks at the board. An admin may press its buttons, a viewer sees none. */
export interface Visitor {
  readonly sub: string;
  readonly role: BoardRole;
}

const BOARD_ROLES = ['admin', 'viewer'] as const;
export type BoardRole = (typeof BOARD_ROLES)[number];

/** True for a role that opens the board. */
export function isBoardRole(role: string): role is BoardRole {
  return BOARD_ROLES.some((known) => known === role);
}

/** The name of the cookie that a sign-in leaves. */
export const SESSION_COOKIE = 'belfry_board';

/** A sign-in lasts this long at most. */
const LONGEST_MS = 8 * 60 * 60 * 1000;
const ALGORITHM = 'HS256';
const AUDIENCE = 'belfry:board';
/** A browser sends no longer cookie than this, and neither do we make one. */
const IN_HEADER = new RegExp(`(?:^|; ?)${SESSION_COOKIE}=([\\w.-]{1,4096})(?:;|$)`);

/** Somebody who has just shown a token or a password, and until when that is good. */
export interface SignedIn extends Visitor {
  readonly by: 'token' | 'password';
  /** When the token ends, in milliseconds since the epoch; a session never outlives it. */
  readonly expiresAt?: number;
}

export interface Session {
  readonly cookie: string;
  readonly maxAgeMs: number;
}

/** The sign-ins to the board. */
export interface Sessions {
  /** False when there is nothing to sign them with: `SESSION_SECRET` is missing. */
  readonly possible: boolean;
  /** Only when they are possible. */
  begin(who: SignedIn): Promise<Session>;
  /** The visitor that a `Cookie` header names; null when it names none, or no longer. */
  read(header: string | undefined): Promise<Visitor | null>;
}

/**
 * Sessions are JWTs that no server keeps. Their key is derived (HKDF, RFC 5869) from the secret for this use alone, so a
 * session is no API token and an API token is no session, whatever claims either of them has. A session that came of a
 * password ends when that password's hash is changed.
 */
export function createSessions(settings: ApiSettings): Sessions {
  const key = keyOf(settings);
  const passwords: Readonly<Record<BoardRole, string | undefined>> = {
    admin: settings.ADMIN_PASSWORD_HASH,
    viewer: settings.VIEWER_PASSWORD_HASH,
  };
  return {
    possible: key !== null,
    async begin({ sub, role, by, expiresAt = Number.POSITIVE_INFINITY }) {
      if (key === null) throw new Error('There is nothing to sign a session with.');
      const now = Date.now();
      const maxAgeMs = Math.min(LONGEST_MS, expiresAt - now);
      const claims = by === 'token' ? { role } : { role, of: fingerprint(passwords[role]) };
      const cookie = await new SignJWT(claims)
        .setProtectedHeader({ alg: ALGORITHM })
        .setSubject(sub)
        .setAudience(AUDIENCE)
        .setIssuedAt()
        .setExpirationTime(Math.floor((now + maxAgeMs) / 1_000))
        .sign(key);
      return { cookie, maxAgeMs };
    },
    async read(header) {
      const cookie = IN_HEADER.exec(header ?? '')?.[1];
      if (key === null || cookie === undefined) return null;
      const claims = await claimsIn(cookie, key);
      if (typeof claims?.sub !== 'string' || typeof claims.role !== 'string' || !isBoardRole(claims.role))
        return null;
      if (claims.of !== undefined && claims.of !== fingerprint(passwords[claims.role])) return null;
      return { sub: claims.sub, role: claims.role };
    },
  };
}

/**
 * How the cookie is kept: out of reach of scripts, never sent along from another site, nor to any other page than the
 * board's. @param secure whether the browser came over TLS.
 */
export function cookieOptions(path: string, secure: boolean): CookieOptions {
  return { httpOnly: true, sameSite: 'strict', path, secure };
}

function keyOf({ ALGORITHM: tokens, JWT_SECRET, SESSION_SECRET }: ApiSettings): Uint8Array | null {
  const secret = SESSION_SECRET ?? (tokens.startsWith('HS') ? JWT_SECRET : undefined);
  if (secret === undefined) return null;
  return new Uint8Array(hkdfSync('sha256', secret, '', 'belfry board session 1', 32));
}

async function claimsIn(cookie: string, key: Uint8Array): Promise<JWTPayload | null> {
  try {
    const options = { algorithms: [ALGORITHM], audience: AUDIENCE, requiredClaims: ['exp', 'sub'] };
    return (await jwtVerify(cookie, key, options)).payload;
  } catch {
    return null;
  }
}

function fingerprint(hash: string | undefined): string | null {
  return hash === undefined ? null : createHash('sha256').update(hash).digest('base64url');
}
