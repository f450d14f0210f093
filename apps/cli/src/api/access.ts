import { userInfo } from 'node:os';
import type { CliSettings } from '@belfry/shared/config/cli-settings.js';
import { signsTokens, signToken } from '@belfry/shared/service/token.js';
import { Failure } from '../failure.js';

/** Where the API is and who we are there. */
export interface Access {
  /** Without a slash at the end. */
  readonly url: string;
  readonly token: string;
  /** Where the token comes from, for what is said when it is refused. */
  readonly origin: 'BELFRY_TOKEN' | 'JWT_SECRET';
}

/** How long a token of our own is good for: a `tail` may run for a day. */
const LIFETIME = '24h';

/** Finds the API and a token for it. Fails with what to set when there is none. */
export async function findAccess(settings: CliSettings): Promise<Access> {
  const url = (settings.BELFRY_URL ?? `http://127.0.0.1:${settings.PORT || 3000}`).replace(/\/+$/, '');
  if (settings.BELFRY_TOKEN !== undefined)
    return { url, token: settings.BELFRY_TOKEN, origin: 'BELFRY_TOKEN' };
  const { JWT_SECRET } = settings;
  if (JWT_SECRET === undefined || !signsTokens(settings.ALGORITHM)) {
    throw new Failure(
      `There is no token for ${url}.`,
      JWT_SECRET === undefined
        ? 'Set BELFRY_TOKEN to one, or JWT_SECRET to the secret of that installation.'
        : `With ALGORITHM=${settings.ALGORITHM} tokens come from your identity provider: set BELFRY_TOKEN to one.`,
    );
  }
  const token = await signToken(
    { ...settings, JWT_SECRET },
    { role: 'admin', subject: subject(), lifetime: LIFETIME },
  );
  return { url, token, origin: 'JWT_SECRET' };
}

/** Names the person at the keyboard in the ledger and the audit trail. */
function subject(): string {
  try {
    return `cli:${userInfo()
      .username.replace(/[\p{Cc}\p{Cs}]/gu, '')
      .slice(0, 100)}`;
  } catch {
    // A user id without a name, as in many containers.
    return `cli:${process.getuid?.() ?? 'unknown'}`;
  }
}
