import { SignJWT } from 'jose';
import type { z } from 'zod';
import type { tokenSettings } from '../config/settings.js';

/** What a token may be for: to operate everything, to send, to be told, and to see the queue board and nothing else. */
export const ROLES = ['admin', 'internal', 'user', 'viewer'] as const;
export type Role = (typeof ROLES)[number];

/** True when this installation signs its own tokens: with an asymmetric algorithm they come from an identity provider. */
export function signsTokens(algorithm: string): boolean {
  return algorithm.startsWith('HS');
}

/**
 * Makes a token that this installation's API takes (RFC 7519). `lifetime` is a number with `s`, `m`, `h` or `d`.
 * Only where `signsTokens`.
 */
export async function signToken(
  settings: z.infer<typeof tokenSettings>,
  { role, subject, lifetime }: { role: Role; subject: string; lifetime: string },
): Promise<string> {
  const token = new SignJWT({ role })
    .setProtectedHeader({ alg: settings.ALGORITHM })
    .setSubject(subject)
    .setIssuedAt()
    .setExpirationTime(lifetime);
  if (settings.JWT_ISSUER !== undefined) token.setIssuer(settings.JWT_ISSUER);
  if (settings.JWT_AUDIENCE !== undefined) token.setAudience(settings.JWT_AUDIENCE);
  return token.sign(new TextEncoder().encode(settings.JWT_SECRET));
}
