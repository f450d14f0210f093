import { createPrivateKey } from 'node:crypto';
import { CALLED_OFF } from '@belfry/shared/domain/outcome.js';
import { withDeadline } from '@belfry/shared/service/deadline.js';
import { z } from 'zod';
import { byMissingAnswer, byTokenStatus, type Failure } from '../classify.js';
import { ask, type Call, readBody } from '../http-call.js';
import { orAborted, whyAborted } from '../signals.js';
import type { ServiceAccount } from './service-account.js';

const SCOPE = 'https://www.googleapis.com/auth/firebase.messaging';
const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const TIMEOUT_MS = 10_000;
const ANSWER_BYTES = 20_000;
/** A token is given up so long before it expires, in milliseconds: none runs out on its way. */
const MARGIN_MS = 60_000;

const granted = z.object({ access_token: z.string().min(1), expires_in: z.number().positive() });

/** What came of asking for a token. `fresh`: it was not taken from an earlier message. */
export type Granted =
  | { readonly ok: true; readonly token: string; readonly fresh: boolean }
  | { readonly ok: false; readonly failure: Failure };

/** Access tokens of a service account, each used until shortly before it expires. */
export interface AccessTokens {
  /** Many that ask at once ask with one request. */
  get(signal: AbortSignal): Promise<Granted>;
  /** The token was not accepted: it is not given out again. */
  forget(token: string): void;
  close(): void;
}

/** Signs an assertion and has it exchanged for a token (RFC 7523 §2.1). */
export function createAccessTokens(
  account: ServiceAccount,
  sign: (claims: { issuer: string; audience: string; scope: string }) => Promise<string>,
): AccessTokens {
  const closing = new AbortController();
  let kept: { readonly token: string; readonly until: number } | undefined;
  let asking: Promise<Granted> | undefined;

  async function exchange(): Promise<Granted> {
    const deadline = withDeadline(closing.signal, TIMEOUT_MS);
    const call: Call = { signal: deadline.signal, handedOver: false };
    try {
      const audience = account.token_uri;
      const assertion = await sign({ issuer: account.client_email, audience, scope: SCOPE });
      return await answered(await post(audience, { grant_type: GRANT, assertion }, call), call);
    } catch (error) {
      const { code }: { readonly code?: unknown } = Object(error);
      // The message itself has not been handed to anybody.
      const failure = byMissingAnswer(call.signal.aborted ? whyAborted(call.signal) : code, false);
      return { ok: false, failure };
    } finally {
      deadline.release();
    }
  }

  async function answered({ status, body }: Answer, call: Call): Promise<Granted> {
    if (status !== 200) return { ok: false, failure: byTokenStatus(status, call.retryAfter) };
    const read = granted.safeParse(parsed(body));
    if (!read.success) return { ok: false, failure: byMissingAnswer('malformed', false) };
    const { access_token: token, expires_in: seconds } = read.data;
    kept = { token, until: performance.now() + seconds * 1_000 - MARGIN_MS };
    return { ok: true, token, fresh: true };
  }

  return {
    async get(signal) {
      if (signal.aborted) return calledOff(signal);
      if (kept !== undefined && performance.now() < kept.until)
        return { ok: true, token: kept.token, fresh: false };
      asking ??= exchange().finally(() => {
        asking = undefined;
      });
      return orAborted(asking, signal, () => calledOff(signal));
    },
    forget(token) {
      if (kept?.token === token) kept = undefined;
    },
    close: () => closing.abort(new Error(CALLED_OFF)),
  };
}

/** The signer of a service account's assertions, good for an hour each. */
export async function createSigner(account: ServiceAccount) {
  const { SignJWT } = await import('jose');
  const key = createPrivateKey(account.private_key);
  const { private_key_id: kid } = account;
  return (claims: { issuer: string; audience: string; scope: string }) =>
    new SignJWT({ scope: claims.scope })
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT', ...(kid === undefined ? {} : { kid }) })
      .setIssuer(claims.issuer)
      .setAudience(claims.audience)
      .setIssuedAt()
      .setExpirationTime('1h')
      .sign(key);
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

async function post(url: string, form: Record<string, string>, call: Call): Promise<Answer> {
  const { protocol, hostname, port, pathname } = new URL(url);
  const body = new URLSearchParams(form).toString();
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    'content-length': Buffer.byteLength(body),
  };
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const question = { protocol, hostname: host, port, path: pathname, method: 'POST', headers };
  const answer = await ask({ ...question, agent: false }, body, call);
  return {
    status: answer.statusCode ?? 0,
    body: Buffer.from(await readBody(answer, ANSWER_BYTES)).toString(),
  };
}

function calledOff(signal: AbortSignal): Granted {
  return { ok: false, failure: byMissingAnswer(whyAborted(signal), false) };
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
