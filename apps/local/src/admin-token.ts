import { SignJWT } from 'jose';

/**
 * A token with the Admin role for whoever started Belfry here, good for 12 hours (RFC 7519, HS256).
 * Nothing when this installation trusts tokens that only somebody else can sign.
 */
export async function adminToken(secret: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const algorithm = env.ALGORITHM?.trim() || 'HS256';
  if (!algorithm.startsWith('HS')) return undefined;
  const token = new SignJWT({ role: 'Admin' })
    .setProtectedHeader({ alg: algorithm, typ: 'JWT' })
    .setSubject('you')
    .setIssuedAt()
    .setExpirationTime('12h');
  if (env.JWT_ISSUER) token.setIssuer(env.JWT_ISSUER);
  if (env.JWT_AUDIENCE) token.setAudience(env.JWT_AUDIENCE);
  return token.sign(new TextEncoder().encode(secret));
}
