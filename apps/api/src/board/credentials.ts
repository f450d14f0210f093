import type { ApiSettings } from '@belfry/shared/config/settings.js';
import { isPassword } from '@belfry/shared/domain/password.js';
import { Refusal } from '@belfry/shared/domain/refusal.js';
import type { Authenticator } from '../middleware/authenticate.js';
import { isBoardRole, type SignedIn } from './session.js';

/** What came of looking at a token or a password. A `stranger` has shown a good token that does not open the board. */
export type Recognised =
  | { readonly kind: 'known'; readonly who: SignedIn }
  | { readonly kind: 'stranger'; readonly sub: string; readonly role: string }
  | { readonly kind: 'unknown' };

/** Looks at what somebody typed into the sign-in page: a token, or one of the two passwords. */
export type Recognise = (secret: string) => Promise<Recognised>;

/** One password is looked at after the other, since each look takes 32 MiB. The limit of attempts bounds who waits. */
export function createRecognise(settings: ApiSettings, authenticator: Authenticator): Recognise {
  const passwords = [
    { role: 'admin', hash: settings.ADMIN_PASSWORD_HASH },
    { role: 'viewer', hash: settings.VIEWER_PASSWORD_HASH },
  ] as const;
  let last: Promise<unknown> = Promise.resolve();

  async function byPassword(secret: string): Promise<Recognised> {
    for (const { role, hash } of passwords) {
      if (hash !== undefined && (await isPassword(secret, hash)))
        return { kind: 'known', who: { sub: `${role}-password`, role, by: 'password' } };
    }
    return { kind: 'unknown' };
  }

  return async (secret) => {
    const caller = TOKEN.test(secret) ? await byToken(authenticator, secret) : null;
    if (caller !== null) return caller;
    const turn = last.then(() => byPassword(secret));
    last = turn.catch(() => undefined);
    return turn;
  };
}

/** A signed JWT: three parts (RFC 7515 §3.1). */
const TOKEN = /^[\w-]+\.[\w-]+\.[\w-]+$/;

async function byToken(authenticator: Authenticator, token: string): Promise<Recognised | null> {
  try {
    const { sub, role, expiresAt } = await authenticator(token);
    if (!isBoardRole(role)) return { kind: 'stranger', sub, role };
    return { kind: 'known', who: { sub, role, expiresAt, by: 'token' } };
  } catch (error) {
    if (error instanceof Refusal && error.code === 'unauthenticated') return null;
    throw error;
  }
}
